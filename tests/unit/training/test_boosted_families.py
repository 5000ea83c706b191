"""A member is fitted on all rows for as many rounds as validation asked for, and predicts from what is stored."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

import lightgbm
import numpy as np
import pytest
import xgboost

from configs.training import TrainingConfig
from outcry.errors import BundleError, DataValidationError
from outcry.labels.direction import LabelArray
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.market.frame import FloatArray, FrameTensor
from outcry.models.dataset import Dataset
from outcry.models.families import find_family
from outcry.models.family import FitSettings
from outcry.models.forest import Forest
from outcry.models.tree_model import TreeModel
from training.dataset import ReadFeatures, build_dataset

FAMILIES = ("xgboost", "lightgbm")
FEATURES = ("tech_drift", "tech_noise", "price_level")
UNITS = {"tech_drift": "ratio", "tech_noise": "index", "price_level": "price"}


@pytest.fixture(scope="module")
def parts(
    market: tuple[FrameTensor, FloatArray], config: TrainingConfig, reader: Callable[..., ReadFeatures]
) -> tuple[Dataset, Dataset, Dataset]:
    data = build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config)
    ((earlier, validation),) = PurgedWalkForward(1, 3, 2, 0.8).split(700)
    return data.of_frames(earlier), data.of_frames(validation), data


def _fit(family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig) -> TreeModel:
    settings = FitSettings(config.seed, config.n_threads, config.early_stopping_rounds, config.max_bins)
    model = find_family(family).fit(*parts, getattr(config, family), settings)
    assert isinstance(model, TreeModel)
    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_the_stored_model_is_the_one_that_predicts(
    family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig
) -> None:
    model = _fit(family, parts, config)
    rows = parts[2].rows
    if family == "xgboost":
        booster = xgboost.Booster(model_file=bytearray(model.text))
        expected = booster.predict(xgboost.DMatrix(rows, nthread=1))
        n_rounds = booster.num_boosted_rounds()
        gain = booster.get_score(importance_type="total_gain")
        importance = np.array([gain.get(f"f{k}", 0.0) for k in range(rows.shape[1])])
        assert json.loads(model.text)["learner"]["objective"]["name"] == "multi:softprob"
    else:
        loaded = lightgbm.Booster(model_str=model.text.decode())
        expected = np.asarray(loaded.predict(rows))
        n_rounds = loaded.current_iteration()
        importance = loaded.feature_importance("gain")
    np.testing.assert_array_equal(model.predict_proba(rows), expected)
    np.testing.assert_allclose(model.importance(), importance / importance.sum(), rtol=1e-5)  # as text, six digits
    assert n_rounds == model.n_rounds
    assert 1 <= n_rounds <= 15


def test_rows_are_cut_into_the_bins_of_a_quantile_matrix(
    parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_bins = config.model_copy(update={"max_bins": 16})
    found = _fit("xgboost", parts, few_bins)
    made: list[xgboost.QuantileDMatrix] = []

    def quantile_matrix(rows: FloatArray, labels: LabelArray, weight: None, nthread: int) -> xgboost.QuantileDMatrix:
        ref = made[0] if len(made) == 1 else None  # the second is of the validation rows
        made.append(xgboost.QuantileDMatrix(rows, labels, max_bin=16, weight=weight, nthread=nthread, ref=ref))
        return made[-1]

    monkeypatch.setattr(xgboost, "DMatrix", quantile_matrix)
    assert _fit("xgboost", parts, few_bins).text == found.text


@pytest.mark.parametrize("family", FAMILIES)
def test_rounds_stop_where_validation_no_longer_gains(
    family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig
) -> None:
    earlier, validation, whole = parts
    backwards = replace(validation, labels=(2 - validation.labels).astype(np.int8))
    # what is learned first is how rare NEUTRAL is, and that holds backwards too: a few rounds, not none
    assert _fit(family, (earlier, backwards, whole), config).n_rounds <= 5
    assert _fit(family, parts, config).n_rounds > 5


@pytest.mark.parametrize("family", FAMILIES)
def test_rounds_stop_where_forecasts_no_longer_earn_more(
    family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig
) -> None:
    """The labels of the validation rows are backwards, which the log loss sees and what is earned does not."""
    earlier, validation, whole = parts
    assert validation.returns is not None
    backwards = replace(validation, labels=(2 - validation.labels).astype(np.int8))
    losing = replace(validation, returns=-validation.returns)
    own = getattr(config, family).model_copy(update={"stop_by": "sharpe"})
    by_sharpe = config.model_copy(update={family: own})
    n_rounds = _fit(family, parts, by_sharpe).n_rounds
    assert _fit(family, (earlier, backwards, whole), by_sharpe).n_rounds == n_rounds > 5
    assert _fit(family, (earlier, losing, whole), by_sharpe).n_rounds < 5
    with pytest.raises(DataValidationError, match="a Sharpe ratio needs the returns of the rows"):
        _fit(family, (earlier, replace(validation, returns=None), whole), by_sharpe)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_library_that_predicts_otherwise_than_its_stored_trees_say_is_noticed(
    family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module(f"outcry.models.families.{family}")
    parse = getattr(module, f"parse_{family}")

    def parse_slightly_otherwise(model: bytes, *, n_features: int) -> Forest:
        forest: Forest = parse(model, n_features=n_features)
        forest._leaves[0] += 1e-5
        return forest

    monkeypatch.setattr(module, f"parse_{family}", parse_slightly_otherwise)
    with pytest.raises(BundleError, match=re.escape(f"{family} must predict what its stored trees say")):
        _fit(family, parts, config)
