"""Settings every test runs under, and the folder of real market data."""

import os

# Read by Ray and by the numeric libraries when they are first imported.
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["OMP_NUM_THREADS"] = "1"

from pathlib import Path

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
