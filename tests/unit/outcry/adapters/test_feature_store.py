"""What training reads is what the live engine computes; what was known later is not known earlier."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from outcry.adapters.feature_store import META_FILE, FeatureStore, build_store
from outcry.errors import DataNotFoundError, DataValidationError
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe

SYMBOLS = ("AAA", "BRK.B", "CCC")
HOUR_NS = 3600 * 10**9
FEATURES = build_feature_set(FeatureSetConfig(groups=("momentum", "cross")), HOUR_NS, SYMBOLS)
N_FRAMES = 900  # 37 days of hours: January and February

Pipeline = Callable[[], UniverseFeatures]


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    midnight = np.arange(19_723, 19_783, dtype=np.int64) * 24 * HOUR_NS
    return Sessions(midnight, midnight + 24 * HOUR_NS, midnight, np.arange(60) % 7)


@pytest.fixture(scope="module")
def frames(sessions: Sessions) -> FrameTensor:
    rng = np.random.default_rng(4)
    shape = (N_FRAMES, len(SYMBOLS))
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=0))
    high, low = close * 1.01, close * 0.99
    present = rng.random(shape) >= 0.1
    bars = {"open": close, "high": high, "low": low, "close": close, "volume": close * 10.0, "vwap": close}
    ts = sessions.open_ns[0] + np.arange(1, N_FRAMES + 1) * HOUR_NS
    bars = {name: np.where(present, values, np.nan) for name, values in bars.items()}
    return FrameTensor(first_seq=0, ts_close_ns=ts, present=present, **bars)


@pytest.fixture(scope="module")
def pipeline(sessions: Sessions) -> Pipeline:
    universe = Universe(SYMBOLS, ("Tech", "Tech", "Energy"))
    return lambda: UniverseFeatures(FEATURES, universe, sessions, 8760.0, n_threads=2)


@pytest.fixture(scope="module")
def store(frames: FrameTensor, pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    path = tmp_path_factory.mktemp("store")
    build_store(path, pipeline(), SYMBOLS, frames)
    return FeatureStore(path)


@pytest.fixture(scope="module")
def live(frames: FrameTensor, pipeline: Pipeline) -> FloatArray:
    """What a live run sees, frame by frame, float64 (n_frames, n_symbols, n_features)."""
    features = pipeline()
    rows = []
    for frame in frames:
        features.update(frame)
        rows.append(features.values)
    return np.array(rows)


def bits(values: FloatArray) -> np.ndarray:
    return np.ascontiguousarray(values).view(np.int64)


def test_training_reads_the_bits_that_a_live_run_computes(
    store: FeatureStore, live: FloatArray, frames: FrameTensor
) -> None:
    values = store.at(frames.ts_close_ns, FEATURES.names)
    np.testing.assert_array_equal(bits(values[frames.present]), bits(live[frames.present]))
    assert np.isnan(values[~frames.present]).all()


def test_files_are_by_symbol_and_month(store: FeatureStore) -> None:
    files = {str(file.relative_to(store.path)) for file in store.path.glob("*/*.parquet")}
    assert files == {f"{symbol}/2024-{month}.parquet" for symbol in SYMBOLS for month in ("01", "02")}


@pytest.mark.parametrize("offset_ns", [-1, 0, 1])
def test_as_of_never_answers_with_a_frame_that_closed_later(
    store: FeatureStore, live: FloatArray, frames: FrameTensor, offset_ns: int
) -> None:
    for row in (0, 1, 700, 743, 744, 745, N_FRAMES - 1):  # 744 hours are January
        ts_ns = int(frames.ts_close_ns[row]) + offset_ns
        times, values = store.as_of(ts_ns, SYMBOLS)
        for place in range(len(SYMBOLS)):
            known = np.flatnonzero(frames.present[:, place] & (frames.ts_close_ns <= ts_ns))
            if len(known):
                assert times[place] == frames.ts_close_ns[known[-1]]
                np.testing.assert_array_equal(bits(values[place]), bits(live[known[-1], place]))
            else:
                assert times[place] == 0
                assert np.isnan(values[place]).all()


def test_a_symbol_s_rows_of_a_span_and_some_columns(store: FeatureStore, live: FloatArray, frames: FrameTensor) -> None:
    names = FEATURES.names[5:2:-1]
    ts, values = store.rows("BRK.B", int(frames.ts_close_ns[700]), int(frames.ts_close_ns[800]), names)
    here = np.flatnonzero(frames.present[:, 1])
    here = here[(here >= 700) & (here <= 800)]
    np.testing.assert_array_equal(ts, frames.ts_close_ns[here])
    np.testing.assert_array_equal(bits(values), bits(live[here, 1][:, 5:2:-1]))


@pytest.mark.parametrize("cuts", [(300,), (744,), (10, 500, 750, 899)])
def test_a_store_that_is_appended_to_is_the_one_built_at_once(
    store: FeatureStore, frames: FrameTensor, pipeline: Pipeline, tmp_path: Path, cuts: tuple[int, ...]
) -> None:
    for cut in (*cuts, N_FRAMES):
        build_store(tmp_path, pipeline(), SYMBOLS, frames.rows(0, cut, first_seq=0))
    appended = FeatureStore(tmp_path)
    assert appended.meta == store.meta
    everything = (frames.ts_close_ns, FEATURES.names)
    np.testing.assert_array_equal(bits(appended.at(*everything)), bits(store.at(*everything)))


def test_a_build_that_was_killed_is_gone_on_with(
    store: FeatureStore, frames: FrameTensor, pipeline: Pipeline, tmp_path: Path
) -> None:
    build_store(tmp_path, pipeline(), SYMBOLS, frames.rows(0, 300, first_seq=0))
    before = (tmp_path / META_FILE).read_bytes()
    states = {file: file.read_bytes() for file in tmp_path.glob("*.npz")}
    build_store(tmp_path, pipeline(), SYMBOLS, frames.rows(0, 600, first_seq=0))
    for file in tmp_path.glob("*.npz"):
        file.unlink()
    for file, content in states.items():  # the month's files are there; what says so is not
        file.write_bytes(content)
    (tmp_path / META_FILE).write_bytes(before)
    assert len(FeatureStore(tmp_path).rows("AAA", 0, 2**62)[0]) == frames.present[:300, 0].sum()
    build_store(tmp_path, pipeline(), SYMBOLS, frames)
    everything = (frames.ts_close_ns, FEATURES.names)
    np.testing.assert_array_equal(bits(FeatureStore(tmp_path).at(*everything)), bits(store.at(*everything)))


def test_a_store_of_something_else_is_refused(
    store: FeatureStore, frames: FrameTensor, pipeline: Pipeline, tmp_path: Path
) -> None:
    build_store(tmp_path, pipeline(), SYMBOLS, frames.rows(0, 50, first_seq=0))
    other = frames.close.copy()
    other[20, 1] *= 1.0001
    with pytest.raises(DataValidationError, match="the first 50 frames must be those the store"):
        build_store(tmp_path, pipeline(), SYMBOLS, replace(frames, close=other))
    with pytest.raises(DataValidationError, match="symbols of the store"):
        build_store(tmp_path, pipeline(), ("X", "Y", "Z"), frames)
    (tmp_path / META_FILE).write_text(store.meta.model_copy(update={"features_hash": "0"}).model_dump_json())
    with pytest.raises(DataValidationError, match="features_hash of the store"):
        build_store(tmp_path, pipeline(), SYMBOLS, frames)


def test_what_is_not_there_is_named(store: FeatureStore, tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="must hold a feature store"):
        FeatureStore(tmp_path)
    with pytest.raises(DataNotFoundError, match=r"symbol must be in the store .*, was ZZZ"):
        store.as_of(2**62, ["ZZZ"])
    with pytest.raises(DataNotFoundError, match="tech_nothing are not"):
        store.rows("AAA", 0, 2**62, ["tech_nothing"])
    (tmp_path / META_FILE).write_text("{}")
    with pytest.raises(DataValidationError, match="must describe a feature store"):
        FeatureStore(tmp_path)


def test_a_feature_set_without_a_second_stage_has_no_state_of_one(
    frames: FrameTensor, sessions: Sessions, tmp_path: Path
) -> None:
    features: FeatureSet = build_feature_set(FeatureSetConfig(groups=("momentum",)), HOUR_NS, SYMBOLS)
    universe = Universe(SYMBOLS, ("Tech",) * 3)
    for cut in (40, 60):
        build_store(
            tmp_path,
            UniverseFeatures(features, universe, sessions, 8760.0),
            SYMBOLS,
            frames.rows(0, cut, first_seq=0),
        )
    assert [file.name for file in tmp_path.glob("*.npz")] == ["state-60.npz"]
