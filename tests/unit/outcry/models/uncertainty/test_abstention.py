"""What a run abstains on is a function of its frames: whole, cut by a restart, or fed with more symbols' history."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.messages import AbstainReason
from outcry.models.uncertainty.abstain import AbstainRule
from outcry.models.uncertainty.abstention import Abstention
from outcry.models.uncertainty.adaptive_sets import AdaptiveSets
from outcry.models.uncertainty.coverage import CoverageMonitor
from outcry.models.uncertainty.spread import measure_spread
from training.conformal import fit_prediction_sets

N_SYMBOLS, HORIZON = 4, 2


def _abstention(alpha: float = 0.4, gamma: float = 0.05) -> Abstention:
    rng = np.random.default_rng(0)
    fitted = fit_prediction_sets(rng.dirichlet((1, 1, 1), 300), rng.integers(0, 3, 300).astype(np.int8))
    return Abstention(
        AbstainRule(single_direction=True, min_agreement_frac=0.6),
        AdaptiveSets(fitted, alpha, gamma, HORIZON, N_SYMBOLS),
        CoverageMonitor(alpha, HORIZON, 64),
    )


def _market(seed: int, n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return members (3, n_frames, n_symbols, 3) with gaps, and what became of the frame a horizon before each."""
    rng = np.random.default_rng(seed)
    settled = rng.integers(-1, 3, (n_frames, N_SYMBOLS)).astype(np.int8)
    settled[:HORIZON] = -1
    members = rng.dirichlet((0.3, 0.3, 0.3), (3, n_frames, N_SYMBOLS))
    members[:, rng.random(settled.shape) < 0.05] = np.nan
    return members, settled


def _feed(abstention: Abstention, members: np.ndarray, settled: np.ndarray) -> list[int]:
    spread = measure_spread(members)
    return abstention.update(spread.mean, settled, spread).tolist()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), restart=st.integers(0, 39))
def test_a_restart_changes_no_bit(seed: int, restart: int) -> None:
    members, settled = _market(seed, 40)
    whole, cut = _abstention(), _abstention()
    for t in range(40):
        assert _feed(whole, members[:, t], settled[t]) == _feed(cut, members[:, t], settled[t])
        np.testing.assert_array_equal(cut.sets, whole.sets)
        assert cut.coverage == whole.coverage
        if t == restart:
            state = cut.snapshot()
            _feed(cut, members[:, 0], settled[0])
            cut = _abstention()
            cut.restore(state)


def test_sets_are_graded_by_what_became_of_their_frame() -> None:
    members, settled = _market(3, 300)
    members = np.nan_to_num(members, nan=1 / 3)
    abstention = _abstention(gamma=0.0)
    made = []
    for t in range(300):
        _feed(abstention, members[:, t], settled[t])
        made.append(abstention.sets)
    frame, symbol = np.nonzero(settled >= 0)
    is_covered = np.array(made)[frame - HORIZON, symbol, settled[frame, symbol].astype(np.int64)]
    is_seen = frame >= 300 - 64
    assert abstention.snapshot()["coverage"].sum(axis=0).tolist() == [is_covered[is_seen].sum(), is_seen.sum()]


def test_a_replay_is_frame_after_frame() -> None:
    members, settled = _market(4, 50)
    spread = measure_spread(members.reshape(3, -1, 3))
    streamed, replayed = _abstention(), _abstention()
    found = replayed.replay(spread.mean.reshape(50, N_SYMBOLS, 3), settled, spread)
    for t in range(50):
        assert _feed(streamed, members[:, t], settled[t]) == found[t].tolist()
    assert 0 < (found != 0).mean() < 1


def test_members_that_name_other_classes_abstain_beside_the_sets() -> None:
    abstention, unknown = _abstention(alpha=0.6), np.full(N_SYMBOLS, -1, dtype=np.int8)
    up, down = np.tile([0.9, 0.06, 0.04], (N_SYMBOLS, 1)), np.tile([0.1, 0.2, 0.7], (N_SYMBOLS, 1))
    assert not any(_feed(abstention, np.stack((up, up, up)), unknown))
    spread = measure_spread(np.stack((up, down)))
    assert (abstention.update(up, unknown, spread) == AbstainReason.AGREEMENT).all()
