"""XGBoost: histogram trees grown by depth."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from outcry.config import FrozenConfig
from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset, check_labels
from outcry.models.family import EXACT_TOLERANCE, FitSettings, UpdateSettings, sole_file
from outcry.models.forecast_sharpe import forecast_sharpe
from outcry.models.parameter_space import ParameterSpace, Span
from outcry.models.tree_model import TreeModel, check_same
from outcry.models.xgboost_trees import parse_xgboost

if TYPE_CHECKING:
    import xgboost

_FILE = "xgboost.json"


class XGBoostParams(FrozenConfig):
    """Of ``multi:softprob`` with histogram trees; `max_rounds` is the most, validation finds how many.

    Round k learns at ``learning_rate * learning_rate_decay ** k``. With `interaction_groups`, tests on one way down a
    tree are of columns of one group; a column in no group stands alone. Columns that the selection has left out are
    passed over. `stop_by` is what validation looks at: the log loss, or `forecast_sharpe`.
    """

    max_rounds: int = Field(default=50, gt=0)
    learning_rate: float = Field(default=0.08, gt=0, le=0.3)
    max_depth: int = Field(default=4, ge=2, le=12)
    min_child_weight: float = Field(default=10.0, ge=0)
    gamma: float = Field(default=0.0, ge=0)
    subsample_frac: float = Field(default=0.8, gt=0, le=1)
    colsample_frac: float = Field(default=0.6, gt=0, le=1)
    reg_alpha: float = Field(default=0.1, ge=0)
    reg_lambda: float = Field(default=1.0, ge=0)
    learning_rate_decay: float = Field(default=1.0, gt=0, le=1)
    interaction_groups: tuple[tuple[str, ...], ...] = ()
    stop_by: Literal["log_loss", "sharpe"] = "log_loss"


class XGBoost:
    """`outcry.models.family.Family`."""

    name = "xgboost"
    params = XGBoostParams
    libraries = ("xgboost",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {
        "narrow": {
            "max_rounds": Span(500, 2000, is_integer=True),
            "max_depth": Span(4, 8, is_integer=True),
            "learning_rate": Span(0.01, 0.1, is_log=True),
            "subsample_frac": Span(0.7, 0.9),
            "colsample_frac": Span(0.7, 0.9),
            "reg_alpha": Span(0.01, 1.0, is_log=True),
            "reg_lambda": Span(0.01, 1.0, is_log=True),
            "min_child_weight": Span(1.0, 10.0),
        },
        "wide": {
            "max_rounds": Span(100, 2000, is_integer=True),
            "max_depth": Span(3, 12, is_integer=True),
            "learning_rate": Span(0.001, 0.3, is_log=True),
            "subsample_frac": Span(0.6, 1.0),
            "colsample_frac": Span(0.6, 1.0),
            "min_child_weight": Span(1.0, 10.0),
            "gamma": Span(0.0, 5.0),
            "reg_alpha": Span(0.0, 10.0),
            "reg_lambda": Span(0.0, 10.0),
        },
    }

    def lookback_bars(self, params: XGBoostParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: XGBoostParams, settings: FitSettings
    ) -> TreeModel:
        """Fit on `earlier` until `validation` no longer gains; fit `whole` with as many rounds."""
        import xgboost

        check_labels(earlier.labels)
        chosen = _library_params(params, settings, whole.feature_names)

        def rate_at(n_done: int) -> float:
            return params.learning_rate * params.learning_rate_decay**n_done

        def sharpe(probability: FloatArray, _: "xgboost.DMatrix") -> tuple[str, float]:
            return "sharpe", forecast_sharpe(probability, validation)

        by_sharpe = {"custom_metric": sharpe, "maximize": True} if params.stop_by == "sharpe" else {}
        found = xgboost.train(
            chosen,
            _matrix(earlier, settings),
            params.max_rounds,
            evals=[(_matrix(validation, settings), "validation")],
            early_stopping_rounds=settings.early_stopping_rounds,
            verbose_eval=False,
            callbacks=[xgboost.callback.LearningRateScheduler(rate_at)],
            **by_sharpe,
        )
        booster = xgboost.train(
            chosen,
            _matrix(whole, settings),
            found.best_iteration + 1,
            callbacks=[xgboost.callback.LearningRateScheduler(rate_at)],
        )
        return self._read_back(booster, whole)

    def update(self, model: TreeModel, data: Dataset, params: XGBoostParams, settings: UpdateSettings) -> TreeModel:
        """Grow further trees on `data`, each round at the rate of a first one."""
        import xgboost

        grown = xgboost.Booster()
        grown.load_model(bytearray(model.text))
        chosen = _library_params(params, settings, data.feature_names)
        chosen["learning_rate"] = params.learning_rate * settings.learning_rate_frac
        booster = xgboost.train(chosen, _matrix(data, settings), settings.n_rounds, xgb_model=grown)
        return self._read_back(booster, data)

    def _read_back(self, booster: "xgboost.Booster", data: Dataset) -> TreeModel:
        import xgboost

        model = self.load({_FILE: bytes(booster.save_raw("json"))}, len(data.feature_names))
        check_same(model, lambda rows: booster.inplace_predict(rows, validate_features=False), data.rows, xgboost)
        return model

    def load(self, files: Mapping[str, bytes], n_features: int) -> TreeModel:
        text = sole_file(self.name, files, _FILE)
        forest = parse_xgboost(text, n_features=n_features)
        return TreeModel(_FILE, text, forest.n_trees // len(Direction), forest, _read_gain)


def _library_params(
    params: XGBoostParams, settings: FitSettings | UpdateSettings, names: Sequence[str]
) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "objective": "multi:softprob",
        "num_class": len(Direction),
        "eval_metric": "mlogloss",
        "tree_method": "hist",
        "max_bin": settings.max_bins,
        "learning_rate": params.learning_rate,
        "max_depth": params.max_depth,
        "min_child_weight": params.min_child_weight,
        "gamma": params.gamma,
        "subsample": params.subsample_frac,
        "colsample_bytree": params.colsample_frac,
        "reg_alpha": params.reg_alpha,
        "reg_lambda": params.reg_lambda,
        "nthread": settings.n_threads,
        "seed": settings.seed,
    }
    if params.interaction_groups:
        chosen["interaction_constraints"] = json.dumps(_find_groups(params.interaction_groups, names))
    return chosen


def _matrix(data: Dataset, settings: FitSettings | UpdateSettings) -> "xgboost.DMatrix":
    import xgboost

    # its bins are those of a QuantileDMatrix, found in half the time
    return xgboost.DMatrix(data.rows, data.labels, weight=data.weights, nthread=settings.n_threads)


def _find_groups(groups: Sequence[Sequence[str]], names: Sequence[str]) -> list[list[int]]:
    """Return the columns of each group, without the groups of which none is left."""
    place = {name: column for column, name in enumerate(names)}
    found = [[place[name] for name in group if name in place] for group in groups]
    if not any(found):
        raise ConfigurationError(f"interaction_groups must name columns that are trained on, named {groups}")
    return [columns for columns in found if columns]


def _read_gain(text: bytes) -> FloatArray:
    learner = json.loads(text)["learner"]
    gain = np.zeros(int(learner["learner_model_param"]["num_feature"]))
    for tree in learner["gradient_booster"]["model"]["trees"]:
        is_test = np.array(tree["left_children"]) != -1
        np.add.at(gain, np.array(tree["split_indices"])[is_test], np.array(tree["loss_changes"])[is_test])
    return gain


FAMILY = XGBoost()
