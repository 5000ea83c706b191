"""A machine without a folder for the cache still computes."""

import pytest
from numba.core import caching

from outcry.features.kernels.compile import compile_entry_point


def test_an_entry_point_is_compiled_where_nothing_can_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])
    assert compile_entry_point(lambda x: x + 1.0, "f8(f8)")(1.0) == 2.0
