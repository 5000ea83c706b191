"""Hidden states are those of hmmlearn on each prefix: filtered forward, and never smoothed."""

from typing import Any

import numpy as np
from hmmlearn.hmm import GaussianHMM
from hypothesis import given
from hypothesis import strategies as st

from outcry.models.combiners.hidden_markov import GaussianStates, StateFilter

OWN = np.array([0, 1])


def draw(seed: int, n_states: int = 3, n_features: int = 2) -> tuple[GaussianHMM, GaussianStates]:
    """Return the same model in both forms."""
    rng = np.random.default_rng(seed)
    spread = rng.normal(size=(n_states, n_features, n_features))
    model = GaussianHMM(n_states, covariance_type="full")
    model.n_features = n_features
    model.startprob_ = rng.dirichlet(np.ones(n_states))
    model.transmat_ = rng.dirichlet(np.ones(n_states), size=n_states)
    model.means_ = 2.0 * rng.normal(size=(n_states, n_features))
    model.covars_ = spread @ spread.transpose(0, 2, 1) + 0.3 * np.eye(n_features)
    return model, states_of(model)


def states_of(model: Any) -> GaussianStates:
    whiteners = [np.linalg.inv(np.linalg.cholesky(covariance)) for covariance in model.covars_]
    return GaussianStates.model_validate(
        {
            "features": ["a", "b"],
            "start": model.startprob_.tolist(),
            "transition": model.transmat_.tolist(),
            "means": model.means_.tolist(),
            "whiteners": [np.tril(whitener).tolist() for whitener in whiteners],
        }
    )


@given(seed=st.integers(0, 2**32 - 1))
def test_states_are_those_that_hmmlearn_gives_the_last_row_of_each_prefix(seed: int) -> None:
    model, states = draw(seed)
    rows = 2.0 * np.random.default_rng(seed).normal(size=(12, 2))
    state_filter = StateFilter(states)
    arrays = state_filter.begin(1)
    filtered = state_filter.advance(arrays, rows[:, np.newaxis].copy(), OWN, is_market=False)[:, 0]
    for t in range(len(rows)):
        np.testing.assert_allclose(filtered[t], model.predict_proba(rows[: t + 1])[-1], rtol=0.0, atol=1e-10)


def test_a_chain_that_observes_nothing_moves_by_the_transition_alone() -> None:
    model, states = draw(3)
    rows = np.random.default_rng(3).normal(size=(6, 1, 2))
    rows[[0, 3, 4], 0, [0, 1, 0]] = np.nan
    state_filter = StateFilter(states)
    filtered = state_filter.advance(state_filter.begin(1), rows, OWN, is_market=False)[:, 0]
    assert not filtered[0].any()
    np.testing.assert_allclose(filtered[1], model.predict_proba(rows[1:2, 0])[-1], atol=1e-12)
    np.testing.assert_allclose(filtered[4], filtered[2] @ model.transmat_ @ model.transmat_, atol=1e-12)


def test_a_market_is_the_mean_of_the_symbols_that_are_known() -> None:
    _, states = draw(4)
    rows = np.random.default_rng(4).normal(size=(20, 3, 2))
    rows[:, 1] = np.nan
    state_filter = StateFilter(states)
    market = state_filter.advance(state_filter.begin(1), rows, OWN, is_market=True)
    mean = np.ascontiguousarray(rows[:, [0, 2]].mean(axis=1, keepdims=True))
    alone = state_filter.advance(state_filter.begin(1), mean, OWN, is_market=False)
    np.testing.assert_allclose(market, alone, rtol=0.0, atol=1e-12)


def test_what_no_state_explains_leaves_probabilities_that_add_up_to_one() -> None:
    _, states = draw(5)
    rows = np.full((4, 1, 2), 1e8)
    rows[2] = np.inf
    state_filter = StateFilter(states)
    filtered = state_filter.advance(state_filter.begin(1), rows, OWN, is_market=False)
    np.testing.assert_allclose(filtered.sum(axis=2), 1.0)
