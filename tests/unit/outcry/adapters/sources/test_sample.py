import bokeh_sampledata.stocks as published
import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from outcry.adapters.sources.load import load_market
from outcry.adapters.sources.sample import SAMPLE_SYMBOLS, read_sample
from outcry.market.source import SourceConfig


@pytest.mark.parametrize("symbol", SAMPLE_SYMBOLS)
def test_prices_are_adjusted_and_the_dollars_traded_stay(symbol: str) -> None:
    source = {name: np.array(values) for name, values in getattr(published, symbol).items() if name != "date"}
    bars = read_sample().filter(pl.col("symbol") == symbol)
    # Two roundings of a float64.
    assert_allclose(bars.get_column("close").to_numpy(), source["adj_close"], rtol=1e-15)
    dollars = (bars.get_column("close") * bars.get_column("volume")).to_numpy()
    assert_allclose(dollars, source["close"] * source["volume"], rtol=1e-14)


def test_a_split_is_no_step_in_the_price() -> None:
    close = read_sample().filter(pl.col("symbol") == "AAPL").get_column("close").to_numpy()
    raw = np.array(published.AAPL["close"])
    assert np.min(np.diff(np.log(raw))) < -0.69
    # The worst day is the profit warning of 2000-09-29, on which the stock halved.
    worst = int(np.argmin(np.diff(np.log(close))))
    assert published.AAPL["date"][worst + 1] == "2000-09-29"


def test_the_sample_loads_as_daily_frames_of_five_symbols() -> None:
    market = load_market(SourceConfig())
    assert market.universe.symbols == SAMPLE_SYMBOLS
    assert (len(market.frames), market.frames.present.sum()) == (3_270, 12_154)
    assert market.calendar.bars_per_year(market.bar_ns) == 252
    assert market.left_out == {"outside_session": 0, "exact_duplicate": 0, "bad_bar": 0}
