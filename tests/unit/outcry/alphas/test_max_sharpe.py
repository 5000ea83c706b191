"""No weights within the limits earn more for their risk: not those of SLSQP, nor the closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from outcry.alphas.limits import Limits, project
from outcry.alphas.max_sharpe import max_sharpe_weights
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray


def make_past(seed: int, n_alphas: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance of the returns of alphas of daily size, some of them nearly alike."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n_alphas, n_alphas)) + rng.normal(size=n_alphas)
    returns = 0.001 * rng.normal(size=(250, n_alphas)) @ mixed + rng.normal(5e-5, 2e-4, n_alphas)
    return returns.mean(axis=0), np.cov(returns.T)


def ratio(weights: FloatArray, mean: FloatArray, covariance: FloatArray, ridge_frac: float) -> float:
    risk = covariance + ridge_frac * np.trace(covariance) / len(mean) * np.eye(len(mean))
    return float(mean @ weights / np.sqrt(weights @ risk @ weights))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    n_alphas=st.integers(2, 8),
    ridge_frac=st.sampled_from([0.001, 0.1, 1.0]),
    high=st.floats(0.55, 1.0),
    min_effective=st.one_of(st.none(), st.floats(1.0, 2.0)),
)
def test_slsqp_finds_no_better_weights(
    seed: int, n_alphas: int, ridge_frac: float, high: float, min_effective: float | None
) -> None:
    mean, covariance = make_past(seed, n_alphas)
    limits = Limits(high=high, min_effective=min_effective)
    found = max_sharpe_weights(mean, covariance, ridge_frac, limits)
    assert project(found, limits) == pytest.approx(found, abs=1e-6)
    if mean.max() <= 0.0 or mean @ found <= 0.0:
        return
    constraints = [{"type": "eq", "fun": lambda w: w.sum() - 1.0}]
    if min_effective is not None:
        constraints.append({"type": "ineq", "fun": lambda w: 1.0 / min_effective - w @ w})
    for start in (found, project(mean / np.abs(mean).max(), limits), np.full(n_alphas, 1.0 / n_alphas)):
        theirs = minimize(
            lambda w: -ratio(w, mean, covariance, ridge_frac),
            start,
            method="SLSQP",
            bounds=[(0.0, high)] * n_alphas,
            constraints=constraints,
            options={"ftol": 1e-14, "maxiter": 300},
        )
        within = project(theirs.x, limits)
        assert ratio(found, mean, covariance, ridge_frac) >= ratio(within, mean, covariance, ridge_frac) * (1 - 1e-5)


@given(seed=st.integers(0, 10_000), n_alphas=st.integers(1, 6))
def test_where_no_bound_is_met_the_weights_are_the_closed_form(seed: int, n_alphas: int) -> None:
    rng = np.random.default_rng(seed)
    mean = rng.uniform(0.5, 1.0, n_alphas)
    loadings = 0.2 * rng.normal(size=(n_alphas, 2))
    covariance = np.eye(n_alphas) + loadings @ loadings.T
    expected = np.linalg.solve(covariance + 0.1 * np.trace(covariance) / n_alphas * np.eye(n_alphas), mean)
    expected /= expected.sum()
    found = max_sharpe_weights(mean, covariance, 0.1, Limits(low=-5.0, high=5.0))
    assert found == pytest.approx(expected, abs=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), max_turnover=st.floats(0.02, 0.5))
def test_turnover_is_kept_and_spent_for_a_better_ratio(seed: int, max_turnover: float) -> None:
    mean, covariance = make_past(seed, 5)
    limits, previous = Limits(max_turnover=max_turnover), np.full(5, 0.2)
    found = max_sharpe_weights(np.abs(mean), covariance, 0.1, limits, previous)
    free = max_sharpe_weights(np.abs(mean), covariance, 0.1, Limits())
    ratios = [ratio(w, np.abs(mean), covariance, 0.1) for w in (previous, found, free)]
    assert np.abs(found - previous).sum() <= max_turnover + 1e-9
    assert ratios[0] <= ratios[1] * (1 + 1e-7)
    assert ratios[1] <= ratios[2] * (1 + 1e-7)
    # the ratio is quasi-concave, so it rises along the line to the best weights
    part = min(1.0, max_turnover / max(np.abs(free - previous).sum(), 1e-12))
    assert ratios[1] >= ratio(previous + part * (free - previous), np.abs(mean), covariance, 0.1) * (1 - 1e-6)


def test_where_nothing_earns_the_weights_have_least_variance() -> None:
    covariance = np.diag([1.0, 4.0])
    found = max_sharpe_weights(np.array([-0.1, -0.2]), covariance, 0.0, Limits())
    assert found == pytest.approx([0.8, 0.2], abs=1e-6)
    assert max_sharpe_weights(np.zeros(2), np.zeros((2, 2)), 0.1, Limits()) == pytest.approx([0.5, 0.5])


def test_alphas_that_cancel_have_a_ratio() -> None:
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]])
    found = max_sharpe_weights(np.array([0.3, 0.1]), covariance, 0.0, Limits())
    assert found == pytest.approx([0.5, 0.5], abs=1e-3)


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"ridge_frac must not be negative, was -0\.1"):
        max_sharpe_weights(np.ones(2), np.eye(2), -0.1, Limits())
    with pytest.raises(DataValidationError, match="mean and covariance of alphas must be finite"):
        max_sharpe_weights(np.array([1.0, np.nan]), np.eye(2), 0.1, Limits())
