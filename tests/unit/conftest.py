"""Unit tests start nothing: one that starts Ray fails."""

import sys
from collections.abc import Iterator

import pytest

RULE = "a unit test must not start Ray; such a test belongs into tests/integration"


@pytest.fixture(autouse=True)
def refuse_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make `ray.init` an error, without importing Ray for the tests that do not use it."""
    was_running = is_ray_running()
    if "ray" in sys.modules:
        monkeypatch.setattr(sys.modules["ray"], "init", _refuse)
    yield
    # A test that was the first to import Ray had no patched `init`.
    if is_ray_running() and not was_running:
        sys.modules["ray"].shutdown()
        pytest.fail(RULE)


def is_ray_running() -> bool:
    """Return whether this process is connected to a Ray cluster."""
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


def _refuse(*_args: object, **_kwargs: object) -> None:
    pytest.fail(RULE)
