"""Settings build what judges the forecasts of a run, for the label and the sets of a bundle."""

import numpy as np
import pytest

from configs.uncertainty import UncertaintyConfig
from outcry.models.manifest import LabelSpec
from outcry.models.uncertainty.abstention import Abstention
from outcry.models.uncertainty.prediction_sets import PredictionSets
from training.conformal import fit_prediction_sets

LABEL = LabelSpec(horizon_bars=2, band_kind="volatility", band_value=0.5, volatility_window_bars=5)


@pytest.fixture(scope="module")
def sets() -> PredictionSets:
    rng = np.random.default_rng(0)
    return fit_prediction_sets(rng.dirichlet((1, 1, 1), 300), rng.integers(0, 3, 300).astype(np.int8))


def _build(sets: PredictionSets | None, **values: object) -> Abstention:
    abstention = UncertaintyConfig.model_validate(values).build_abstention(sets, LABEL, 2)
    assert abstention is not None
    return abstention


def _outcomes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.dirichlet((1, 1, 1), (40, 2)), rng.integers(-1, 3, (40, 2)).astype(np.int8)


@pytest.mark.parametrize(("method", "follows"), [("split", False), ("adaptive", True)])
def test_sets_of_a_run_keep_their_level_or_follow_the_outcomes(sets, method: str, follows: bool) -> None:
    abstention = _build(sets, method=method, alpha=0.3, gamma=0.1, single_direction=True)
    assert abstention.replay(*_outcomes()).any()
    assert (abstention.snapshot()["sets_alpha_t"][0] != 0.3) == follows


def test_by_default_sets_are_made_and_bind_nothing(sets) -> None:
    abstention = _build(sets)
    assert not abstention.replay(*_outcomes()).any()
    assert abstention.sets is not None
    assert abstention.sets.shape == (2, 3)


def test_without_sets_only_a_limit_to_the_spread_judges() -> None:
    assert UncertaintyConfig(single_direction=True).build_abstention(None, LABEL, 2) is None
    abstention = _build(None, min_agreement_frac=0.6)
    assert abstention.sets is None
    assert abstention.coverage is None
    assert not abstention.replay(*_outcomes()).any()
