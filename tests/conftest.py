"""Settings every test runs under, and the folder of real market data."""

import os

# Read by Ray and by the numeric libraries when they are first imported.
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["OMP_NUM_THREADS"] = "1"

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings

IS_CI = os.environ.get("CI", "").lower() in {"1", "true"}
DATA_VARIABLE = "OUTCRY_TEST_DATA"
STARTS_RAY = {f"tests/integration/test_{name}.py" for name in ("serve", "sweep", "walk_forward")}
REPOSITORY_DIR = Path(__file__).resolve().parents[1]

# A shared machine makes time a bad judge of an example; CI draws the same examples every time, and fewer.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=30)
settings.load_profile("ci" if IS_CI else "dev")


def data_dir() -> Path:
    """Return the folder of real market data; it need not exist."""
    return Path(os.environ.get(DATA_VARIABLE) or REPOSITORY_DIR.parent / "shared" / "data")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep files together, and put those that start Ray in one process; deselect real data where there is none.

    In CI the tests on real data stay, and fail by name.
    """
    for item in items:
        name = item.path.relative_to(REPOSITORY_DIR).as_posix()
        group = "ray" if name.startswith("tests/scenarios/") or name in STARTS_RAY else name
        item.add_marker(pytest.mark.xdist_group(group))
    if IS_CI or data_dir().is_dir():
        return
    kept = [item for item in items if item.get_closest_marker("realdata") is None]
    if dropped := [item for item in items if item.get_closest_marker("realdata") is not None]:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_report_header() -> str:
    """Say where the real market data comes from."""
    found = "found" if data_dir().is_dir() else f"missing: {'realdata tests fail' if IS_CI else 'no realdata tests'}"
    return f"market data: {data_dir()} ({found}; {DATA_VARIABLE} names another folder)"


@pytest.fixture(scope="session")
def market_data_dir() -> Path:
    """Return the folder of real market data."""
    folder = data_dir()
    if not folder.is_dir():
        pytest.fail(f"{DATA_VARIABLE} must name a folder of market data, was {folder}")
    return folder


@pytest.fixture(scope="session")
def lean_actions(market_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of the splits and dividends of `us_equities_1d_lean`, from published factors.

    A row of factors holds up to its date. Of what comes after it, the split is the ratio of the split factors, which
    have six digits, and the dividend the part of the last close by which the price factor grows.
    """
    factors = pl.read_parquet(market_data_dir / "corporate_actions_lean.parquet").sort("symbol", "date")
    rows = []
    for last, first in pairwise(factors.iter_rows(named=True)):
        if last["symbol"] != first["symbol"] or last["reference_price"] <= 1.0:
            continue
        ratio = Fraction(first["split_factor"] / last["split_factor"]).limit_denominator(40)
        paid = last["reference_price"] * (1 - last["price_factor"] / first["price_factor"]) / float(ratio)
        if ratio != 1 or paid > 0:
            ex_date = last["date"] + timedelta(days=1)
            rows.append(
                {"symbol": last["symbol"], "ex_date": ex_date, "split_ratio": float(ratio), "dividend": round(paid, 4)}
            )
    path = tmp_path_factory.mktemp("actions") / "actions.csv"
    pl.DataFrame(rows).write_csv(path)
    return path
