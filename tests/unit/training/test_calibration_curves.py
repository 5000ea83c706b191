"""The curves are the maximum likelihood of their formulas, and the knots follow them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.calibration import _SigmoidCalibration

from training.calibration_curves import KNOT_TOLERANCE, LogisticCurve, fit_beta, fit_platt, knots_of


def _sample(seed: int, n_rows: int, a: float, b: float, c: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what was said, and hits whose odds are those of the beta curve a, b, c."""
    rng = np.random.default_rng(seed)
    said = rng.beta(2.0, 3.0, n_rows)
    return said, rng.random(n_rows) < LogisticCurve(a, b, c)(said)


@pytest.mark.parametrize(("a", "c"), [(1.0, 0.0), (0.4, -0.5), (2.5, 1.0)])
def test_the_sigmoid_is_that_of_scikit_learn_on_the_log_odds(a: float, c: float) -> None:
    said, is_hit = _sample(1, 3_000, a, a, c)
    oracle = _SigmoidCalibration().fit(np.log(said / (1 - said)), is_hit)
    found = fit_platt(said, is_hit)
    np.testing.assert_allclose((found.a, found.b, found.c), (-oracle.a_, -oracle.a_, -oracle.b_), atol=2e-3)
    assert found.a == pytest.approx(a, abs=0.15)


@pytest.mark.parametrize(
    "truth", [(1.0, 1.0, 0.0), (0.3, 2.0, 0.2), (2.0, 0.1, -0.4), (-1.0, 1.5, 0.0), (1.5, -1.0, 0.0)]
)
def test_the_beta_curve_has_the_largest_likelihood_that_scipy_finds(truth: tuple[float, float, float]) -> None:
    said, is_hit = _sample(2, 3_000, *truth)
    n_hits = is_hit.sum()
    target = np.where(is_hit, (n_hits + 1) / (n_hits + 2), 1 / (len(is_hit) - n_hits + 2))
    design = np.column_stack((np.log(said), -np.log1p(-said), np.ones(len(said))))

    def loss(weights: np.ndarray) -> float:
        z = design @ weights
        return float((np.logaddexp(0, z) - target * z).sum())

    oracle = minimize(loss, (0.5, 0.5, 0.0), method="L-BFGS-B", bounds=[(0, None), (0, None), (None, None)])
    found = fit_beta(said, is_hit)
    assert loss(np.array([found.a, found.b, found.c])) <= oracle.fun + 1e-4
    np.testing.assert_allclose((found.a, found.b, found.c), oracle.x, atol=0.02)
    assert min(found.a, found.b) >= 0


@pytest.mark.parametrize("fit", [fit_platt, fit_beta])
@pytest.mark.parametrize("is_hit", [[True] * 4, [False] * 4, [False, False, True, True], [True, True, False, False]])
@pytest.mark.parametrize("said", [[0.3] * 4, [0.0, 0.2, 0.7, 1.0]])
def test_few_rows_of_one_kind_make_no_certainty(fit, is_hit, said) -> None:
    mapped = fit(np.array(said), np.array(is_hit))(np.linspace(0, 1, 101))
    assert (np.diff(mapped) >= 0).all()
    assert 0 < mapped[0] <= mapped[-1] < 1


@given(
    a=st.floats(0, 30), b=st.floats(0, 30), c=st.floats(-10, 10), at=st.lists(st.floats(0, 1), min_size=1, max_size=20)
)
def test_knots_follow_their_curve_everywhere(a: float, b: float, c: float, at: list[float]) -> None:
    curve = LogisticCurve(a, b, c)
    raw, calibrated = knots_of(curve)
    assert (np.diff(raw) > 0).all()
    assert (np.diff(calibrated) >= 0).all()
    assert 0 < calibrated[0] <= calibrated[-1] <= 1
    everywhere = np.concatenate((at, np.linspace(0, 1, 5_001), 10.0 ** np.linspace(-9, 0, 200)))
    error = np.abs(np.interp(everywhere, raw, calibrated) - curve(everywhere))
    assert error.max() <= KNOT_TOLERANCE
    assert len(raw) < 1_000
