"""A member is fitted on all rows for as many rounds as validation asked for, and predicts from what is stored."""

import json
import re
from collections.abc import Callable

import lightgbm
import numpy as np
import pytest
import xgboost

from configs.training import TrainingConfig
from outcry.errors import BundleError
from outcry.labels.direction import LabelArray
from outcry.labels.split import PurgedWalkForward
from outcry.market.frame import FloatArray, FrameTensor
from outcry.models.forest import Forest
from training import boosting
from training.boosting import FAMILIES
from training.dataset import Dataset, ReadFeatures, build_dataset

FEATURES = ("tech_drift", "tech_noise", "price_level")
UNITS = {"tech_drift": "ratio", "tech_noise": "index", "price_level": "price"}


@pytest.fixture(scope="module")
def parts(
    market: tuple[FrameTensor, FloatArray], config: TrainingConfig, reader: Callable[..., ReadFeatures]
) -> tuple[Dataset, Dataset, Dataset]:
    data = build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config)
    ((earlier, validation),) = PurgedWalkForward(1, 3, 2, 0.8).split(700)
    return data.of_frames(earlier), data.of_frames(validation), data


@pytest.mark.parametrize("family", FAMILIES)
def test_the_stored_model_is_the_one_that_predicts(
    family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig
) -> None:
    fitted = FAMILIES[family](*parts, config)
    rows = parts[2].rows
    if family == "xgboost":
        booster = xgboost.Booster(model_file=bytearray(fitted.model))
        expected = booster.predict(xgboost.DMatrix(rows, nthread=1))
        n_rounds = booster.num_boosted_rounds()
        assert json.loads(fitted.model)["learner"]["objective"]["name"] == "multi:softprob"
    else:
        loaded = lightgbm.Booster(model_str=fitted.model.decode())
        expected = np.asarray(loaded.predict(rows))
        n_rounds = loaded.current_iteration()
    np.testing.assert_array_equal(fitted.member.predict_proba(rows), expected)
    assert n_rounds == fitted.n_rounds
    assert 1 <= n_rounds <= 15


def test_rows_are_cut_into_the_bins_of_a_quantile_matrix(
    parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_bins = config.model_copy(update={"max_bins": 16})
    found = FAMILIES["xgboost"](*parts, few_bins)
    made: list[xgboost.QuantileDMatrix] = []

    def quantile_matrix(rows: FloatArray, labels: LabelArray, nthread: int) -> xgboost.QuantileDMatrix:
        ref = made[0] if len(made) == 1 else None  # the second is of the validation rows
        made.append(xgboost.QuantileDMatrix(rows, labels, max_bin=16, nthread=nthread, ref=ref))
        return made[-1]

    monkeypatch.setattr(xgboost, "DMatrix", quantile_matrix)
    assert FAMILIES["xgboost"](*parts, few_bins).model == found.model


@pytest.mark.parametrize("family", FAMILIES)
def test_rounds_stop_where_validation_no_longer_gains(
    family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig
) -> None:
    earlier, validation, whole = parts
    backwards = Dataset(validation.rows, (2 - validation.labels).astype(np.int8), validation.frame, FEATURES[:2])
    # what is learned first is how rare NEUTRAL is, and that holds backwards too: a few rounds, not none
    assert FAMILIES[family](earlier, backwards, whole, config).n_rounds <= 5
    assert FAMILIES[family](earlier, validation, whole, config).n_rounds > 5


@pytest.mark.parametrize("family", FAMILIES)
def test_a_library_that_predicts_otherwise_than_its_stored_trees_say_is_noticed(
    family: str, parts: tuple[Dataset, Dataset, Dataset], config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = getattr(boosting, f"parse_{family}")

    def parse_slightly_otherwise(model: bytes, *, n_features: int) -> Forest:
        forest: Forest = parse(model, n_features=n_features)
        forest._leaves[0] += 1e-5
        return forest

    monkeypatch.setattr(boosting, f"parse_{family}", parse_slightly_otherwise)
    with pytest.raises(BundleError, match=re.escape(f"{family} must predict what its stored trees say")):
        FAMILIES[family](*parts, config)
