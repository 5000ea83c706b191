"""Compiled code is found by what its source says; a machine without a folder for it still computes."""

import importlib.util
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


def _module(folder: Path, text: str) -> ModuleType:
    folder.mkdir()
    path = folder / "some_kernel.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("some_kernel", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_copy_of_the_code_elsewhere_finds_what_was_compiled(cache: Path, tmp_path: Path) -> None:
    text = "def add(x):\n    return x + 1.0\n"
    here, there = _module(tmp_path / "here", text), _module(tmp_path / "there", text)
    assert not is_cached(here.add, SIGNATURE)
    assert compile_entry_point(here.add, SIGNATURE)(1.0) == 2.0
    assert is_cached(there.add, SIGNATURE)
    assert compile_entry_point(there.add, SIGNATURE)(1.0) == 2.0
    assert len(list(cache.glob("outcry/kernels/*/*.nbc"))) == 1


def test_other_code_of_the_same_name_is_compiled_anew(cache: Path, tmp_path: Path) -> None:
    here = _module(tmp_path / "here", "STEP = 1.0\ndef add(x):\n    return x + STEP\n")
    there = _module(tmp_path / "there", "STEP = 2.0\ndef add(x):\n    return x + STEP\n")
    assert compile_entry_point(here.add, SIGNATURE)(1.0) == 2.0
    assert not is_cached(there.add, SIGNATURE)
    assert compile_entry_point(there.add, SIGNATURE)(1.0) == 3.0


def test_an_entry_point_is_compiled_where_nothing_can_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling._Files, "_locator_classes", [])
    assert is_cached(lambda x: x + 1.0, SIGNATURE)
    assert compile_entry_point(lambda x: x + 1.0, SIGNATURE)(1.0) == 2.0
