"""The check passes on the code that trains, and catches a selection that sees the whole sample."""

import numpy as np
import pytest

from configs.loader import load_settings
from configs.plan import sessions_around
from configs.schema import Settings
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.market.frame import IntArray
from outcry.market.sessions import Sessions
from outcry.models.dataset import Dataset
from training.leakcheck import LeakCheck, check_leaks

Market = tuple[Settings, LoadedMarket, Sessions]


@pytest.fixture(scope="module")
def market() -> Market:
    settings = load_settings(
        assignments=["features.groups=[momentum]", "training.n_folds=2", "training.n_threads=1"],
        options={"market": {"symbols": 2, "start": "2011-01-03"}},
    )
    market = load_market(settings.market)
    ts = market.frames.ts_close_ns
    return settings, market, sessions_around(market.calendar, int(ts[0]), int(ts[-1]))


def check(market: Market) -> LeakCheck:
    return check_leaks(*market, n_cuts=1, seed=3, on_progress=lambda step, fraction: None)


def test_features_targets_and_selection_know_nothing_of_the_future(market: Market) -> None:
    found = check(market)
    assert found.is_clean
    assert found.features.unproven == found.targets.unproven == ()
    assert (found.n_features, found.n_targets, found.n_folds) == (31, 14, 2)


def test_a_selection_on_the_whole_sample_is_caught(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(self: Dataset, frames: IntArray) -> Dataset:
        assert isinstance(frames, np.ndarray)
        return self

    monkeypatch.setattr(Dataset, "of_frames", whole)
    found = check(market)
    assert not found.is_clean
    assert [leak.fold for leak in found.selection] == [1, 2]
