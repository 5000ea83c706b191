"""Fit one booster: find the number of rounds on validation rows, then fit on all rows with that number."""

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm
import numpy as np
import xgboost

from configs.training import TrainingConfig
from outcry.messages import Direction
from outcry.models.ensemble import Member
from outcry.models.lightgbm_member import LightGBMMember
from outcry.models.xgboost_member import XGBoostMember
from training.dataset import Dataset


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
    model = bytes(xgboost.train(params, matrix(whole), n_rounds).save_raw("json"))
    n_features = len(whole.feature_names)
    return FittedMember(model, n_rounds, XGBoostMember(model, n_features=n_features, n_threads=config.n_threads))


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
    model = lightgbm.train(params, matrix(whole), n_rounds).model_to_string().encode()
    n_features = len(whole.feature_names)
    return FittedMember(model, n_rounds, LightGBMMember(model, n_features=n_features, n_threads=config.n_threads))


FAMILIES: dict[str, FitMember] = {"xgboost": fit_xgboost, "lightgbm": fit_lightgbm}
"""The members of the ensemble, in the order of their votes."""
