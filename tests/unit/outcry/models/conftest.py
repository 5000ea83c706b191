"""A small trained ensemble, once a session."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest
import xgboost

from outcry.market.frame import FloatArray
from outcry.models.bundle import GoldenInputs, write_bundle
from outcry.models.calibration import Calibration
from outcry.models.combiners import Combiner, build_combiner
from outcry.models.combiners.soft_vote import SoftVoteSpec
from outcry.models.families import find_family
from outcry.models.family import Model
from outcry.models.manifest import BundleFacts, FoldRecord, LabelSpec, SelectionRecord

N_FEATURES = 6
FEATURES = tuple(f"tech_{k}" for k in range(N_FEATURES))
FEATURES_HASH = "a" * 64


def _sample_rows(n_rows: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, N_FEATURES))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows


@pytest.fixture(scope="session")
def rows() -> FloatArray:
    """float64 (300, 6), a tenth of it NaN."""
    return _sample_rows(300, seed=5)


@pytest.fixture(scope="session")
def boosters() -> tuple[xgboost.Booster, lightgbm.Booster]:
    x = _sample_rows(1500, seed=3)
    noise = np.random.default_rng(4).normal(size=len(x))
    score = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) + noise
    y = np.where(score > 0.7, 0, np.where(score < -0.7, 2, 1))
    xgb = xgboost.train(
        {"objective": "multi:softprob", "num_class": 3, "max_depth": 4, "nthread": 1, "seed": 0},
        xgboost.DMatrix(x, y, nthread=1),
        20,
    )
    lgb = lightgbm.train(
        {"objective": "multiclass", "num_class": 3, "num_leaves": 15, "num_threads": 1, "verbosity": -1, "seed": 0},
        lightgbm.Dataset(x, y),
        20,
    )
    return xgb, lgb


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    """Steeper in the middle than at the ends, so that it is not the identity."""
    raw = np.array([0.05, 0.2, 0.4, 0.7, 0.95])
    return Calibration((raw, raw, raw), tuple(np.array([0.1, 0.15, 0.45, 0.6, 0.8]) * f for f in (1.0, 0.9, 1.1)))


@pytest.fixture(scope="session")
def facts() -> BundleFacts:
    fold = FoldRecord(
        train_last_ts_ns=10,
        first_ts_ns=20,
        last_ts_ns=30,
        n=100,
        log_loss=1.0,
        base_log_loss=1.1,
        brier=0.6,
        ece_frac=0.02,
        accuracy=0.45,
    )
    return BundleFacts(
        feature_names=FEATURES,
        features_hash=FEATURES_HASH,
        label=LabelSpec(horizon_bars=5, band_kind="fixed", band_value=0.01),
        bar_ns=86_400_000_000_000,
        symbols=("AAPL", "IBM"),
        first_ts_ns=1,
        last_ts_ns=30,
        folds=(fold,),
        test=fold,
        selection=SelectionRecord(
            methods=(), n_candidates=len(FEATURES), chosen=(tuple(FEATURES),) * 2, jaccard=1.0, nogueira=None
        ),
        libraries={"xgboost": xgboost.__version__, "lightgbm": lightgbm.__version__},
        code_version="0.1.0",
        seed=0,
    )


@pytest.fixture(scope="session")
def models(boosters: tuple[xgboost.Booster, lightgbm.Booster]) -> dict[str, Model]:
    xgb, lgb = boosters
    return {
        "xgboost": find_family("xgboost").load({"xgboost.json": bytes(xgb.save_raw("json"))}, N_FEATURES),
        "lightgbm": find_family("lightgbm").load({"lightgbm.txt": lgb.model_to_string().encode()}, N_FEATURES),
    }


@pytest.fixture(scope="session")
def combiner() -> Combiner:
    return build_combiner(SoftVoteSpec(weights_frac=(0.6, 0.4)))


@pytest.fixture
def bundle_path(
    tmp_path: Path,
    facts: BundleFacts,
    models: dict[str, Model],
    combiner: Combiner,
    calibration: Calibration,
    rows: FloatArray,
) -> Path:
    """A freshly written bundle that a test may damage."""
    return write_bundle(
        tmp_path,
        facts=facts,
        members=models,
        combiner=combiner,
        calibration=calibration,
        golden=GoldenInputs(rows[:20]),
    )
