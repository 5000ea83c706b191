"""Under every kind of validation no member learns from a label that shares a bar with one it is judged by."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import training.walk_forward
from configs.training import TrainingConfig
from configs.validation import ValidationConfig
from outcry.market.frame import FloatArray, FrameTensor
from outcry.models.bundle import load_bundle
from outcry.models.dataset import Dataset
from outcry.models.families.ridge import Ridge
from training.fit import fit_ensemble
from training.folds import folds_within

FEATURES = ("tech_drift", "tech_noise", "price_level")
UNITS = {"tech_drift": "ratio", "tech_noise": "index", "price_level": "price"}
KINDS = ValidationConfig.model_json_schema()["properties"]["kind"]["enum"]
OF_TIME = {"walk_forward", "rolling", "anchored", "fixed", "hold_out"}

Market = tuple[FrameTensor, FloatArray]


def config_of(kind: str, **values: Any) -> TrainingConfig:
    return TrainingConfig.model_validate(
        {
            "horizon_bars": 3,
            "n_folds": 4,
            "embargo_bars": 2,
            "calibration_bins": 4,
            "members": ("ridge", "lightgbm"),
            "ridge": {"penalties": (0.1,)},
            "lightgbm": {"max_rounds": 4, "n_leaves": 4},
            "selection": (),
            "validation": {"kind": kind, "train_bars": 350, "test_bars": 100, "step_bars": 80},
        }
        | values
    )


def fit(market: Market, config: TrainingConfig, directory: Path) -> Path:
    frames, features = market
    return fit_ensemble(
        frames,
        lambda rows, columns: features[rows][..., [FEATURES.index(name) for name in columns]],
        FEATURES,
        config,
        units=UNITS,
        features_hash="c" * 64,
        symbols=("A", "B", "C"),
        bar_ns=86_400 * 10**9,
        directory=directory,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_training_label_shares_a_bar_with_a_test_label(
    kind: str, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pair of frames is compared, as the families and the judge are given them; no splitter is asked."""
    config = config_of(kind, members=("ridge",), max_rows=1200)  # every second frame is left out
    learn, judge = Ridge.fit, training.walk_forward._predict
    learnt: list[dict[str, Dataset]] = []
    judged: list[Dataset] = []

    def remember(family: Ridge, earlier: Dataset, validation: Dataset, whole: Dataset, *others: Any) -> Any:
        learnt.append({"earlier": earlier, "validation": validation, "whole": whole})
        return learn(family, earlier, validation, whole, *others)

    monkeypatch.setattr(Ridge, "fit", remember)
    monkeypatch.setattr(
        training.walk_forward, "_predict", lambda member, data: judged.append(data) or judge(member, data)
    )
    fit(market, config, tmp_path)
    assert len(learnt) == len(judged) == len(folds_within(700, config).spans) > 1
    for parts, test in zip(learnt, judged, strict=True):
        for part in parts.values():
            assert are_apart(part.frame, test.frame, config)
        assert are_apart(parts["earlier"].frame, parts["validation"].frame, config)
        assert set(parts["whole"].frame) >= {*parts["earlier"].frame, *parts["validation"].frame}
    has_holes = [np.diff(np.unique(parts["whole"].frame)).max() > 2 for parts in learnt]
    assert any(has_holes) == (kind not in OF_TIME)


def are_apart(train: np.ndarray, test: np.ndarray, config: TrainingConfig) -> bool:
    """Return whether every span [t, t + horizon] of the one is more than the embargo away from those of the other."""
    first, second = np.unique(train)[:, None], np.unique(test)[None, :]
    gap = np.abs(first - second) - config.horizon_bars
    return bool((gap > config.embargo_bars).all())


@pytest.mark.parametrize("kind", KINDS)
def test_frames_that_measure_change_nothing_but_the_figures_of_the_last_fold(
    kind: str, market: Market, tmp_path: Path
) -> None:
    frames, features = market
    config = config_of(kind, ridge={"penalties": (1e6,)})  # a member that says nothing
    first_test = int(folds_within(len(frames), config).spans[-1][1][0])
    close, changed = frames.close.copy(), features.copy()
    close[first_test:] = close[first_test:][::-1]
    changed[first_test:] *= -1.0
    other = replace(frames, open=close, high=close, low=close, close=close, vwap=close)
    path = fit(market, config, tmp_path)
    before, after = (load_bundle(each).manifest for each in (path, fit((other, changed), config, tmp_path)))
    assert before.test.log_loss != after.test.log_loss
    assert before.members == after.members
    for name in ("ridge.json", "lightgbm.txt", "calibration.json"):
        assert before.files[name] == after.files[name], name
    # and what does shape the ensemble was out of fold, and enough to see which member knows something
    assert [member.weight_frac > 0.8 for member in before.members] == [False, True]
    assert len(json.loads((path / "calibration.json").read_bytes())["up"]["raw"]) > 3


def test_windows_of_training_rows_behind_the_test_span_have_their_features(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ridge, "lookback_bars", lambda family, params: 5)
    learn = Ridge.fit
    last_frames: list[tuple[int, int]] = []

    def remember(family: Ridge, earlier: Dataset, validation: Dataset, whole: Dataset, *others: Any) -> Any:
        last = whole.windows_at(np.array([len(whole) - 1]), 5)
        np.testing.assert_allclose(last[0, -1], whole.rows[-1], rtol=1e-6)
        last_frames.append((int(whole.frame[-1]), int(validation.frame[-1])))
        return learn(family, earlier, validation, whole, *others)

    monkeypatch.setattr(Ridge, "fit", remember)
    fit(market, config_of("k_fold", members=("ridge",)), tmp_path)
    assert len(last_frames) == 5
