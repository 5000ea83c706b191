"""Weights are within limits, and SLSQP finds none that are nearer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from outcry.alphas.limits import Limits, project
from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray


@st.composite
def drawn_limits(draw: st.DrawFn, n_alphas: int) -> Limits:
    high = draw(st.floats(1.2 / n_alphas, 1.0))
    low = draw(st.sampled_from([0.0, -0.2, 0.05]))
    return Limits(
        total=1.0,
        low=min(low, 0.8 / n_alphas),
        high=high,
        max_turnover=draw(st.one_of(st.none(), st.floats(0.05, 1.5))),
        min_effective=draw(st.one_of(st.none(), st.floats(1.0, n_alphas))),
    )


def slsqp_constraints(limits: Limits, previous: FloatArray | None) -> list[dict[str, object]]:
    """Return the limits as SLSQP takes them, for w followed by what bounds the size of each change."""
    n = 0 if previous is None else len(previous)
    constraints: list[dict[str, object]] = [{"type": "eq", "fun": lambda x: x[: len(x) - n].sum() - limits.total}]
    if limits.min_effective is not None:
        constraints.append(
            {"type": "ineq", "fun": lambda x: 1.0 / limits.min_effective - x[: len(x) - n] @ x[: len(x) - n]}
        )
    if previous is not None and limits.max_turnover is not None:
        constraints += [
            {"type": "ineq", "fun": lambda x: x[n:] - (x[:n] - previous)},
            {"type": "ineq", "fun": lambda x: x[n:] + (x[:n] - previous)},
            {"type": "ineq", "fun": lambda x: limits.max_turnover - x[n:].sum()},
        ]
    return constraints


def check_within(weights: FloatArray, limits: Limits, previous: FloatArray | None) -> None:
    assert weights.sum() == pytest.approx(limits.total)
    assert (weights >= limits.low - 1e-12).all()
    assert (weights <= limits.high + 1e-12).all()
    if limits.min_effective is not None:
        assert limits.total**2 / (weights @ weights) >= min(limits.min_effective, len(weights)) * (1 - 1e-6)
    if previous is not None and limits.max_turnover is not None:
        assert np.abs(weights - previous).sum() <= limits.max_turnover + 1e-9


@settings(max_examples=50)
@given(data=st.data(), seed=st.integers(0, 10_000), n_alphas=st.integers(2, 6), has_previous=st.booleans())
def test_the_nearest_weights_are_those_of_slsqp(
    data: st.DataObject, seed: int, n_alphas: int, has_previous: bool
) -> None:
    limits = data.draw(drawn_limits(n_alphas))
    rng = np.random.default_rng(seed)
    wanted = rng.normal(0.0, 1.0, n_alphas)
    previous = project(rng.normal(0.0, 1.0, n_alphas), limits) if has_previous else None
    found = project(wanted, limits, previous)
    check_within(found, limits, previous)
    if previous is not None:
        check_within(previous, limits, None)
    n = n_alphas if previous is not None else 0
    start = found if previous is None else np.concatenate((previous, np.zeros(n)))
    theirs = minimize(
        lambda x: ((x[:n_alphas] - wanted) ** 2).sum(),
        start,
        method="SLSQP",
        bounds=[(limits.low, limits.high)] * n_alphas + [(0.0, None)] * n,
        constraints=slsqp_constraints(limits, previous),
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert ((found - wanted) ** 2).sum() <= theirs.fun + 1e-5


@given(seed=st.integers(0, 10_000), n_alphas=st.integers(2, 6))
def test_weights_within_limits_stay(seed: int, n_alphas: int) -> None:
    limits = Limits(low=-0.1, high=0.9, min_effective=1.5, max_turnover=0.3)
    once = project(np.random.default_rng(seed).normal(size=n_alphas), limits)
    assert project(once, limits, once) == pytest.approx(once, abs=1e-9)


def test_two_alphas_by_hand() -> None:
    assert project(np.array([0.9, 0.3]), Limits()) == pytest.approx([0.8, 0.2])
    assert project(np.array([5.0, 0.0]), Limits(high=0.7)) == pytest.approx([0.7, 0.3])
    assert project(np.array([5.0, 0.0]), Limits(max_turnover=0.2), np.array([0.5, 0.5])) == pytest.approx([0.6, 0.4])
    # 1/(w^2 + (1 - w)^2) = 1.6 at w = (1 + sqrt(1/4))/2
    assert project(np.array([5.0, 0.0]), Limits(min_effective=1.6)) == pytest.approx([0.75, 0.25], abs=1e-6)
    assert project(np.array([5.0, 0.0]), Limits(min_effective=9.0)) == pytest.approx([0.5, 0.5], abs=1e-4)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"total": 0.0}, r"total must be positive, was 0\.0"),
        ({"low": 1.0}, r"low must be less than high 1\.0, both finite, was 1\.0"),
        ({"max_turnover": 0.0}, r"max_turnover must be positive, was 0\.0"),
        ({"min_effective": 0.5}, r"min_effective must be at least 1, was 0\.5"),
    ],
)
def test_values_that_break_a_rule_are_refused(values: dict[str, float], rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        Limits(**values)


@pytest.mark.parametrize("n_alphas", [3, 49, 98])
def test_bounds_that_leave_one_choice_are_kept(n_alphas: int) -> None:
    share = 1.0 / n_alphas
    assert project(np.arange(n_alphas) * 1.0, Limits(high=share)) == pytest.approx(np.full(n_alphas, share))
    assert project(np.arange(n_alphas) * 1.0, Limits(low=share)) == pytest.approx(np.full(n_alphas, share))


def test_bounds_that_no_weights_can_keep_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"bounds 0\.0 to 0\.3 must let 3 alphas sum to total 1\.0"):
        project(np.zeros(3), Limits(high=0.3))
