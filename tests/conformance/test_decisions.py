"""What learns from outcomes, combiners and sets: the same bits in both engines, on a floor, and after a restart."""

import asyncio
import json
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from actors.fast import decide_frames
from bench.random_bundle import write_random_bundle
from configs.uncertainty import UncertaintyConfig
from deployments.client import EnsembleClient
from deployments.frame_answer import FrameAnswer
from outcry.adapters.snapshots import pack_arrays, unpack_arrays
from outcry.errors import PredictionError
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.market.frame import FloatArray
from outcry.messages import AbstainReason, FeatureFrame, Forecast, Input, InputKind, ReasonArray
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.combiners import parse_combiner
from outcry.models.decisions import Decisions
from outcry.models.forecast import ForecastState
from outcry.models.predictor import BundlePredictor
from training.conformal import fit_prediction_sets

NAMES = ("a", "b", "c", "regime", VOLATILITY_COLUMN)
N_FRAMES, N_SYMBOLS = 40, 3
HORIZON_BARS = 5  # of a random bundle
OUTCOMES = {"weights_frac": [0.5, 0.5], "horizon_bars": HORIZON_BARS, "half_life_bars": 5.0}
STATES = {
    "features": ["regime"],
    "start": [0.5, 0.5],
    "transition": [[0.9, 0.1], [0.2, 0.8]],
    "means": [[-1.0], [1.0]],
    "whiteners": [[[1.0]], [[1.0]]],
}
COMBINERS: dict[str, dict[str, Any]] = {
    "adaptive": OUTCOMES,
    "selection": OUTCOMES,
    "thompson": OUTCOMES,
    "hidden_markov": {"weights_frac": [0.5, 0.5], "states": STATES, "state_weights_frac": [[0.9, 0.1], [0.1, 0.9]]},
    "soft_vote": {"weights_frac": [0.55, 0.45]},
}
RULES = UncertaintyConfig(single_direction=True, min_agreement_frac=0.6, alpha=0.5, gamma=0.1)
OPTIONS: dict[str, Any] = {"feature_names": NAMES, "build_abstention": RULES.build_abstention}
each_online_kind = pytest.mark.parametrize("kind", [kind for kind in COMBINERS if kind != "soft_vote"])


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelBundle]:
    """A bundle of each kind, of columns that are not in the order of the frames, with prediction sets."""
    folder = tmp_path_factory.mktemp("bundles")
    rng = np.random.default_rng(0)
    sets = fit_prediction_sets(rng.dirichlet((9, 9, 9), 300), rng.integers(0, 3, 300).astype(np.int8))

    def write(kind: str) -> ModelBundle:
        combiner = parse_combiner(json.dumps({"kind": kind, **COMBINERS[kind]}).encode())
        path = write_random_bundle(folder, ("c", "a"), "hash", n_rounds=4, combiner=combiner, prediction_sets=sets)
        return load_bundle(path)

    return {kind: write(kind) for kind in COMBINERS}


@pytest.fixture(scope="module")
def market() -> list[FeatureFrame]:
    """Frames with gaps; in one of them a value is infinite."""
    rng = np.random.default_rng(3)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (N_FRAMES, N_SYMBOLS)), axis=0))
    close[rng.random(close.shape) < 0.05] = np.nan
    values = rng.normal(size=(N_FRAMES, N_SYMBOLS, len(NAMES)))
    values[rng.random(values.shape) < 0.05] = np.nan
    values[12, 1, NAMES.index("a")] = np.inf
    values[25] = np.nan
    stale = np.zeros(N_SYMBOLS, dtype=np.bool_)
    return [FeatureFrame(t, t, values[t], stale, close=close[t]) for t in range(N_FRAMES)]


def decide(
    model: ModelBundle, market: list[FeatureFrame], cuts: tuple[int, ...] = ()
) -> tuple[FloatArray, ReasonArray]:
    """Return what the compiled engine makes of frames, in pieces that end at `cuts`, and where it abstains."""
    values, close = np.stack([frame.values for frame in market]), np.stack([frame.close for frame in market])
    decisions = model.decision_spec.build(N_SYMBOLS, NAMES, RULES.build_abstention)
    pieces = [slice(*ends) for ends in pairwise((0, *cuts, len(market)))]
    done = [decide_frames(model, decisions, values[rows], NAMES, None, close[rows]) for rows in pieces]
    return np.concatenate([probability for probability, _ in done]), np.concatenate([abstain for _, abstain in done])


async def trade(predictor: Any, market: list[FeatureFrame]) -> list[Forecast]:
    return [await predictor.predict(frame) for frame in market]


def decided(forecasts: list[Forecast]) -> tuple[FloatArray, ReasonArray]:
    """Return what forecasts say; a fallback withholds nothing, as there is nothing to withhold."""
    nothing = np.zeros(N_SYMBOLS, dtype=np.int8)
    abstain = [nothing if forecast.abstain is None else forecast.abstain for forecast in forecasts]
    return np.stack([forecast.probability for forecast in forecasts]), np.stack(abstain)


def check_equal(found: tuple[FloatArray, ReasonArray], expected: tuple[FloatArray, ReasonArray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


class Replica:
    """A handle to a deployment that serves a bundle; it fails at some calls."""

    def __init__(self, bundle: ModelBundle) -> None:
        self.bundle = bundle
        self.shadow: ModelBundle | None = None
        self.is_refusing = False
        self.is_shadow_refusing = False
        self.has_refused = asyncio.Event()
        self.predict_frame = SimpleNamespace(remote=self._predict)

    def options(self, **_: Any) -> "Replica":
        return self

    async def _predict(
        self, model_version: str, rows: FloatArray, *, wants_members: bool = False, of_shadow: bool = False
    ) -> FrameAnswer:
        bundle = self.shadow if of_shadow and self.shadow is not None else self.bundle
        if self.is_shadow_refusing if of_shadow else self.is_refusing:
            self.has_refused.set()
            raise PredictionError("no")
        if bundle.version != model_version:
            return FrameAnswer(bundle.version, bundle.feature_names, None, 1, bundle.decision_spec)
        predict = bundle.predict_members if wants_members else bundle.predict_proba
        shadow_version = "" if self.shadow is None else self.shadow.version
        return FrameAnswer(bundle.version, (), predict(rows), shadow_version=shadow_version)


@pytest.mark.parametrize("kind", COMBINERS)
async def test_frame_by_frame_and_in_pieces_a_forecast_has_the_same_bits(kind: str, bundles, market) -> None:
    model = bundles[kind]
    expected = decide(model, market)
    check_equal(decided(await trade(BundlePredictor(model, **OPTIONS), market)), expected)
    client = EnsembleClient(lambda: Replica(model), deadline_s=9.0, **OPTIONS)
    check_equal(decided(await trade(client, market)), expected)
    check_equal(decide(model, market, (1, 7, 30)), expected)
    probability, abstain = expected
    assert np.isnan(probability[12]).all()
    assert np.isfinite(probability[[11, 13, -1]]).any(axis=(1, 2)).all()
    assert set(np.unique(abstain)) == {0, AbstainReason.PREDICTION_SET, AbstainReason.AGREEMENT}


@each_online_kind
def test_what_came_moves_the_forecasts_and_only_those_after_it(kind: str, bundles, market) -> None:
    expected, _ = decide(bundles[kind], market)
    stateless = bundles[kind].predict_proba(market[-1].values, bundles[kind].columns_in(NAMES))
    assert not np.array_equal(expected[-1], stateless, equal_nan=True)
    later = [replace(frame, close=frame.close * (1.0, 1.5, 0.6) ** np.array(frame.seq % 3)) for frame in market[20:]]
    found, _ = decide(bundles[kind], [*market[:20], *later])
    np.testing.assert_array_equal(found[:20], expected[:20])
    reads_closes = kind != "hidden_markov"
    assert np.array_equal(found[20:], expected[20:], equal_nan=True) != reads_closes


async def test_what_came_moves_the_level_of_the_sets(bundles, market) -> None:
    fixed = RULES.model_copy(update={"method": "split"}).build_abstention
    said = await trade(BundlePredictor(bundles["soft_vote"], feature_names=NAMES, build_abstention=fixed), market)
    probability, abstain = decide(bundles["soft_vote"], market)
    np.testing.assert_array_equal(decided(said)[0], probability)
    assert not np.array_equal(decided(said)[1], abstain)


async def test_where_nobody_asks_nothing_is_withheld(bundles, market) -> None:
    said = await trade(BundlePredictor(bundles["soft_vote"], feature_names=NAMES), market[:3])
    assert all(forecast.abstain is None and forecast.state is None for forecast in said)


@each_online_kind
@pytest.mark.parametrize("died_at", [1, 4, 18, 31])
async def test_a_desk_that_was_killed_goes_on_with_the_same_bits(kind: str, died_at: int, bundles, market) -> None:
    """Also where the model is away when the new desk starts, and that one is killed before the model is back."""
    model, away = bundles[kind], (died_at, died_at + 1, died_at + 2)
    replica = Replica(model)

    async def read_nothing(seq: int) -> ForecastState | None:
        return None

    async def run(client: EnsembleClient, frames: list[FeatureFrame]) -> list[Forecast]:
        found = []
        for frame in frames:
            replica.is_refusing = frame.seq in away
            found.append(await client.predict(frame))
        return found

    whole = await run(EnsembleClient(lambda: replica, deadline_s=9.0, **OPTIONS, read_state=read_nothing), market)
    left = list(whole[:died_at])

    async def read_state(seq: int) -> ForecastState:
        last = max(forecast.seq for forecast in left if forecast.state is not None)
        state = left[last].state
        assert state is not None
        closes = np.array([frame.close for frame in market[last + 1 : seq]]).reshape(-1, N_SYMBOLS)
        return ForecastState(model.version, unpack_arrays(pack_arrays(state)), closes)

    for until in (died_at + 2, N_FRAMES):
        client = EnsembleClient(lambda: replica, deadline_s=9.0, **OPTIONS, read_state=read_state)
        left += await run(client, market[len(left) : until])
    check_equal(decided(left), decided(whole))
    assert [forecast.inputs for forecast in left] == [forecast.inputs for forecast in whole]


@each_online_kind
async def test_a_shadow_says_what_it_would_as_champion_and_the_champion_what_it_says_alone(
    kind: str, bundles, market
) -> None:
    """Also where it misses frames, and where the champion does, as in frame 12."""
    missed = {0, 7, 8, 20}
    alone = Replica(bundles[kind])
    plain = EnsembleClient(lambda: alone, deadline_s=9.0, feature_names=NAMES)
    expected = []
    for frame in market:
        alone.is_refusing = frame.seq in missed
        expected.append(await plain.predict(frame))
    traded = await trade(EnsembleClient(lambda: Replica(bundles["soft_vote"]), deadline_s=9.0, **OPTIONS), market)

    replica = Replica(bundles["soft_vote"])
    replica.shadow = bundles[kind]
    recorded: asyncio.Queue[Forecast] = asyncio.Queue()
    client = EnsembleClient(lambda: replica, deadline_s=9.0, **OPTIONS, record_shadow=recorded.put)
    for frame, forecast in zip(market, traded, strict=True):
        replica.is_shadow_refusing = frame.seq in missed
        said = await client.predict(frame)
        assert said.probability.tobytes() == forecast.probability.tobytes()
        assert (said.inputs, said.model_version) == (forecast.inputs, forecast.model_version)
        if frame.seq in missed:
            await asyncio.wait_for(replica.has_refused.wait(), 60.0)
            replica.has_refused.clear()
        elif frame.seq != 12:
            watched = await asyncio.wait_for(recorded.get(), 60.0)
            assert watched.seq == frame.seq
            np.testing.assert_array_equal(watched.probability, expected[frame.seq].probability)
    assert recorded.empty()


async def test_a_swap_begins_anew_and_a_record_of_it_replays(bundles, market) -> None:
    first, second = bundles["adaptive"], bundles["thompson"]
    replica = Replica(first)
    client = EnsembleClient(lambda: replica, deadline_s=9.0, **OPTIONS)
    live = []
    for frame in market:
        replica.bundle = second if 10 <= frame.seq < 24 else first
        replica.is_refusing = frame.seq in {0, 10, 15}
        live.append(await client.predict(frame))
    recorded = [item for forecast in live for item in forecast.inputs]
    swaps = [item.seq for item in recorded if item.kind is InputKind.MODEL_SWAPPED]
    assert swaps == [1, 11, 24]
    twin = await trade(BundlePredictor(first, second, recorded=recorded, **OPTIONS), market)
    check_equal(decided(twin), decided(live))
    assert [forecast.inputs for forecast in twin] == [forecast.inputs for forecast in live]
    check_equal(decided(live[24:]), decide(first, market[24:]))


async def test_a_swap_that_names_the_model_in_service_changes_nothing(bundles, market) -> None:
    model = bundles["adaptive"]
    again = Input(20, InputKind.MODEL_SWAPPED, {"model_version": model.version})
    said = await trade(BundlePredictor(model, recorded=[again], **OPTIONS), market)
    check_equal(decided(said), decide(model, market))


def _build(model: ModelBundle) -> Decisions:
    decisions = model.decision_spec.build(N_SYMBOLS, NAMES)
    assert decisions is not None
    return decisions


def test_a_frame_without_a_close_cannot_be_learnt_from(bundles, market) -> None:
    with pytest.raises(PredictionError, match=r"close must have shape \(1, 3\), was \(1, 2\)"):
        _build(bundles["adaptive"]).update(np.full((2, 3, 3), 1 / 3), market[0].values, np.ones(2))
