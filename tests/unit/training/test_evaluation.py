"""Families and every ensemble of them are graded on frames that nothing of them had seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.ensemble import MeanConfig, MultiHorizonConfig, RegimeThresholdsConfig, SelectionConfig
from configs.evaluation import EvaluationConfig
from configs.loader import load_settings
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.models.combiners.regime_thresholds import RegimeAxis
from training.evaluation.window import evaluate_window
from training.feature_table import FeatureTable
from training.window import WindowJob, WindowMarket

DAY_NS = 86_400 * 10**9
NAMES = ("a", "b", "c")


@pytest.fixture
def shared(market, config, tmp_path: Path) -> WindowMarket:
    frames, features = market
    np.save(tmp_path / "features.npy", features)
    days = frames.ts_close_ns
    settings = load_settings(assignments=["features.set=small", f"floor.state_dir={tmp_path}"])
    axis = RegimeAxis(feature="c", thresholds=(100.0,))
    ensembles = (*EvaluationConfig().ensembles, RegimeThresholdsConfig(axes=(axis,)))
    updates = {
        "training": config.model_copy(update={"ensemble": SelectionConfig()}),
        "evaluation": EvaluationConfig(ensembles=ensembles),
        "walk_forward": settings.walk_forward.model_copy(update={"inner_folds": 2}),
    }
    return WindowMarket(
        settings=settings.model_copy(update=updates),
        universe=Universe(("A", "B", "C"), ("x", "x", "x")),
        sessions=Sessions(days - DAY_NS // 2, days, days - DAY_NS, days // DAY_NS % 7),
        bar_ns=DAY_NS,
        bars_per_year=252.0,
        frames=frames,
        table=FeatureTable(tmp_path / "features.npy", NAMES),
    )


def test_every_ensemble_that_differs_is_graded_beside_the_families(shared: WindowMarket, monkeypatch) -> None:
    monkeypatch.setattr(WindowMarket, "features", property(lambda market: _Features()))
    job = WindowJob(0, train=(0, 500), test=(510, 600), judged=(510, 600), key="key")
    found = evaluate_window(shared, job)
    learners = ("stacking", "adaptive", "thompson", "regime_thresholds", "selection")
    assert found.names == ("xgboost", "lightgbm", "soft_vote", "mean", *learners)
    assert found.probability.shape == (len(found.names), 90, 3, 3)
    np.testing.assert_allclose(found.probability.sum(axis=3), 1.0, atol=1e-12)
    by_name = dict(zip(found.names, found.probability, strict=True))
    assert not np.array_equal(by_name["adaptive"], by_name["soft_vote"])
    again = evaluate_window(shared, job)
    np.testing.assert_array_equal(again.probability, found.probability)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (("lightgbm@1", "lightgbm", "lightgbm@9"), ("mean", "multi_horizon")),
        (("lightgbm@1", "lightgbm", "xgboost@1"), ("mean",)),
    ],
)
def test_members_of_several_horizons_are_graded_and_so_is_their_ensemble_where_they_differ(
    shared: WindowMarket, members: tuple[str, ...], expected: tuple[str, ...], monkeypatch
) -> None:
    monkeypatch.setattr(WindowMarket, "features", property(lambda market: _Features()))
    training = shared.settings.training.model_copy(update={"members": members, "ensemble": MeanConfig()})
    evaluation = EvaluationConfig(ensembles=(MeanConfig(), MultiHorizonConfig()))
    settings = shared.settings.model_copy(update={"training": training, "evaluation": evaluation})
    job = WindowJob(0, train=(0, 500), test=(510, 600), judged=(510, 600), key="key")
    found = evaluate_window(replace(shared, settings=settings), job)
    assert found.names == (*members, *expected)
    np.testing.assert_allclose(found.probability.sum(axis=3), 1.0, atol=1e-12)


class _Features:
    """What stands for a feature set of the columns of the market of the tests."""

    class _Column:
        def __init__(self, name: str) -> None:
            self.name, self.unit = name, "ratio"

    columns = tuple(map(_Column, NAMES))
