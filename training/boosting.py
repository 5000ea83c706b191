"""Fit one booster: find the number of rounds on validation rows, then fit on all rows with that number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import xgboost

from configs.training import TrainingConfig
from outcry.errors import BundleError
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.ensemble import Member
from outcry.models.lightgbm_trees import parse_lightgbm
from outcry.models.xgboost_trees import parse_xgboost
from training.dataset import Dataset

N_COMPARED_ROWS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class FittedMember:
    """A model as it is stored, and as it will predict: read back from what is stored."""

    model: bytes
    n_rounds: int
    member: Member


FitMember = Callable[[Dataset, Dataset, Dataset, TrainingConfig], FittedMember]


def fit_xgboost(earlier: Dataset, validation: Dataset, whole: Dataset, config: TrainingConfig) -> FittedMember:
    """Fit on `earlier` until the log loss on `validation` no longer falls; fit `whole` with as many rounds."""
    chosen = config.xgboost
    params = {
        "objective": "multi:softprob",
        "num_class": len(Direction),
        "eval_metric": "mlogloss",
        "tree_method": "hist",
        "max_bin": config.max_bins,
        "learning_rate": chosen.learning_rate,
        "max_depth": chosen.max_depth,
        "min_child_weight": chosen.min_child_weight,
        "subsample": chosen.subsample_frac,
        "colsample_bytree": chosen.colsample_frac,
        "reg_alpha": chosen.reg_alpha,
        "reg_lambda": chosen.reg_lambda,
        "nthread": config.n_threads,
        "seed": config.seed,
    }

    def matrix(data: Dataset) -> xgboost.DMatrix:
        # its bins are those of a QuantileDMatrix, found in half the time
        return xgboost.DMatrix(data.rows, data.labels, nthread=config.n_threads)

    found = xgboost.train(
        params,
        matrix(earlier),
        chosen.max_rounds,
        evals=[(matrix(validation), "validation")],
        early_stopping_rounds=config.early_stopping_rounds,
        verbose_eval=False,
    )
    n_rounds = found.best_iteration + 1
    booster = xgboost.train(params, matrix(whole), n_rounds)
    model = bytes(booster.save_raw("json"))
    member = parse_xgboost(model, n_features=len(whole.feature_names))
    _check_same(member, lambda rows: booster.inplace_predict(rows, validate_features=False), whole, xgboost)
    return FittedMember(model, n_rounds, member)


def fit_lightgbm(earlier: Dataset, validation: Dataset, whole: Dataset, config: TrainingConfig) -> FittedMember:
    """Fit on `earlier` until the log loss on `validation` no longer falls; fit `whole` with as many rounds."""
    chosen = config.lightgbm
    params = {
        "objective": "multiclass",
        "num_class": len(Direction),
        "metric": "multi_logloss",
        "max_bin": config.max_bins,
        "learning_rate": chosen.learning_rate,
        "num_leaves": chosen.n_leaves,
        "min_data_in_leaf": chosen.min_leaf_rows,
        "bagging_fraction": chosen.subsample_frac,
        "bagging_freq": 1,
        "feature_fraction": chosen.colsample_frac,
        "lambda_l1": chosen.reg_alpha,
        "lambda_l2": chosen.reg_lambda,
        "num_threads": config.n_threads,
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }

    def matrix(data: Dataset, ref: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
        return lightgbm.Dataset(data.rows, data.labels.astype(np.float32), reference=ref, params=params)

    train = matrix(earlier)
    found = lightgbm.train(
        params,
        train,
        chosen.max_rounds,
        valid_sets=[matrix(validation, train)],
        callbacks=[lightgbm.early_stopping(config.early_stopping_rounds, verbose=False)],
    )
    n_rounds = found.best_iteration or chosen.max_rounds
    booster = lightgbm.train(params, matrix(whole), n_rounds)
    model = booster.model_to_string().encode()
    member = parse_lightgbm(model, n_features=len(whole.feature_names))
    _check_same(member, lambda rows: np.asarray(booster.predict(rows, num_threads=config.n_threads)), whole, lightgbm)
    return FittedMember(model, n_rounds, member)


def _check_same(member: Member, predict: Callable[[FloatArray], FloatArray], data: Dataset, library: Any) -> None:
    """Raise `BundleError` unless the trees, as they are stored, predict the bits that the library predicts."""
    rows = np.ascontiguousarray(data.rows[:: max(len(data.rows) // N_COMPARED_ROWS, 1)])
    if not np.array_equal(member.predict_proba(rows), predict(rows)):
        raise BundleError(f"{library.__name__} must predict what its stored trees say, {library.__version__} does not")


FAMILIES: dict[str, FitMember] = {"xgboost": fit_xgboost, "lightgbm": fit_lightgbm}
"""The members of the ensemble, in the order of their votes."""
