"""The best trial is weighed against all that are known, not only those of its own sweep."""

import json

import numpy as np
import pytest

from outcry.backtest.analytics.deflated_sharpe import deflated_sharpe, sharpe_by_trial
from outcry.backtest.analytics.significance import probabilistic_sharpe
from outcry.backtest.analytics.sweep_evidence import weigh_sweep

N_SESSIONS, N_TRIALS = 240, 12


def luck(seed: int, n: int = N_TRIALS) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, (N_SESSIONS, n))


def weigh(returns: np.ndarray, sharpes: np.ndarray, failed: tuple[int, ...] = ()):
    kept = {place: returns[:, place] for place in range(returns.shape[1]) if place not in failed}
    objective = np.where(np.isin(np.arange(returns.shape[1]), failed), np.nan, sharpe_by_trial(returns))
    points = [{"portfolio.max_positions": place} for place in range(returns.shape[1])]
    return weigh_sweep(points, objective, kept, sharpes, 252.0)


def test_trials_of_earlier_sweeps_raise_the_bar():
    returns = luck(1)
    own = sharpe_by_trial(returns)
    alone = weigh(returns, own)
    after_many = weigh(returns, np.concatenate([own, sharpe_by_trial(luck(2, 500))]))
    assert (alone.n_trials, after_many.n_trials) == (N_TRIALS, N_TRIALS + 500)
    assert after_many.deflated.deflated_sharpe_frac < alone.deflated.deflated_sharpe_frac
    assert after_many.overfitting.pbo_frac == alone.overfitting.pbo_frac
    assert any("luck would make it" in caution for caution in after_many.cautions)


def test_trials_in_another_order_give_the_same_evidence():
    returns = luck(3)
    order = np.random.default_rng(4).permutation(N_TRIALS)
    one, other = weigh(returns, sharpe_by_trial(returns)), weigh(returns[:, order], sharpe_by_trial(returns[:, order]))
    assert other.deflated.deflated_sharpe_frac == pytest.approx(one.deflated.deflated_sharpe_frac)
    assert other.overfitting.pbo_frac == one.overfitting.pbo_frac


def test_failed_trials_are_counted_and_left_out():
    returns = luck(5)
    kept = [place for place in range(N_TRIALS) if place not in (0, 7)]
    evidence = weigh(returns, sharpe_by_trial(returns[:, kept]), failed=(0, 7))
    assert evidence.overfitting.n_trials == evidence.deflated.n_trials == N_TRIALS - 2
    assert evidence.sensitivity.n_failed == 2
    assert evidence.cautions[-1].startswith("2 of 12 trials failed")


def test_sweep_in_which_all_failed_has_cautions_only():
    evidence = weigh(luck(6), np.empty(0), failed=tuple(range(N_TRIALS)))
    assert (evidence.deflated, evidence.overfitting, evidence.sensitivity) == (None, None, None)
    assert evidence.cautions


def test_record_is_json():
    returns = luck(7)
    record = json.loads(json.dumps(weigh(returns, sharpe_by_trial(returns)).to_record()))
    assert record["n_trials"] == N_TRIALS
    assert 0 <= record["overfitting"]["pbo_frac"] <= 1
    assert "logits" not in record["overfitting"]
    assert record["sharpes"] == pytest.approx(sharpe_by_trial(returns).tolist())


def test_a_trial_without_a_ratio_is_null_in_the_record():
    returns = luck(8)
    known = np.append(sharpe_by_trial(returns), np.nan)
    evidence = weigh(returns, known)
    assert len(evidence.sharpes) == evidence.n_trials == N_TRIALS + 1
    assert json.loads(json.dumps(evidence.to_record()))["sharpes"][-1] is None


def test_the_convincing_ratio_is_where_the_deflated_one_is_095():
    returns = luck(9)
    returns[:, 3] += 0.004 + 0.02 * (returns[:, 3] > 0.02)  # skewed
    sharpes = sharpe_by_trial(returns)
    deflated = deflated_sharpe(returns[:, 3], sharpes)
    enough = deflated.convincing_sharpe
    assert enough > deflated.expected_max_sharpe
    moved = returns[:, 3] + (enough - deflated.sharpe) * returns[:, 3].std(ddof=1)
    assert sharpe_by_trial(moved[:, np.newaxis])[0] == pytest.approx(enough)
    assert probabilistic_sharpe(moved, deflated.expected_max_sharpe) == pytest.approx(0.95)
