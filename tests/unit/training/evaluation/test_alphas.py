"""Alphas on four real stocks: tables of what is known, and a backtest of the same without a model."""

import json
from dataclasses import replace

import numpy as np
import pytest

from actors.fast import decide, forecast_frames, trade_frames
from configs.loader import load_settings
from configs.schema import Settings
from outcry.backtest.strategy import MarketView, Strategy
from outcry.errors import ConfigurationError, DataNotFoundError
from outcry.market.frame import FloatArray
from training.evaluation.alphas import COMBINED, decay_horizons, evaluate_alphas
from training.prepare import prepare_backtest
from training.retrain import trade_walk_forward


def settings_of(*assignments: str) -> Settings:
    return load_settings(
        assignments=[
            "market.symbols=[AAPL,GOOG,IBM,MSFT]",
            "market.start=2011-06-01",
            "market.end=2012-05-31",
            "alphas.names=[momentum_20_5,reversal_5]",
            "alphas.refit_frames=10",
            "alphas.min_payoffs=20",
            *assignments,
        ]
    )


def quiet(step: str, done: float) -> None: ...


def test_every_alpha_and_all_together_have_a_row() -> None:
    found = evaluate_alphas(settings_of("alphas.horizon_bars=3"), quiet)
    assert [row.name for row in found.rows] == ["alpha_momentum_20_5", "alpha_reversal_5", COMBINED]
    assert found.horizons == decay_horizons(3) == (1, 3, 6, 12, 36)
    assert found.n_frames == 253 - 20  # a year of sessions, and the returns of the first 20 are not known
    assert sum(row.mean_weight for row in found.rows if row.mean_weight is not None) == pytest.approx(1.0)
    for row in found.rows:
        assert row.skill.n_frames == found.n_frames
        assert row.skill.rank_ic is not None
        assert abs(row.skill.rank_ic.mean) < 0.3
        assert row.traded.sharpe is not None
        assert row.traded.turnover_per_year > 1.0
    assert found.correlations[0][1] == found.correlations[1][0]
    assert json.loads(json.dumps(found.to_record()))["rows"][0]["traded"]["sharpe"] == found.rows[0].traded.sharpe
    assert found.universe_sharpe is not None


def test_windows_that_are_longer_than_the_data_are_told() -> None:
    with pytest.raises(DataNotFoundError, match="253 frames must be more than the windows"):
        evaluate_alphas(settings_of("alphas.names=[momentum_300]"), quiet)


def test_alphas_alone_are_traded_without_a_model_and_only_where_the_settings_say_so() -> None:
    settings = settings_of("alphas.trade=true", "alphas.forecast=false")
    plan, model, warmup, frames = prepare_backtest(settings, None, None, quiet)
    assert model is None
    assert (len(warmup), len(frames)) == (0, 253)
    forecasts = forecast_frames(plan, model, warmup, frames, quiet)
    decided = decide(plan, warmup, frames, forecasts)
    assert np.isnan(forecasts.probability).all()
    assert np.isfinite(decided.probability[30:]).all()
    run, _ = trade_frames(plan, None, warmup, frames, forecasts, quiet)
    assert len(run.fills()) > 10
    off = settings.alphas.model_copy(update={"trade": False})
    plan = replace(plan, settings=settings.model_copy(update={"alphas": off}))
    assert decide(plan, warmup, frames, forecasts) is forecasts


class Flat(Strategy):
    def weights(self, view: MarketView) -> FloatArray:
        return np.zeros(view.close.shape)


def test_two_that_decide_and_a_walk_forward_that_trains_nothing_are_refused() -> None:
    settings = settings_of("alphas.trade=true", "alphas.forecast=false")
    with pytest.raises(ConfigurationError, match=r"alphas\.trade must be false where strategy Flat decides"):
        prepare_backtest(settings, Flat(), None, quiet)
    with pytest.raises(ConfigurationError, match=r"alphas\.forecast must be true in a walk-forward"):
        trade_walk_forward(settings, lambda market, jobs: [], quiet)
