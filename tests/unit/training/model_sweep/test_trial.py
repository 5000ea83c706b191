"""A trial is fitted, forecast, traded and judged fold after fold, whatever the kind of validation."""

from dataclasses import replace

import numpy as np
import pytest

from configs.loader import load_settings
from configs.plan import resolve_features, sessions_around
from configs.sectors import load_sectors
from outcry.adapters.sources.load import load_market
from outcry.backtest.analytics.session_returns import session_rows
from outcry.features.column import SCALE_BOUND_UNITS
from training.feature_table import FeatureTable
from training.folds import folds_within
from training.model_sweep.market import SearchMarket, share_market
from training.model_sweep.trial import run_trial, spans_of
from training.window import WindowMarket

SETTINGS = (
    "features.set=small",
    "training.selection=[]",
    "training.members=[ridge]",
    "training.n_threads=1",
    "portfolio.entry_edge=0.0",
    "portfolio.exit_edge=0.0",
)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> WindowMarket:
    """Two years of the sample, with features that are noise."""
    settings = load_settings(assignments=SETTINGS, options={"market": {"start": "2000-03-01", "end": "2002-03-01"}})
    loaded = load_market(settings.market, load_sectors())
    frames, symbols = loaded.frames, loaded.universe.symbols
    columns = resolve_features(settings.features, loaded.bar_ns, symbols).columns
    names = [column.name for column in columns if column.unit not in SCALE_BOUND_UNITS][:4]
    path = tmp_path_factory.mktemp("features") / "features.npy"
    np.save(path, np.random.default_rng(1).standard_normal((len(frames), len(symbols), len(names))))
    return WindowMarket(
        settings=settings,
        universe=loaded.universe,
        sessions=sessions_around(loaded.calendar, int(frames.ts_close_ns[0]), int(frames.ts_close_ns[-1])),
        bar_ns=loaded.bar_ns,
        bars_per_year=loaded.calendar.bars_per_year(loaded.bar_ns),
        frames=frames,
        table=FeatureTable(path, tuple(names)),
    )


def search_of(market: WindowMarket, *assignments: str) -> SearchMarket:
    settings = load_settings(assignments=[*SETTINGS, *assignments])
    return share_market(replace(market, settings=settings), lambda step, fraction: None)


@pytest.mark.parametrize("kind", ["k_fold", "combinatorial"])
def test_frames_on_both_sides_of_what_was_learnt_are_judged_and_a_session_is_traded_once(
    market: WindowMarket, kind: str
) -> None:
    search = search_of(market, f"training.validation.kind={kind}", "training.n_folds=3")
    results = list(run_trial(search, {}))
    *judged, _ = folds_within(len(market.frames), search.training).spans
    assert [result.n_folds for result in results] == [1, 2, 3]
    assert len(judged) == 3
    tested = np.unique(np.concatenate([test for _, test in judged]))
    assert len(results[-1].returns) == len(session_rows(market.frames.ts_close_ns[tested]))
    assert np.isfinite(results[-1].returns).all()
    assert results[-1].returns.std() > 0.0
    assert results[-1].log_loss < 1.2


def test_a_trial_of_several_horizons_learns_each_of_them(market: WindowMarket) -> None:
    results = list(run_trial(search_of(market, "training.members=[ridge@1,ridge@20]", "training.n_folds=3"), {}))
    assert [result.n_folds for result in results] == [1, 2]
    alone = list(run_trial(search_of(market, "training.members=[ridge@20]", "training.n_folds=3"), {}))
    assert results[-1].log_loss != alone[-1].log_loss


def test_spans_end_where_frames_are_missing() -> None:
    assert [span.tolist() for span in spans_of(np.array([2, 3, 4, 8, 9, 20]))] == [[2, 3, 4], [8, 9], [20]]
    assert [span.tolist() for span in spans_of(np.array([5, 6]))] == [[5, 6]]
