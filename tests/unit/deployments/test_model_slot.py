"""A bundle is replaced whole or not at all."""

import shutil

import pytest

from deployments.model_slot import ModelSlot
from outcry.errors import BundleError


def test_corrupt_bundle_is_refused_and_the_old_one_stays(slot: ModelSlot, bundle_paths, tmp_path) -> None:
    corrupt = tmp_path / "corrupt"
    shutil.copytree(bundle_paths[1], corrupt)
    (corrupt / "lightgbm.txt").write_bytes((corrupt / "lightgbm.txt").read_bytes()[:-1])
    before = slot.loaded
    slot.replace(corrupt)
    assert slot.loaded is before
    assert slot.refused is not None
    assert "lightgbm.txt" in slot.refused.reason


def test_same_path_again_loads_nothing_and_keeps_the_refusal(slot: ModelSlot, bundle_paths, tmp_path) -> None:
    before = slot.loaded
    slot.replace(tmp_path)
    slot.replace(bundle_paths[0])
    assert slot.loaded is before
    assert slot.refused is not None


def test_fresh_slot_takes_the_fallback_where_the_bundle_is_refused(slot: ModelSlot, bundle_paths, tmp_path) -> None:
    fresh = ModelSlot(slot._load, slot._now_ns)
    fresh.replace(tmp_path, fallback=bundle_paths[0])
    assert fresh.loaded.path == bundle_paths[0]
    assert fresh.refused is not None


def test_fresh_slot_without_a_sound_bundle_raises(slot: ModelSlot, tmp_path) -> None:
    fresh = ModelSlot(slot._load, slot._now_ns)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        fresh.replace(tmp_path)
    assert not fresh.is_ready
    with pytest.raises(BundleError, match="no model is loaded"):
        _ = fresh.loaded
