"""What makes a result doubtful is said in words, by rules with a threshold."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from outcry.backtest.analytics.concentration import LARGE_FRAC, concentrations
from outcry.backtest.analytics.halt import find_halt
from outcry.backtest.analytics.regimes import REGIMES, market_regimes, regime_returns
from outcry.backtest.analytics.session_returns import DAY_NS, session_returns
from outcry.backtest.analytics.summary import analyse
from outcry.backtest.analytics.trade_metrics import SymbolProfit
from outcry.backtest.history import RunHistory, TradedWindow
from outcry.backtest.report.page import render_page
from outcry.market.universe import Universe
from outcry.messages import Input, InputKind, RiskEvent
from outcry.risk.events import to_risk_event
from outcry.risk.kernels.layout import FLATTENED, LIMIT_NAMES
from outcry.risk.kill_switch import apply_commands
from outcry.risk.state import RiskState

Build = Callable[..., RunHistory]


def by_the_ladder(seq: int) -> RiskEvent:
    numbers = (LIMIT_NAMES.index("drawdown"), -1, FLATTENED, 0, 0)
    return to_risk_event(seq, numbers, (0.16, 0.15), Universe(("AAA",), ("Other",)), np.array([[0.15, 0.0]]))


def by_an_operator(seq: int, kind: InputKind, **payload: str) -> RiskEvent:
    _, (event,) = apply_commands(RiskState(), seq, [Input(seq, kind, payload)])
    return event


def halted(history: RunHistory, *events: RiskEvent):
    return analyse(dataclasses.replace(history, risk_events=events)).summary


def test_a_halt_by_the_drawdown_limit_says_what_was_not_traded(build_history: Build) -> None:
    history = build_history(n=120)
    summary = halted(history, by_the_ladder(29))
    assert summary.halt is not None
    assert summary.halt.halted_frac == 90 / 120
    day = np.datetime64(int(history.ts_close_ns[29]), "ns").astype("datetime64[D]")
    assert summary.warnings[0] == (
        f"The drawdown limit halted the run on {day}, 16.0 % below its peak: 75 % of its frames were not traded, and "
        "every figure counts them as time at rest."
    )


def test_time_between_a_halt_and_its_end_counts(build_history: Build) -> None:
    events = (
        by_an_operator(9, InputKind.HALT, flatten="true"),
        by_an_operator(12, InputKind.HALT),
        by_an_operator(29, InputKind.RESUME),
        by_an_operator(109, InputKind.HALT),
    )
    summary = halted(build_history(n=120), *events)
    assert summary.halt is not None
    assert summary.halt.is_by_operator
    assert summary.halt.halted_frac == pytest.approx(30 / 120)
    assert summary.warnings[0].startswith("An operator halted the run on ")


def test_a_halt_after_the_last_frame_and_other_limits_take_nothing(build_history: Build) -> None:
    history = build_history(n=120)
    clipped = RiskEvent(3, "max_position", "AAA", 0.2, 0.1, "clipped to 5 of 10")
    assert halted(history, clipped).halt is None
    last = halted(history, by_the_ladder(119))
    assert last.halt is not None
    assert not any("halted" in text for text in last.warnings)
    assert find_halt(history) is None


def profit(symbol: str, net: float, traded: float = 1.0) -> SymbolProfit:
    return SymbolProfit(symbol, net, 0.0, 0.0, 0.0, traded, 1)


def years(*growth: float) -> tuple[np.ndarray, np.ndarray]:
    """Return closes and returns of years of 250 sessions that grow by so much each."""
    starts = [np.datetime64(f"{2001 + year}-01-05", "ns").astype(np.int64) for year in range(len(growth))]
    closes = np.concatenate([start + DAY_NS * np.arange(250) for start in starts])
    return closes, np.expm1(np.repeat(np.array(growth) / 250, 250))


@pytest.mark.parametrize(
    ("growth", "share", "is_single"),
    [
        ((0.1, 0.1, 0.1), 1 / 3, False),
        ((0.1, 0.79, 0.11), 0.79, False),
        ((0.09, 0.81, 0.1), 0.81, True),
        ((-0.1, 0.3, -0.1), 3.0, True),
    ],
)
def test_one_year_makes_the_profit_from_four_fifths_on(growth, share, is_single) -> None:
    (found,) = concentrations(*years(*growth), (), ())
    assert (found.kind, found.name if is_single else "2002", found.is_single) == ("year", "2002", is_single)
    assert found.share_frac == pytest.approx(share)
    assert found.time_frac == pytest.approx(1 / 3)


def test_losses_and_few_parts_have_no_concentration() -> None:
    assert concentrations(*years(0.1, 0.9), (profit("A", 5.0), profit("B", 0.0)), ()) == ()
    assert concentrations(*years(0.1, 0.2, -0.5), (), ()) == ()
    untraded = (profit("A", 5.0), profit("B", 0.1), profit("C", 0.0, traded=0.0))
    assert concentrations(*years(0.1, 0.1), untraded, ()) == ()


def test_one_symbol_makes_the_profit() -> None:
    closes, returns = years(0.1, 0.1)
    (found,) = concentrations(closes, returns, (profit("A", 9.0), profit("B", 0.5), profit("C", 0.5)), ())
    assert (found.kind, found.name, found.share_frac, found.is_single) == ("symbol", "A", 0.9, True)
    assert found.share_frac > LARGE_FRAC


def test_what_a_run_hangs_on_is_said(build_history: Build) -> None:
    history = build_history(n=800)
    steps = np.zeros(800)
    steps[100:300] = 0.002  # within its first year and the next one
    equity = history.initial_cash * np.exp(np.cumsum(steps + 1e-5 * np.random.default_rng(0).normal(size=800)))
    summary = analyse(dataclasses.replace(history, equity=equity)).summary
    said = [text for text in summary.warnings if "comes from one year alone" in text]
    assert len(said) == 1
    assert "2021" in said[0]
    assert " % of the sessions): without it" in said[0]


def test_a_regime_is_made_of_the_sessions_before_it() -> None:
    market = np.random.default_rng(3).normal(0.0, 0.01, 500) * np.repeat((1.0, 3.0), 250)
    regime = market_regimes(market)
    assert (regime[:64] == -1).all()
    assert (regime[64:] >= 0).all()
    for row in range(64, 500):
        rises = np.log1p(market[row - 63 : row]).sum() >= 0
        assert REGIMES[regime[row]].endswith("rising" if rises else "falling")
    deviation = np.array([market[row - 21 : row].std() for row in range(64, 500)])
    wild = np.array([REGIMES[place].startswith("wild") for place in regime[64:]])
    np.testing.assert_array_equal(wild, deviation > np.median(deviation))
    after = market.copy()
    after[400:] = -after[400:]  # as wild, the other way: no median changes, and no past
    np.testing.assert_array_equal(market_regimes(after)[:401], regime[:401])


def test_regimes_split_a_run_and_lose_nothing(build_history: Build) -> None:
    history = build_history(n=400)
    returns = session_returns(history.ts_close_ns, history.equity, history.initial_cash)
    found = regime_returns(history, returns, 252.0)
    assert sum(each.n_sessions for each in found) == 400 - 64
    assert sum(each.growth for each in found) == pytest.approx(np.log1p(returns[64:]).sum())
    assert regime_returns(build_history(n=100), returns[:100], 252.0) == ()
    page = render_page(history, analyse(history))
    assert "<h2>By state of the market</h2>" in page
    assert "Wild and falling" in page


def test_models_that_fit_their_past_are_named_in_the_report(build_history: Build) -> None:
    window = TradedWindow((0, 10**17), (10**17, 2 * 10**17), "m", 4.0, 0.1, 0.01, 0.2, 7)
    summary = analyse(dataclasses.replace(build_history(), windows=(window,) * 7)).summary
    assert summary.warnings[0].startswith("In-sample far above out-of-sample: a mean Sharpe ratio of 4.00")
