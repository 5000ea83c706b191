"""A bundle of boosters of the usual size, trained on noise: as slow as a real one, and made in a second."""

from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
import xgboost

from outcry.messages import Direction
from outcry.models.bundle import write_bundle
from outcry.models.calibration import Calibration
from outcry.models.manifest import BundleFacts, FoldRecord, LabelSpec, SelectionRecord

_MINUTE_NS = 60 * 10**9
_ENDS = np.array([0.0, 1.0])


def write_random_bundle(
    directory: Path,
    feature_names: Sequence[str],
    features_hash: str,
    *,
    seed: int = 0,
    n_rounds: int = 100,
) -> Path:
    """Write the bundle and return its path.

    Parameters
    ----------
    directory : Path
        Where bundles are kept.
    feature_names : sequence of str
        What the model reads.
    features_hash : str
        Of the feature set the features belong to.
    seed : int
        Another seed gives another version.
    n_rounds : int
        Of each booster; every round grows a tree a class.
    """
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((2_000, len(feature_names)))
    labels = np.digitize(rows[:, 0] + rng.standard_normal(len(rows)), [-0.5, 0.5])
    n_classes = len(Direction)
    xgb = xgboost.train(
        {"objective": "multi:softprob", "num_class": n_classes, "max_depth": 4, "nthread": 1, "seed": seed},
        xgboost.DMatrix(rows, labels),
        num_boost_round=n_rounds,
    )
    lgb = lightgbm.train(
        {"objective": "multiclass", "num_class": n_classes, "num_leaves": 15, "num_threads": 1, "verbose": -1},
        lightgbm.Dataset(rows, labels),
        num_boost_round=n_rounds,
    )
    fold = FoldRecord(
        train_last_ts_ns=0,
        first_ts_ns=_MINUTE_NS,
        last_ts_ns=2 * _MINUTE_NS,
        n=1,
        log_loss=1.0986,
        base_log_loss=1.0986,
        brier=0.6667,
        ece_frac=0.0,
        accuracy=1 / n_classes,
    )
    facts = BundleFacts(
        feature_names=tuple(feature_names),
        features_hash=features_hash,
        label=LabelSpec(horizon_bars=5, band_kind="fixed", band_value=0.001),
        bar_ns=_MINUTE_NS,
        symbols=("NOISE",),
        first_ts_ns=0,
        last_ts_ns=2 * _MINUTE_NS,
        folds=(fold,),
        test=fold,
        selection=SelectionRecord(
            methods=(), n_candidates=len(feature_names), chosen=(tuple(feature_names),) * 2, jaccard=1.0, nogueira=None
        ),
        libraries={"lightgbm": lightgbm.__version__, "xgboost": xgboost.__version__},
        code_version="bench",
        seed=seed,
    )
    unchanged = Calibration((_ENDS,) * n_classes, (np.maximum(_ENDS, 1e-9),) * n_classes)
    members = {
        "xgboost": (0.5, bytes(xgb.save_raw("json"))),
        "lightgbm": (0.5, lgb.model_to_string().encode()),
    }
    return write_bundle(directory, facts=facts, members=members, calibration=unchanged, golden_rows=rows[:16])
