"""Compiled code is found by what its source says; a machine without a folder for it still computes."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from numba.core import config

from outcry import compiled as compiling
from outcry.compiled import compile_entry_point, is_cached

SIGNATURE = "f8(f8)"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(config, "CACHE_DIR", "")
    return tmp_path / "cache"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], ModuleType]:
    """Load a text as the module ``some_kernel`` of a folder; what was cached is read back with its module by name."""

    def from_folder(name: str, text: str) -> ModuleType:
        path = tmp_path / name / "some_kernel.py"
        path.parent.mkdir()
        path.write_text(text)
        spec = importlib.util.spec_from_file_location("some_kernel", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "some_kernel", module)
        spec.loader.exec_module(module)
        return module

    return from_folder


def test_a_copy_of_the_code_elsewhere_finds_what_was_compiled(
    cache: Path, load: Callable[[str, str], ModuleType]
) -> None:
    text = "def add(x):\n    return x + 1.0\n"
    here, there = load("here", text), load("there", text)
    assert not is_cached(here.add, SIGNATURE)
    assert compile_entry_point(here.add, SIGNATURE)(1.0) == 2.0
    assert is_cached(there.add, SIGNATURE)
    assert compile_entry_point(there.add, SIGNATURE)(1.0) == 2.0
    assert len(list(cache.glob("outcry/kernels/*/*.nbc"))) == 1


def test_other_code_of_the_same_name_is_compiled_anew(cache: Path, load: Callable[[str, str], ModuleType]) -> None:
    here = load("here", "STEP = 1.0\ndef add(x):\n    return x + STEP\n")
    there = load("there", "STEP = 2.0\ndef add(x):\n    return x + STEP\n")
    assert compile_entry_point(here.add, SIGNATURE)(1.0) == 2.0
    assert not is_cached(there.add, SIGNATURE)
    assert compile_entry_point(there.add, SIGNATURE)(1.0) == 3.0


def test_an_entry_point_is_compiled_where_nothing_can_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling._Files, "_locator_classes", [])
    assert is_cached(lambda x: x + 1.0, SIGNATURE)
    assert compile_entry_point(lambda x: x + 1.0, SIGNATURE)(1.0) == 2.0
