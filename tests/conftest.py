"""Settings every test runs under, and the folder of real market data."""

import json
import os

# Read by Ray and by the numeric libraries when they are first imported.
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

IS_CI = os.environ.get("CI", "").lower() in {"1", "true"}
DATA_VARIABLE = "OUTCRY_TEST_DATA"
REPOSITORY_DIR = Path(__file__).resolve().parents[1]

# A shared machine makes time a bad judge of an example; CI draws the same examples every time, and fewer.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=15)
settings.load_profile("ci" if IS_CI else "dev")


def data_dir() -> Path:
    """Return the folder of real market data; it need not exist."""
    return Path(os.environ.get(DATA_VARIABLE) or REPOSITORY_DIR.parent / "shared" / "data")


class Files(LoadScopeScheduling):  # type: ignore[misc]  # without stubs
    """Keeps the tests of a file in one process, and the scenarios in one: two floors at once starve each other."""

    def _split_scope(self, nodeid: str) -> str:
        name = nodeid.partition("::")[0]
        return "scenarios" if name.startswith("tests/scenarios/") else name


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Files:
    """Group by hand: ``loadgroup`` of xdist 3.8 does nothing with pytest 9.2."""
    return Files(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect real data where there is none; in CI the tests on it stay, and fail by name."""
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


@pytest.fixture(scope="session")
def _test_families() -> Iterator[None]:
    """Have the families of `tests/families` beside those of outcry, in this process and in those it starts."""
    from outcry.models import bundle, families  # noqa: PLC0415 - only for the tests that ask for it

    folder = REPOSITORY_DIR / "tests" / "families"
    names = (*families.FAMILY_NAMES, *(path.stem for path in folder.glob("*.py")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "startup"), prepend=os.pathsep)
        patch.setattr(families, "__path__", [*families.__path__, str(folder)])
        patch.setattr(families, "FAMILY_NAMES", names)
        patch.setattr(bundle, "FAMILY_NAMES", names)
        yield


@pytest.fixture(scope="session")
def write_lag_bundle(_test_families: None) -> Callable[..., Path]:
    """Return what writes a bundle with a member that reads windows, and returns its path.

    Arguments are the folder of bundles, the columns, the hash of the feature set, the rows of a window, and by name
    `seed` and `bar_ns`.
    """
    # Only for the tests that ask for it: half a second of libraries.
    from bench.random_bundle import UNCHANGED, random_facts  # noqa: PLC0415
    from outcry.models.bundle import GoldenInputs, write_bundle  # noqa: PLC0415
    from outcry.models.combiners import build_combiner  # noqa: PLC0415
    from outcry.models.combiners.soft_vote import SoftVoteSpec  # noqa: PLC0415
    from outcry.models.families import find_family  # noqa: PLC0415

    def write(
        folder: Path, names: Sequence[str], features_hash: str, lookback_bars: int, *, seed: int = 0, bar_ns: int = 1
    ) -> Path:
        rng = np.random.default_rng(seed)
        weights = rng.normal(size=(lookback_bars, len(names)))
        model = find_family("lags").load({"lags.json": json.dumps(weights.tolist()).encode()}, len(names))
        return write_bundle(
            folder,
            facts=random_facts(names, features_hash, seed=seed, bar_ns=bar_ns),
            members={"lags": model},
            combiner=build_combiner(SoftVoteSpec(weights_frac=(1.0,))),
            calibration=UNCHANGED,
            golden=GoldenInputs(
                rng.normal(size=(4, len(names))),
                rng.normal(size=(4, lookback_bars, len(names))).astype(np.float32),
            ),
        )

    return write
