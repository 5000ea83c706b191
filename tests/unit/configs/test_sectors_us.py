from pathlib import Path

import polars as pl
import pytest
import yaml

import configs

SECTORS_FILE = Path(configs.__file__).parent / "universes" / "sectors_us.yaml"


def test_every_symbol_has_one_of_the_eleven_sectors_or_is_a_fund() -> None:
    sectors = yaml.safe_load(SECTORS_FILE.read_text())
    assert all(isinstance(symbol, str) for symbol in sectors)
    assert len(set(sectors.values())) == 12
    assert list(sectors) == sorted(sectors)


@pytest.mark.realdata
def test_the_liquid_names_of_the_data_are_known(market_data_dir: Path) -> None:
    sectors = yaml.safe_load(SECTORS_FILE.read_text())
    path = market_data_dir / "us_equities_5min_2025_2026.parquet"
    symbols = pl.scan_parquet(path).select(pl.col("symbol").unique()).collect().get_column("symbol").to_list()
    assert set(symbols) <= set(sectors)
