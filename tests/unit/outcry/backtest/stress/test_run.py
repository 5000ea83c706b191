"""Every scenario is traded once, and one that fails takes nothing with it."""

from collections.abc import Callable

import numpy as np
import pytest

from outcry.backtest.analytics.benchmark import carry_forward
from outcry.backtest.stress.run import UNSTRESSED, stress_test
from outcry.backtest.stress.scenario import SCENARIOS, StressScenario
from outcry.backtest.stress.transform import stress_frames
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray, FrameTensor

Build = Callable[..., FrameTensor]
FALL = StressScenario(name="fall", market_shock_frac=-0.3, shock_sessions=10, recovery_sessions=20)


def hold(frames: FrameTensor) -> FloatArray:
    """Return the equity of one share each, after every traded frame."""
    return np.asarray(carry_forward(frames.close).sum(axis=1)[max(0, -frames.first_seq) :])


def test_holding_the_market_loses_the_shock_and_gets_it_back(build_frames: Build) -> None:
    frames = build_frames(80, 3, first_seq=-10)
    frames.close[10] = 100.0  # one share each is then an equal sum in each
    frames.high[10], frames.low[10] = 120.0, 80.0
    (result,) = stress_test(frames, (FALL,), hold, bars_per_year=252.0)
    assert result.scenario is FALL
    assert result.failure is None
    assert result.outcome is not None
    outcome = result.outcome
    assert (outcome.span.start_row, outcome.span.trough_row, outcome.span.recovered_row) == (10, 20, 40)
    np.testing.assert_allclose(outcome.equity, 300.0 * outcome.market, rtol=1e-12)
    np.testing.assert_allclose(outcome.stressed_equity, 300.0 * outcome.stressed_market, rtol=1e-12)
    assert outcome.resilience.shock_loss_frac == pytest.approx(0.3)
    assert outcome.resilience.return_lost_frac == 0.0
    assert outcome.resilience.protection == pytest.approx(0.5)


def test_each_tape_is_traded_once_in_order_and_reported(build_frames: Build) -> None:
    frames = build_frames(60, 3)
    traded: list[FrameTensor] = []
    reports: list[tuple[int, int, str]] = []

    def trade(tape: FrameTensor) -> FloatArray:
        traded.append(tape)
        return hold(tape)

    results = stress_test(frames, SCENARIOS, trade, bars_per_year=252.0, on_progress=lambda *each: reports.append(each))
    names = [scenario.name for scenario in SCENARIOS]
    assert [result.scenario.name for result in results] == names
    assert reports == [(done, 5, name) for done, name in enumerate([UNSTRESSED, *names], start=1)]
    assert traded[0] is frames
    for tape, scenario in zip(traded[1:], SCENARIOS, strict=True):
        np.testing.assert_array_equal(tape.close, stress_frames(frames, scenario).close)


def test_a_scenario_that_fails_is_named_and_the_others_are_kept(build_frames: Build) -> None:
    frames = build_frames(60, 3)
    n_runs = 0

    def trade(tape: FrameTensor) -> FloatArray:
        nonlocal n_runs
        n_runs += 1
        if n_runs == 3:
            raise ZeroDivisionError("no cash")
        return hold(tape)

    results = stress_test(frames, SCENARIOS, trade, bars_per_year=252.0)
    assert [result.outcome is None for result in results] == [False, True, False, False]
    failure = results[1].failure
    assert isinstance(failure, ZeroDivisionError)
    assert failure.__notes__ == [f"in the stress scenario {SCENARIOS[1].name}"]
    assert [result.failure for result in results if result.outcome] == [None] * 3


def test_an_error_of_the_unstressed_run_ends_the_test(build_frames: Build) -> None:
    with pytest.raises(DataValidationError, match=r"equity of shape \(50,\)"):
        stress_test(build_frames(60, 3, first_seq=-10), (FALL,), lambda tape: tape.close[:, 0], bars_per_year=252.0)


def test_a_start_may_be_given_among_the_traded_rows(build_frames: Build) -> None:
    frames = build_frames(60, 3, first_seq=-10)
    (result,) = stress_test(frames, (FALL,), hold, bars_per_year=252.0, start_row=25)
    assert result.outcome is not None
    assert len(result.outcome.equity) == len(result.outcome.market) == 35
    np.testing.assert_array_equal(result.outcome.equity, hold(frames)[15:])
    assert result.outcome.stressed_market[10] == pytest.approx(0.7)
    with pytest.raises(ConfigurationError, match="at least 10"):
        stress_test(frames, (FALL,), hold, bars_per_year=252.0, start_row=9)


def test_names_of_scenarios_must_differ(build_frames: Build) -> None:
    with pytest.raises(ConfigurationError, match="fall repeats"):
        stress_test(build_frames(60, 3), (FALL, FALL), hold, bars_per_year=252.0)
