"""The best rows of a sweep, and a line where there is no terminal."""

from actors.trials import TrialOutcome
from cli.grid import in_sample_text
from cli.grid_view import best_outcomes, best_table, point_text

METRICS = {"sortino": 1.0, "calmar": None, "total_return": 0.1, "max_drawdown": 0.05, "n_trades": 12}


def outcome(index: int, sharpe: float | None) -> TrialOutcome:
    return TrialOutcome(index, {**METRICS, "sharpe": sharpe}, None, "", 1.0)


FAILED = TrialOutcome(9, None, None, "broken", 1.0)


def test_best_come_first_and_equal_ones_in_the_order_of_the_sweep():
    outcomes = [outcome(3, 1.0), FAILED, outcome(1, 2.0), outcome(2, None), outcome(0, 1.0), outcome(4, -1.0)]
    assert [each.index for each in best_outcomes(outcomes, "sharpe", 3)] == [1, 0, 3]
    assert best_outcomes([FAILED], "sharpe", 3) == []


def test_table_has_a_column_a_key_and_a_row_an_outcome():
    points = [{"param.edge": 0.30000000000000004, "portfolio.allow_short": True}] * 5
    table = best_table([outcome(1, 2.0), outcome(0, 1.0)], points)
    assert table.row_count == 2
    assert [column.header for column in table.columns][:3] == ["trial", "edge", "allow short"]
    assert point_text(points[0]) == "param.edge=0.3 portfolio.allow_short=True"


def test_figures_are_called_in_sample():
    assert in_sample_text(7, is_forecast=False).startswith("In-sample: the best of 7 trials")
    assert "The forecasts are out of sample" in in_sample_text(7, is_forecast=True)
