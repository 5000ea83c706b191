"""Exact Shapley values of the models that have them: boosted trees by their own libraries, linear models by formula.

References
----------
Lundberg, Erion & Lee, "Consistent individualized feature attribution for tree ensembles", 2018, algorithm 2: what
XGBoost, LightGBM and CatBoost compute. A column that is not known follows the training rows down a tree, so the base
is the mean over these.
Štrumbelj & Kononenko, "Explaining prediction models and individual predictions with feature contributions",
Knowledge and Information Systems 41, 2014, equation 3: a sum of columns.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.family import Model
from outcry.models.linear import LinearModel
from training.explain.sample import Sample
from training.explain.shapley import Shapley, centred


def exact_shapley(family: str, model: Model, sample: Sample, background: Sample, n_threads: int) -> Shapley | None:
    """Return the contributions of the columns to the log-odds of a model; None where there is no exact way.

    Parameters
    ----------
    family : str
    model : Model
    sample : Sample
        To explain.
    background : Sample
        Over which a linear model takes its mean; trees bring their own.
    n_threads : int
    """
    if isinstance(model, LinearModel):
        return _explain_linear(model, sample.rows, background.rows)
    if family not in _OF_TREES or find_spec(family) is None:
        return None
    (text,) = model.save().values()
    return centred(_OF_TREES[family](text, sample.rows, n_threads))


def _explain_linear(model: LinearModel, rows: FloatArray, background: FloatArray) -> Shapley | None:
    """A column adds what it is above its mean over the background; None where the sums are probabilities."""
    if not model.is_softmax:
        return None
    mean = model.weighted(background).mean(axis=0)
    base = np.where(np.isfinite(model.intercepts), model.intercepts + mean.sum(axis=1), np.nan)
    values = np.empty((len(rows), len(Direction), rows.shape[1] + 1))
    values[:, :, :-1], values[:, :, -1] = model.weighted(rows) - mean, base
    return centred(values)


def _explain_xgboost(text: bytes, rows: FloatArray, n_threads: int) -> FloatArray:
    import xgboost  # noqa: PLC0415 - a second, and only where its trees are explained

    booster = xgboost.Booster({"nthread": n_threads}, model_file=bytearray(text))
    found = booster.predict(xgboost.DMatrix(rows, nthread=n_threads), pred_contribs=True, strict_shape=True)
    return np.asarray(found, dtype=np.float64)


def _explain_lightgbm(text: bytes, rows: FloatArray, n_threads: int) -> FloatArray:
    import lightgbm  # noqa: PLC0415 - see above

    found = lightgbm.Booster(model_str=text.decode()).predict(rows, pred_contrib=True, num_threads=n_threads)
    return np.asarray(found, dtype=np.float64).reshape(len(rows), len(Direction), rows.shape[1] + 1)


def _explain_catboost(text: bytes, rows: FloatArray, n_threads: int) -> FloatArray:
    import catboost  # noqa: PLC0415 - see above

    content = json.loads(text)
    classes = content["classes"]
    content["model_info"] = {"params": {"loss_function": {"type": "MultiClass"}}}  # it says so aloud where it is absent
    with tempfile.TemporaryDirectory() as folder:  # the library reads it from files alone
        path = Path(folder) / "model.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        model = catboost.CatBoost().load_model(str(path), format="json")
    pool = catboost.Pool(rows, thread_count=n_threads)
    found = np.full((len(rows), len(Direction), rows.shape[1] + 1), np.nan)
    found[:, classes] = model.get_feature_importance(pool, type="ShapValues", thread_count=n_threads)
    return found


_OF_TREES: Mapping[str, Callable[[bytes, FloatArray, int], FloatArray]] = {
    "xgboost": _explain_xgboost,
    "lightgbm": _explain_lightgbm,
    "catboost": _explain_catboost,
}
