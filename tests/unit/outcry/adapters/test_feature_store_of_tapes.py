"""A feature store knows the quotes and trades that it was built of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from outcry.adapters.feature_store import build_store
from outcry.errors import DataValidationError
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import build_feature_set
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe

SYMBOLS = ("AAA", "BBB")
HOUR_NS = 3600 * 10**9
FEATURES = build_feature_set(FeatureSetConfig(groups=("momentum",)), HOUR_NS, SYMBOLS)
N_FRAMES = 60


@pytest.fixture
def build(tmp_path: Path) -> Callable[[FrameTensor], str]:
    """Return what builds the one store, or goes on with it, and answers its digest."""
    midnight = np.arange(19_723, 19_753, dtype=np.int64) * 24 * HOUR_NS
    sessions = Sessions(midnight, midnight + 24 * HOUR_NS, midnight, np.arange(30) % 7)
    universe = Universe(SYMBOLS, ("Tech", "Tech"))

    def build(frames: FrameTensor) -> str:
        features = UniverseFeatures(FEATURES, universe, sessions, 8760.0)
        return build_store(tmp_path / "store", features, SYMBOLS, frames).digest

    return build


@pytest.fixture
def taped() -> FrameTensor:
    rng = np.random.default_rng(2)
    shape = (N_FRAMES, 2)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=0))
    ts = (19_723 * 24 + np.arange(1, N_FRAMES + 1)) * HOUR_NS
    tape = rng.random((*shape, 6))
    tape[3, 1, 2:] = np.nan
    return FrameTensor(0, ts, close, close, close, close, close, close, np.ones(shape, dtype=np.bool_), tape)


def test_a_store_goes_on_with_the_tape_it_began_with(build: Callable[[FrameTensor], str], taped: FrameTensor) -> None:
    first = build(taped.rows(0, 40, first_seq=0))
    assert build(taped) != first


@pytest.mark.parametrize("row", [0, 39])
def test_a_store_of_another_tape_is_refused(build: Callable[[FrameTensor], str], taped: FrameTensor, row: int) -> None:
    assert taped.tape is not None
    build(taped.rows(0, 40, first_seq=0))
    other = taped.tape.copy()
    other[row, 1, 5] += 1.0
    for frames in (replace(taped, tape=other), replace(taped, tape=None)):
        with pytest.raises(DataValidationError, match="the first 40 frames must be those the store"):
            build(frames)
