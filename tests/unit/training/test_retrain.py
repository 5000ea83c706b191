"""Forecasts of many models are stitched: each frame has that of the newest model trained before it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actors.fast import forecast_frames, make_tape, trade_forecasts
from configs.loader import load_settings
from outcry.adapters.sources.load import load_market
from outcry.backtest.windows import WalkForwardConfig, Window, cut_windows, window_of_rows
from outcry.market.frame import DIVIDEND, NO_ACTION
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.models.bundle import load_bundle
from training.feature_table import FeatureTable
from training.prepare import prepare_run
from training.retrain import make_jobs, stitch_forecasts, trade_walk_forward
from training.window import WindowForecast, WindowJob, WindowMarket, own_frames, run_window

DAY_NS = 86_400 * 10**9


@pytest.fixture
def shared(market, config, tmp_path: Path) -> WindowMarket:
    frames, _ = market
    days = frames.ts_close_ns
    settings = load_settings(assignments=["features.set=small", f"floor.state_dir={tmp_path}"])
    return WindowMarket(
        settings=settings.model_copy(update={"training": config}),
        universe=Universe(("A", "B", "C"), ("x", "x", "x")),
        sessions=Sessions(days - DAY_NS // 2, days, days - DAY_NS, days // DAY_NS % 7),
        bar_ns=DAY_NS,
        bars_per_year=252.0,
        frames=frames,
        table=FeatureTable(tmp_path / "none.npy", ()),
    )


def windows_of(shared: WindowMarket, **values: object) -> tuple[Window, ...]:
    config = WalkForwardConfig(train_sessions=200, test_sessions=60, **values)
    return cut_windows(shared.frames.ts_close_ns, shared.sessions.close_ns, config, 3)


def fake_run(job: WindowJob) -> WindowForecast:
    """Answer with a model that forecasts the number of its window, and the last frame it was trained on."""
    probability = np.zeros((job.test[1] - job.test[0], 3, 3))
    probability[..., 0], probability[..., 1] = job.number, job.train[1] - 1
    abstain = np.full(probability.shape[:2], job.number, dtype=np.int8)
    return WindowForecast(job.number, Path(), f"model-{job.number}", None, probability, abstain, was_trained=True)


@pytest.mark.parametrize("scheme", ["rolling", "anchored"])
def test_a_frame_is_forecast_by_the_newest_model_trained_before_it(shared: WindowMarket, scheme: str):
    windows = windows_of(shared, scheme=scheme)
    jobs = make_jobs(shared, windows)
    stitched, abstain = stitch_forecasts(windows, [fake_run(job) for job in jobs])
    np.testing.assert_array_equal(stitched[:, 0, 0], window_of_rows(windows))
    assert abstain is not None
    np.testing.assert_array_equal(abstain[:, 0], window_of_rows(windows))
    rows = np.arange(windows[0].test_start, windows[-1].test_stop)
    last_seen = stitched[:, 0, 1]
    assert (last_seen + 5 < rows).all()
    newest = np.array([max(job.train[1] - 1 for job in jobs if job.train[1] + 5 <= row) for row in rows])
    np.testing.assert_array_equal(last_seen, newest)


def test_overlapping_windows_of_a_fixed_model_are_one_job_and_each_frame_is_traded_once(shared: WindowMarket):
    windows = windows_of(shared, scheme="fixed", step_sessions=20)
    (job,) = make_jobs(shared, windows)
    assert job.test == (windows[0].test_start, windows[-1].test_stop)
    assert job.judged == (windows[0].test_start, windows[0].test_stop)
    assert len(stitch_forecasts(windows, [fake_run(job)])[0]) == len(window_of_rows(windows))


def test_more_data_leaves_the_keys_of_the_windows_before_it(shared: WindowMarket):
    windows = windows_of(shared)
    shorter = replace(shared, frames=shared.frames.rows(0, windows[3].test_stop, first_seq=0))
    keys = [job.key for job in make_jobs(shared, windows)]
    assert [job.key for job in make_jobs(shorter, windows[:4])] == keys[:4]
    assert len(set(keys)) == len(keys)


def test_another_price_before_the_end_of_the_span_that_judges_a_model_is_another_training(shared: WindowMarket):
    windows = windows_of(shared)
    close = shared.frames.close.copy()
    close[windows[0].test_stop, 0] = 1.0
    changed = replace(shared, frames=replace(shared.frames, close=close))
    before, after = ([job.key for job in make_jobs(each, windows)] for each in (shared, changed))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, *[False] * (len(windows) - 1)]


def test_a_split_is_another_training_and_is_traded_in_sample(shared: WindowMarket):
    windows = windows_of(shared)
    actions = np.tile(NO_ACTION, (*shared.frames.close.shape, 1))
    actions[windows[1].test_start, 0, DIVIDEND] = 0.1
    paid = replace(shared, frames=replace(shared.frames, actions=actions))
    plain = replace(shared, frames=replace(shared.frames, actions=np.tile(NO_ACTION, (*shared.frames.close.shape, 1))))
    before, after = ([job.key for job in make_jobs(each, windows)] for each in (plain, paid))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, *[False] * (len(windows) - 1)]
    owned = own_frames(paid.frames)
    assert owned.actions is not None
    np.testing.assert_array_equal(owned.actions, actions)


def test_one_fixed_model_makes_what_a_backtest_of_its_bundle_makes(tmp_path: Path):
    settings = load_settings(
        assignments=[
            "features.set=small",
            "training.selection=[]",
            "walk_forward.inner_folds=1",
            "portfolio.entry_edge=0.02",
            "portfolio.exit_edge=0.0",
            "walk_forward.scheme=fixed",
            "walk_forward.train_sessions=250",
            "walk_forward.test_sessions=120",
            "report.benchmark=MSFT=0.6,cash=0.4",
            f"floor.state_dir={tmp_path}",
        ],
        options={"market": {"start": dt.date(2007, 1, 4), "end": dt.date(2008, 7, 30)}},
    )
    bundles: list[Path] = []

    def run_here(shared: WindowMarket, jobs: Sequence[WindowJob]) -> list[WindowForecast]:
        done = [run_window(shared, job) for job in jobs]
        bundles.extend(each.bundle for each in done)
        return done

    ours = trade_walk_forward(settings, run_here, show_nothing).history
    n_frames = len(load_market(settings.market).frames)
    training = settings.training.model_copy(update={"train_frac": (250 + 1e-6) / n_frames})
    prepared = prepare_run(
        settings.model_copy(update={"training": training}), bundle=bundles[0], on_progress=show_nothing
    )
    plan, n = prepared.plan, len(ours.ts_close_ns)
    frames = prepared.frames.rows(0, n, first_seq=0)
    forecasts = forecast_frames(plan, prepared.model, prepared.warmup, frames, show_nothing)
    theirs = trade_forecasts(plan, make_tape(plan, prepared.warmup, frames), forecasts, show_nothing)
    np.testing.assert_array_equal(ours.ts_close_ns, theirs.ts_close_ns)
    np.testing.assert_array_equal(ours.probability, forecasts.probability)
    np.testing.assert_array_equal(ours.equity, theirs.equity)
    assert ours.feature_quality == forecasts.feature_quality
    assert ours.benchmark is not None
    assert plan.benchmark is not None
    assert ours.benchmark.name == plan.benchmark.name == "60 % MSFT + 40 % cash (rebalanced monthly)"
    np.testing.assert_array_equal(ours.benchmark.closes, plan.benchmark.closes)
    assert ours.fills
    assert ours.windows[0].in_sample_sharpe is not None
    assert ours.training_span_ns is not None
    assert ours.training_span_ns[1] < ours.ts_close_ns[0]
    manifest = load_bundle(bundles[0]).manifest
    assert manifest.last_ts_ns == ours.training_span_ns[1]
    assert manifest.test.train_last_ts_ns < manifest.last_ts_ns
    assert manifest.test.first_ts_ns == ours.ts_close_ns[0]


def show_nothing(step: str, fraction: float) -> None:
    pass
