"""A bundle of boosters of the usual size, trained on noise: as slow as a real one, and made in a second."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import xgboost

from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.bundle import GoldenInputs, write_bundle
from outcry.models.calibration import Calibration
from outcry.models.combiners import Combiner, build_combiner
from outcry.models.combiners.soft_vote import SoftVoteSpec
from outcry.models.families import find_family
from outcry.models.families.gru import GRUParams
from outcry.models.family import Model
from outcry.models.manifest import BundleFacts, FoldRecord, LabelSpec, SelectionRecord
from outcry.models.neural.scaler import WindowScaler
from outcry.models.uncertainty.prediction_sets import PredictionSets

_MINUTE_NS = 60 * 10**9
N_HIDDEN = 32
"""Units of the recurrent member, one layer of them."""
_ENDS = np.array([0.0, 1.0])
UNCHANGED = Calibration((_ENDS,) * len(Direction), (np.maximum(_ENDS, 1e-9),) * len(Direction))


def write_random_bundle(
    directory: Path,
    feature_names: Sequence[str],
    features_hash: str,
    *,
    seed: int = 0,
    n_rounds: int = 100,
    bar_ns: int = _MINUTE_NS,
    lookback_bars: int = 1,
    combiner: Combiner | None = None,
    prediction_sets: PredictionSets | None = None,
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
    bar_ns : int
        Bar size it says it was trained on, nanoseconds.
    lookback_bars : int
        Of a small recurrent network that is the third member; 1 is none.
    combiner : Combiner, optional
        Of two members; an even vote without.
    prediction_sets : PredictionSets, optional
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
    facts = random_facts(feature_names, features_hash, seed=seed, bar_ns=bar_ns)
    members: dict[str, Model] = {
        family: find_family(family).load(files, len(feature_names))
        for family, files in (
            ("xgboost", {"xgboost.json": bytes(xgb.save_raw("json"))}),
            ("lightgbm", {"lightgbm.txt": lgb.model_to_string().encode()}),
        )
    }
    golden = GoldenInputs(rows[:16])
    if lookback_bars > 1:
        members["gru"] = _random_network(rows, lookback_bars, seed)
        windows = rng.standard_normal((16, lookback_bars, len(feature_names)), dtype=np.float32)
        golden = replace(golden, windows=windows)
    combiner = combiner or build_combiner(SoftVoteSpec(weights_frac=(1.0 / len(members),) * len(members)))
    n_read = len(dict.fromkeys((*feature_names, *combiner.feature_names)))
    if n_read > len(feature_names):
        golden = replace(golden, rows=rng.standard_normal((16, n_read)))
    return write_bundle(
        directory,
        facts=facts,
        members=members,
        combiner=combiner,
        calibration=UNCHANGED,
        golden=golden,
        prediction_sets=prediction_sets,
    )


def _random_network(rows: FloatArray, lookback_bars: int, seed: int) -> Model:
    """Return a network as it is before its first step: no faster than one that has learnt."""
    import torch  # noqa: PLC0415 - only this member needs it

    from outcry.models.neural.model import NeuralModel, build_network  # noqa: PLC0415 - torch

    torch.manual_seed(seed)
    params = GRUParams(lookback_bars=lookback_bars, n_hidden=N_HIDDEN, n_layers=1)
    scaler = WindowScaler.of_rows(rows, params.clip_sigma, params.has_masks)
    importance = np.full(rows.shape[1], 1.0 / rows.shape[1]).tolist()
    facts: dict[str, Any] = {"importance": importance, "attention_by_lag": None, "trained": {}, "return_scale": 1.0}
    return NeuralModel("gru", build_network("gru", params, scaler.n_channels), scaler, facts)


def random_facts(
    feature_names: Sequence[str], features_hash: str, *, seed: int = 0, bar_ns: int = _MINUTE_NS
) -> BundleFacts:
    """Return what a bundle says of itself that was trained on two bars of noise, in 1970."""
    n_classes = len(Direction)
    fold = FoldRecord(
        train_last_ts_ns=0,
        first_ts_ns=bar_ns,
        last_ts_ns=2 * bar_ns,
        n=1,
        log_loss=1.0986,
        base_log_loss=1.0986,
        brier=0.6667,
        ece_frac=0.0,
        accuracy=1 / n_classes,
    )
    return BundleFacts(
        feature_names=tuple(feature_names),
        features_hash=features_hash,
        label=LabelSpec(horizon_bars=5, band_kind="fixed", band_value=0.001),
        bar_ns=bar_ns,
        symbols=("NOISE",),
        first_ts_ns=0,
        last_ts_ns=2 * bar_ns,
        folds=(fold,),
        test=fold,
        selection=SelectionRecord(
            methods=(), n_candidates=len(feature_names), chosen=(tuple(feature_names),) * 2, jaccard=1.0, nogueira=None
        ),
        libraries={"lightgbm": lightgbm.__version__, "xgboost": xgboost.__version__},
        code_version="bench",
        seed=seed,
    )
