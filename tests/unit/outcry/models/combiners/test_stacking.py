"""A model over members says what scikit-learn's says of the same inputs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from outcry.models.combiners.stacking import Stacking, StackingSpec

FEATURES = ({"name": "a", "mean": 0.5, "deviation": 2.0},)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_logistic_model_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet((1.0, 1.0, 1.0), size=(2, 90))
    feature = rng.normal(size=(90, 1))
    log = np.log(np.maximum(probability, 1e-6))
    odds = [log[k, :, c] - log[k, :, 1] for k in range(2) for c in (0, 2)]
    inputs = np.column_stack([*odds, (feature - 0.5) / 2.0])
    model = LogisticRegression(max_iter=500).fit(inputs, np.tile([0, 1, 2], 30))
    spec = StackingSpec.model_validate(
        {"link": "softmax", "intercepts": model.intercept_, "coefficients": model.coef_.tolist(), "features": FEATURES}
    )
    answer = Stacking(spec).combine(probability, feature, np.array([0]))
    np.testing.assert_allclose(answer, model.predict_proba(inputs), rtol=0.0, atol=1e-12)


def test_odds_of_a_member_taken_as_they_are_give_back_what_it_said() -> None:
    probability = np.random.default_rng(0).dirichlet((1.0, 1.0, 1.0), size=(2, 50))
    as_it_is = ((0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    spec = StackingSpec(link="softmax", intercepts=(0.0, 0.0, 0.0), coefficients=as_it_is)
    answer = Stacking(spec).combine(probability, np.empty((50, 0)), np.empty(0, dtype=np.int64))
    np.testing.assert_allclose(answer, probability[1], rtol=0.0, atol=1e-12)


def test_an_indicator_model_is_clipped_and_an_unknown_feature_counts_as_its_mean() -> None:
    said = np.full((1, 2, 3), 1 / 3)
    slopes = ((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    spec = StackingSpec.model_validate(
        {"link": "clip", "intercepts": (0.4, 0.3, 0.3), "coefficients": slopes, "features": FEATURES}
    )
    answer = Stacking(spec).combine(said, np.array([[np.nan], [2.5]]), np.array([0]))
    np.testing.assert_allclose(answer, [[0.4, 0.3, 0.3], [1.4 / 1.700001, 0.3 / 1.700001, 1e-6 / 1.700001]])


def test_a_member_that_says_nothing_leaves_nothing_to_say() -> None:
    said = np.array([[[0.2, 0.3, 0.5]], [[np.nan] * 3]])
    spec = StackingSpec(link="softmax", intercepts=(0.0, 0.0, 0.0), coefficients=((1.0, 0.0, 1.0, 0.0),) * 3)
    answer = Stacking(spec).combine(said, np.empty((1, 0)), np.empty(0, dtype=np.int64))
    assert np.isnan(answer).all()
