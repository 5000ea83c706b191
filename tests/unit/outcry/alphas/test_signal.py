"""A signal says the same frame by frame, all at once, and after a restart; and of the past alone."""

from functools import cache

import numpy as np
import pytest
from bokeh_sampledata import stocks  # real daily bars, carried by a wheel

from outcry.adapters.snapshots import pack_state, unpack_state
from outcry.alphas.config import AlphasConfig
from outcry.alphas.cross_section import rank, standardise, winsorise
from outcry.alphas.forecast import forecast_score
from outcry.alphas.neutralise import neutralise
from outcry.alphas.scorer import FORECAST
from outcry.alphas.signal import AlphaSignal, SignalHistory, edge_probability
from outcry.errors import ConfigurationError, DataValidationError, RecoveryError
from outcry.features.leakcheck import perturb
from outcry.market.bar_size import DAY_NS
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import AbstainReason, Direction

NAMES = ("AAPL", "GOOG", "IBM", "MSFT")
N_FRAMES, CUT, N_SYMBOLS = 200, 150, len(NAMES)
SHORT = {"window_frames": 40, "refit_frames": 7, "min_payoffs": 10}
CONFIG = AlphasConfig(names=("momentum_10_2", "reversal_2", "rsi_2"), horizon_bars=3, **SHORT)
EVERYTHING = CONFIG.model_copy(
    update={"neutral_to": ("sector", "stat_zscore_20_close"), "regime": "direction", "review_frames": 5}
)


@cache
def frames() -> FrameTensor:
    """The 200 latest daily bars of four stocks; the second joins 50 bars late and misses one bar in five."""
    columns = {
        field: np.array([getattr(stocks, name)[field][-N_FRAMES:] for name in NAMES], dtype=float).T
        for field in ("open", "high", "low", "close", "volume")
    }
    present = np.ones((N_FRAMES, N_SYMBOLS), dtype=bool)
    present[:50, 1] = False
    present[50::5, 1] = False
    for column in columns.values():
        column[~present] = np.nan
    columns["vwap"] = columns["close"]
    ts_close_ns = np.array(stocks.AAPL["date"][-N_FRAMES:], dtype="datetime64[ns]").astype(np.int64) + 21 * 3600 * 10**9
    return FrameTensor(first_seq=-5, ts_close_ns=ts_close_ns, present=present, **columns)


@cache
def forecasts() -> FloatArray:
    said = np.random.default_rng(2).normal(size=(N_FRAMES, N_SYMBOLS))
    said[:20], said[40] = np.nan, np.nan
    return said


def make_signal(config: AlphasConfig = CONFIG) -> AlphaSignal:
    close = frames().ts_close_ns
    midnight = close - 16 * 3600 * 10**9
    sessions = Sessions(close - 390 * 60 * 10**9, close, midnight, (midnight // DAY_NS + 3) % 7)
    universe = Universe(NAMES, ("Tech", "Tech", "Old", "Old"))
    return AlphaSignal(config, universe, sessions, 252.0, DAY_NS)


def bits(said: SignalHistory, stop: int = N_FRAMES) -> list[bytes]:
    arrays = (said.edge, said.volatility_per_year, said.score, said.weights)
    return [*(array[:stop].tobytes() for array in arrays), said.scores[:, :stop].tobytes()]


@pytest.mark.parametrize("config", [CONFIG, EVERYTHING], ids=["plain", "everything"])
def test_frame_by_frame_and_after_a_restart_it_says_the_same(config: AlphasConfig) -> None:
    whole = make_signal(config).replay(frames(), forecasts())
    live = make_signal(config)
    for t, frame in enumerate(frames()):
        live.update(frame, forecasts()[t])
        assert live.edge.tobytes() == whole.edge[t].tobytes(), t
        assert live.volatility_per_year.tobytes() == whole.volatility_per_year[t].tobytes(), t
        assert live.weights.tobytes() == whole.weights[t].tobytes(), t
        if t == CUT:
            state = unpack_state(pack_state(live.snapshot()))
            live = make_signal(config)
            live.restore(state)
            assert live.last_seq == frame.seq
            assert live.edge.tobytes() == whole.edge[t].tobytes()
    assert len(np.unique(whole.weights, axis=0)) > 5
    assert np.isfinite(whole.edge[-1]).all()


@pytest.mark.parametrize("config", [CONFIG, EVERYTHING], ids=["plain", "everything"])
def test_nothing_it_says_changes_with_the_future(config: AlphasConfig) -> None:
    here = make_signal(config).replay(frames(), forecasts())
    said = forecasts().copy()
    said[CUT:] = 1.0 - said[CUT:] ** 2
    there = make_signal(config).replay(perturb(frames(), CUT, np.random.default_rng(4)), said)
    assert bits(here, CUT) == bits(there, CUT)
    assert here.edge[CUT:].tobytes() != there.edge[CUT:].tobytes()


def test_scores_are_winsorised_and_neutral_and_their_sum_is_ranked() -> None:
    signal = make_signal(EVERYTHING)
    assert signal.names == ("alpha_momentum_10_2", "alpha_reversal_2", "alpha_rsi_2", FORECAST)
    said = signal.replay(frames(), forecasts())
    close = frames().close
    sectors = np.array([1, 1, 0, 0])
    t = 100
    window = close[t - 19 : t + 1]
    zscore = (close[t] - window.mean(axis=0)) / window.std(axis=0, ddof=1)
    assert not frames().present[t, 1]  # its score is not known, whatever its features were in the last bar
    zscore[1] = np.nan
    for k, score in ((1, 1.0 - close[t] / close[t - 2]), (3, forecasts()[t])):
        expected = neutralise(winsorise(np.where(np.isnan(zscore), np.nan, score), 0.01), [zscore], sectors)
        assert said.scores[k, t] == pytest.approx(expected, nan_ok=True, abs=1e-12)
        assert np.nansum(said.scores[k, t, :2]) == pytest.approx(0.0, abs=1e-12)
    total = said.weights[t] @ np.nan_to_num(standardise(said.scores[:, t]))
    assert said.score[t] == pytest.approx(np.where(np.isnan(zscore), np.nan, total), nan_ok=True)
    assert said.edge[t].tolist() == pytest.approx(rank(said.score[t]).tolist(), nan_ok=True)


def test_an_alpha_that_knows_what_comes_gets_the_weight() -> None:
    close = frames().close
    foresight = np.full(close.shape, np.nan)
    foresight[:-3] = close[3:] / close[:-3] - 1.0
    said = make_signal().replay(frames(), foresight)
    assert (said.weights[100:, 3] > 0.6).all()
    assert said.weights[9, 3] == 0.25  # before there are payoffs, all have the same
    without = make_signal(CONFIG.model_copy(update={"forecast": False})).replay(frames(), foresight)
    assert without.weights.shape[1] == 3


def test_sizing_reads_the_edge_and_an_abstention_is_no_opinion() -> None:
    edge = np.array([-0.8, 0.0, 0.4, np.nan])
    probability = edge_probability(edge)
    assert forecast_score(probability) == pytest.approx(edge, nan_ok=True)
    assert np.isnan(probability[3, [Direction.UP, Direction.DOWN]]).all()
    abstain = np.array([0, 0, AbstainReason.DISAGREEMENT, 0], dtype=np.int8)
    assert np.isnan(forecast_score(probability, abstain)).tolist() == [False, False, True, True]


def test_a_state_of_other_alphas_is_refused_and_so_is_a_frame_out_of_order() -> None:
    signal = make_signal()
    signal.replay(frames().rows(0, 10, first_seq=0))
    with pytest.raises(RecoveryError, match="must be of alphas"):
        make_signal(CONFIG.model_copy(update={"horizon_bars": 4})).restore(signal.snapshot())
    with pytest.raises(DataValidationError, match="seq must be 10, was 12"):
        signal.update(frames().rows(12, 13, first_seq=12).frame(12), forecasts()[0])


def test_what_is_no_column_cannot_be_neutral_to() -> None:
    with pytest.raises(ConfigurationError, match=r"stat_zscore_\*"):
        make_signal(CONFIG.model_copy(update={"neutral_to": ("stat_zscore_*",)}))
    with pytest.raises(ConfigurationError, match="did you mean stat_zscore_20_close"):
        make_signal(CONFIG.model_copy(update={"neutral_to": ("stat_zscore_20_clos",)}))
