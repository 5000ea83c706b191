"""A model with everything that a page can say of it."""

from typing import Any

from bench.random_bundle import random_facts
from outcry.models.explanation import AttentionProfile, Contributions, Drift, Explanation, Importance
from outcry.models.manifest import BundleManifest, MemberRecord, SelectionRecord
from outcry.models.reliability import ReliabilityPoint


def manifest_of(*features: str, **selection: Any) -> BundleManifest:
    """Return the manifest of one XGBoost member that reads these columns, of nine; it has no skill."""
    chosen = {"methods": (), "n_candidates": 9, "chosen": (features,), "jaccard": None, "nogueira": None} | selection
    facts = dict(random_facts(features, features[0])) | {"selection": SelectionRecord(**chosen)}
    members = (MemberRecord(family="xgboost", files=("xgboost.json",), weight_frac=1.0),)
    return BundleManifest.model_construct(**facts, members=members, files={}, version="0123456789abcdef")


def explained(first: str, second: str) -> Explanation:
    """Return what might be found of a model that reads two columns: one group, two members, one of them attending."""
    contributions = tuple(
        Contributions(
            whom=whom,
            is_exact=is_exact,
            base_nats=(0.1, None, -0.1),
            mean_abs_nats=((0.2, 0.1), (0.0, 0.3), (0.2, 0.0)),
        )
        for whom, is_exact in (("ensemble", False), ("xgboost", True), ("lstm", False))
    )
    group = Importance(
        columns=(second, first),
        rise_nats=0.01,
        rise_deviation_nats=0.002,
        across_nats=-0.001,
        across_deviation_nats=0.0,
    )
    drift = (
        Drift(first_ts_ns=0, last_ts_ns=1, index=(0.05, 0.31)),
        Drift(first_ts_ns=2, last_ts_ns=3, index=(0.1, 7.0)),
    )
    return Explanation(
        bundle_version="0123456789abcdef",
        code_version="0",
        seed=0,
        feature_names=(first, second),
        first_ts_ns=0,
        last_ts_ns=10**15,
        n_frames=20,
        n_rows=40,
        n_explained_rows=10,
        n_repeats=2,
        log_loss=1.05,
        reliability=((ReliabilityPoint(0.3, 0.4, 40),),) * 3,
        contributions=contributions,
        importance=(group,),
        attention=(AttentionProfile(family="lstm", mean_frac=(0.2, 0.3, 0.5)),),
        drift=drift,
    )
