"""Scores are graded by the returns that follow, and what an order cannot earn is told apart."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from outcry.backtest.analytics.alpha_skill import alpha_correlations, alpha_skill
from outcry.labels.forward import forward_returns
from outcry.market.frame import FloatArray

N_FRAMES, N_SYMBOLS, HORIZON = 200, 12, 3


def make_market(seed: int) -> tuple[FloatArray, FloatArray]:
    """Return scores, some of them unknown, and closes that move by themselves."""
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (N_FRAMES, N_SYMBOLS)), axis=0))
    score = rng.normal(size=close.shape)
    score[rng.random(score.shape) < 0.1] = np.nan
    score[:20] = np.nan
    return score, close


def test_figures_are_those_of_scipy_frame_by_frame() -> None:
    score, close = make_market(1)
    found = alpha_skill(score, close, HORIZON, (1, HORIZON))
    for begins, told in ((0, found.rank_ic), (1, found.late_rank_ic)):
        by_frame = []
        for t in range(20, N_FRAMES - HORIZON - begins):
            known = np.isfinite(score[t])
            came = close[t + begins + HORIZON] / close[t + begins] - 1.0
            by_frame.append(spearmanr(score[t, known], came[known]).statistic)
        assert told is not None
        assert told.mean == pytest.approx(np.mean(by_frame))
        assert told.low < told.mean < told.high
        if not begins:
            assert found.rank_icir == pytest.approx(np.mean(by_frame) / np.std(by_frame, ddof=1))
            assert found.decay[1] == pytest.approx(told.mean)
    assert found.n_frames == N_FRAMES - 20


def test_an_alpha_that_knows_has_skill_and_one_that_guesses_has_none() -> None:
    score, close = make_market(2)
    guess = alpha_skill(score, close, HORIZON, (1,))
    knows = alpha_skill(score + 30.0 * np.nan_to_num(forward_returns(close, HORIZON)), close, HORIZON, (1,))
    assert guess.rank_ic is not None
    assert abs(guess.rank_ic.t) < 3.0
    assert guess.hit is not None
    assert guess.hit.low < 0.5 < guess.hit.high
    assert knows.rank_ic is not None
    assert knows.rank_ic.t > 10.0
    assert knows.hit is not None
    assert knows.hit.low > 0.6


def test_prices_that_bounce_are_skill_only_where_nobody_can_trade() -> None:
    rng = np.random.default_rng(3)
    value = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.002, (N_FRAMES, N_SYMBOLS)), axis=0))
    close = value * (1.0 + 0.002 * rng.choice([-1.0, 1.0], value.shape))  # at the bid, or at the ask
    reversal = np.full(close.shape, np.nan)
    reversal[1:] = 1.0 - close[1:] / close[:-1]
    found = alpha_skill(reversal, close, 1, (1,))
    assert found.rank_ic is not None
    assert found.rank_ic.t > 10.0
    assert found.late_rank_ic is not None
    assert abs(found.late_rank_ic.t) < 3.0


def test_correlations_are_of_the_places_that_all_know() -> None:
    score, _ = make_market(4)
    other, _ = make_market(5)
    found = alpha_correlations(np.stack((score, 2.0 * score + 1.0, score + 0.5 * other, np.where(score > 9, 1.0, 0.0))))
    assert found[0, 1] == pytest.approx(1.0)
    assert 0.8 < found[0, 2] < 0.97
    assert np.isnan(found[3]).all()


def test_too_few_frames_give_no_figure() -> None:
    score, close = make_market(1)
    found = alpha_skill(score[:40], close[:40], HORIZON, (1,))
    assert (found.rank_ic, found.rank_icir, found.hit, found.decay) == (None, None, None, (None,))
