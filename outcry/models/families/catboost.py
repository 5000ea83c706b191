"""CatBoost: oblivious trees; an optional library fits it, none is needed to predict."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from outcry.config import FrozenConfig
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset, check_labels
from outcry.models.family import EXACT_TOLERANCE, FitSettings, sole_file
from outcry.models.oblivious import ObliviousForest
from outcry.models.parameter_space import ParameterSpace, Span
from outcry.models.tree_model import check_same

if TYPE_CHECKING:
    from catboost import CatBoostClassifier

_FILE = "catboost.json"
_TOLERANCE = 1e-12
"""Between its probabilities and ours: its exponential is not that of the standard library."""


class CatBoostParams(FrozenConfig):
    """Of ``MultiClass`` with symmetric trees; `max_rounds` is the most, validation finds how many.

    `is_ordered` grows each tree on residuals of models that have not seen the row, which takes several times as long.
    Rows are weighed at random, the more differently the higher `bagging_temperature`.
    """

    max_rounds: int = Field(default=100, gt=0)
    learning_rate: float = Field(default=0.08, gt=0, le=0.3)
    max_depth: int = Field(default=5, ge=1, le=10)
    reg_lambda: float = Field(default=3.0, ge=0)
    random_strength: float = Field(default=1.0, ge=0)
    bagging_temperature: float = Field(default=1.0, ge=0)
    colsample_frac: float = Field(default=0.6, gt=0, le=1)
    is_ordered: bool = False


class CatBoost:
    """`outcry.models.family.Family`.

    References
    ----------
    Prokhorenkova et al., "CatBoost: unbiased boosting with categorical features", NeurIPS 2018.
    """

    name = "catboost"
    params = CatBoostParams
    libraries = ("catboost",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {
        "narrow": {
            "max_rounds": Span(500, 2000, is_integer=True),
            "max_depth": Span(4, 10, is_integer=True),
            "learning_rate": Span(0.01, 0.1, is_log=True),
            "reg_lambda": Span(1.0, 10.0),
            "random_strength": Span(0.0, 10.0),
            "bagging_temperature": Span(0.0, 1.0),
        }
    }

    def lookback_bars(self, params: CatBoostParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: CatBoostParams, settings: FitSettings
    ) -> ObliviousForest:
        """Fit on `earlier` until the log loss on `validation` no longer falls; fit `whole` with as many rounds."""
        try:
            import catboost
        except ModuleNotFoundError:
            raise ConfigurationError(
                "family catboost must have its library to be fitted: pip install 'outcry[catboost]'"
            ) from None
        check_labels(earlier.labels)
        chosen = {
            "loss_function": "MultiClass",
            "learning_rate": params.learning_rate,
            "depth": params.max_depth,
            "l2_leaf_reg": params.reg_lambda,
            "random_strength": params.random_strength,
            "bootstrap_type": "Bayesian",
            "bagging_temperature": params.bagging_temperature,
            "rsm": params.colsample_frac,
            "boosting_type": "Ordered" if params.is_ordered else "Plain",
            "border_count": settings.max_bins - 1,
            "random_seed": settings.seed,
            "thread_count": settings.n_threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }

        def pool(data: Dataset) -> "catboost.Pool":
            return catboost.Pool(data.rows, data.labels, weight=data.weights, thread_count=settings.n_threads)

        try:
            # it refuses to judge by a class that it has not learnt
            judged = validation.take(np.isin(validation.labels, np.unique(earlier.labels)))
            found = catboost.CatBoostClassifier(
                iterations=params.max_rounds, od_type="Iter", od_wait=settings.early_stopping_rounds, **chosen
            ).fit(pool(earlier), eval_set=pool(judged) if len(judged) else None)
            n_rounds = (found.get_best_iteration() or 0) + 1 if len(judged) else params.max_rounds
            model = catboost.CatBoostClassifier(iterations=n_rounds, **chosen).fit(pool(whole))
        except catboost.CatBoostError as error:
            raise DataValidationError(f"catboost cannot learn from these rows: {error}") from None
        stored = self.load({_FILE: _export(model)}, len(whole.feature_names))

        def predict(rows: FloatArray) -> FloatArray:
            every = np.zeros((len(rows), len(Direction)))
            every[:, model.classes_] = model.predict_proba(rows, thread_count=settings.n_threads)
            return every

        check_same(stored, predict, whole.rows, catboost, _TOLERANCE)
        return stored

    def load(self, files: Mapping[str, bytes], n_features: int) -> ObliviousForest:
        return ObliviousForest(_FILE, sole_file(self.name, files, _FILE), n_features)


def _export(model: "CatBoostClassifier") -> bytes:
    """Return what `ObliviousForest` reads; ``model_info`` is left out, for it has the time of the fit."""
    with tempfile.TemporaryDirectory() as folder:  # the library writes it to files alone
        path = Path(folder) / _FILE
        model.save_model(str(path), format="json")
        content: dict[str, Any] = json.loads(path.read_bytes())
    del content["model_info"]
    importance = np.asarray(model.get_feature_importance(), dtype=np.float64)
    total = importance.sum()
    content["classes"] = [int(label) for label in model.classes_]
    content["importance"] = (importance / total if total > 0.0 else np.zeros(len(importance))).tolist()
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


FAMILY = CatBoost()
