"""LightGBM: histogram trees grown by leaf."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from outcry.config import FrozenConfig
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset, check_labels
from outcry.models.family import EXACT_TOLERANCE, FitSettings, UpdateSettings, sole_file
from outcry.models.forecast_sharpe import forecast_sharpe
from outcry.models.lightgbm_trees import parse_lightgbm
from outcry.models.parameter_space import Choices, ParameterSpace, Span
from outcry.models.tree_model import TreeModel, check_same

if TYPE_CHECKING:
    import lightgbm

_FILE = "lightgbm.txt"


class LightGBMParams(FrozenConfig):
    """Of ``multiclass`` with gradient boosting; `max_rounds` is the most, validation finds how many.

    `is_goss` keeps the rows with large gradients and a sample of the others, in place of `subsample_frac`, which else
    is drawn anew after `subsample_every_rounds`. `stop_by` is what validation looks at: the log loss, or
    `forecast_sharpe`. Columns of `categories` hold codes without an order, from 0 on: a test asks whether a code is one
    of a set. Those that the selection has left out are passed over.
    """

    max_rounds: int = Field(default=50, gt=0)
    learning_rate: float = Field(default=0.08, gt=0, le=0.3)
    n_leaves: int = Field(default=15, ge=2, le=255)
    max_depth: int | None = Field(default=None, ge=1)
    min_leaf_rows: int = Field(default=60, gt=0)
    subsample_frac: float = Field(default=0.8, gt=0, le=1)
    colsample_frac: float = Field(default=0.6, gt=0, le=1)
    reg_alpha: float = Field(default=0.1, ge=0)
    reg_lambda: float = Field(default=1.0, ge=0)
    subsample_every_rounds: int = Field(default=1, gt=0)
    is_goss: bool = False
    stop_by: Literal["log_loss", "sharpe"] = "log_loss"
    categories: tuple[str, ...] = ()


class LightGBM:
    """`outcry.models.family.Family`."""

    name = "lightgbm"
    params = LightGBMParams
    libraries = ("lightgbm",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {
        "narrow": {
            "n_leaves": Span(31, 127, is_integer=True),
            "max_depth": Choices((None, 4, 6, 8, 10, 12)),
            "learning_rate": Span(0.01, 0.1, is_log=True),
            "colsample_frac": Span(0.7, 0.9),
            "subsample_frac": Span(0.7, 0.9),
            "reg_alpha": Span(0.01, 1.0, is_log=True),
            "reg_lambda": Span(0.01, 1.0, is_log=True),
        }
    }

    def lookback_bars(self, params: LightGBMParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: LightGBMParams, settings: FitSettings
    ) -> TreeModel:
        """Fit on `earlier` until `validation` no longer gains; fit `whole` with as many rounds."""
        import lightgbm

        check_labels(earlier.labels)
        chosen = _library_params(params, settings)

        def sharpe(probability: FloatArray, _: "lightgbm.Dataset") -> tuple[str, float, bool]:
            return "sharpe", forecast_sharpe(probability, validation), True

        by_sharpe = params.stop_by == "sharpe"
        train = _matrix(earlier, params, chosen)
        found = lightgbm.train(
            chosen | {"metric": "None"} if by_sharpe else chosen,
            train,
            params.max_rounds,
            valid_sets=[_matrix(validation, params, chosen, train)],
            feval=sharpe if by_sharpe else None,
            callbacks=[lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)],
        )
        booster = lightgbm.train(chosen, _matrix(whole, params, chosen), found.best_iteration or params.max_rounds)
        return self._read_back(booster, whole, settings)

    def update(self, model: TreeModel, data: Dataset, params: LightGBMParams, settings: UpdateSettings) -> TreeModel:
        """Grow further trees on `data`."""
        import lightgbm

        chosen = _library_params(params, settings)
        chosen["learning_rate"] = params.learning_rate * settings.learning_rate_frac
        grown = lightgbm.Booster(model_str=model.text.decode())
        booster = lightgbm.train(chosen, _matrix(data, params, chosen), settings.n_rounds, init_model=grown)
        return self._read_back(booster, data, settings)

    def _read_back(
        self, booster: "lightgbm.Booster", data: Dataset, settings: FitSettings | UpdateSettings
    ) -> TreeModel:
        import lightgbm

        model = self.load({_FILE: booster.model_to_string().encode()}, len(data.feature_names))
        check_same(
            model,
            lambda rows: np.asarray(booster.predict(rows, num_threads=settings.n_threads)),
            data.rows,
            lightgbm,
        )
        return model

    def load(self, files: Mapping[str, bytes], n_features: int) -> TreeModel:
        text = sole_file(self.name, files, _FILE)
        forest = parse_lightgbm(text, n_features=n_features)
        return TreeModel(_FILE, text, forest.n_trees // len(Direction), forest, _read_gain)


def _library_params(params: LightGBMParams, settings: FitSettings | UpdateSettings) -> dict[str, Any]:
    sampling: dict[str, Any] = (
        {"data_sample_strategy": "goss"}
        if params.is_goss
        else {"bagging_fraction": params.subsample_frac, "bagging_freq": params.subsample_every_rounds}
    )
    return sampling | {
        "objective": "multiclass",
        "num_class": len(Direction),
        "metric": "multi_logloss",
        "max_bin": settings.max_bins,
        "learning_rate": params.learning_rate,
        "num_leaves": params.n_leaves,
        "max_depth": params.max_depth or -1,
        "min_data_in_leaf": params.min_leaf_rows,
        "feature_fraction": params.colsample_frac,
        "lambda_l1": params.reg_alpha,
        "lambda_l2": params.reg_lambda,
        "num_threads": settings.n_threads,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _matrix(
    data: Dataset, params: LightGBMParams, chosen: dict[str, Any], ref: "lightgbm.Dataset | None" = None
) -> "lightgbm.Dataset":
    import lightgbm

    return lightgbm.Dataset(
        data.rows,
        data.labels.astype(np.float32),
        weight=data.weights,
        reference=ref,
        categorical_feature=[k for k, name in enumerate(data.feature_names) if name in params.categories],
        params=chosen,
    )


def _read_gain(text: bytes) -> FloatArray:
    head, *blocks = text.decode().partition("\nend of trees")[0].split("\nTree=")
    gain = np.zeros(int(_value_of(head, "max_feature_idx")) + 1)
    for block in blocks:
        columns = np.array(_value_of(block, "split_feature").split(), dtype=np.int64)
        np.add.at(gain, columns, np.array(_value_of(block, "split_gain").split(), dtype=np.float64))
    return gain


def _value_of(text: str, name: str) -> str:
    return text.partition(f"\n{name}=")[2].partition("\n")[0]


FAMILY = LightGBM()
