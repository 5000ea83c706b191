"""The expected improvement is that of the definition, and the process that of its formulas."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor

from configs.search import Acquisition
from training.search.surrogate import SurrogateProposer, _fit, expected_improvement


@pytest.mark.parametrize(("mean", "deviation", "best"), [(0.0, 1.0, 0.5), (2.0, 0.3, 1.0), (-1.0, 2.0, 3.0)])
def test_expected_improvement_is_the_integral(mean, deviation, best):
    found = expected_improvement(np.array([mean]), np.array([deviation]), best)[0]
    wanted, _ = quad(lambda y: (y - best) * norm.pdf(y, mean, deviation), best, best + 40.0)
    assert found == pytest.approx(wanted, rel=1e-6)


def test_expected_improvement_rises_with_mean_and_deviation():
    mean, deviation = np.linspace(-2.0, 2.0, 9), np.linspace(0.1, 3.0, 9)
    assert (np.diff(expected_improvement(mean, np.ones(9), 0.5)) > 0).all()
    assert (np.diff(expected_improvement(np.zeros(9), deviation, 0.5)) > 0).all()


@pytest.mark.parametrize("acquisition", list(Acquisition))
def test_batch_is_that_of_refits_that_believe_the_mean(acquisition):
    rng = np.random.default_rng(2)
    traded, candidates = rng.random((12, 2)), rng.random((60, 2))
    values = np.sin(6 * traded[:, 0]) + traded[:, 1] ** 2
    values = (values - values.mean()) / values.std()
    surrogate = _fit(traded, values)
    noise = surrogate.kernel_.k2.noise_level
    proposer = SurrogateProposer(0, 6, 12, acquisition, ucb_deviations=2.0)
    rows, known, wanted = traded, values, []
    for _ in range(6):
        process = GaussianProcessRegressor(surrogate.kernel_, optimizer=None).fit(rows, known)
        mean, deviation = process.predict(candidates, return_std=True)
        deviation = np.sqrt(np.maximum(deviation**2 - noise, 1e-12))
        if acquisition is Acquisition.UCB:
            worth = mean + 2.0 * deviation
        else:
            worth = expected_improvement(mean, deviation, process.predict(rows).max())
        worth[wanted] = -np.inf
        wanted.append(int(worth.argmax()))
        rows = np.concatenate([rows, candidates[wanted[-1:]]])
        known = np.append(known, mean[wanted[-1]])
    assert proposer._choose(surrogate, traded, candidates) == wanted
    assert len(set(wanted)) == 6
