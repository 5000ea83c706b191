"""Two runs side by side: their figures, and what can be said over the sessions that both traded."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from outcry.backtest.analytics.paired_test import PairedTest, paired_test
from outcry.backtest.analytics.session_returns import DAY_NS
from outcry.backtest.report.number_format import money, percent, plain
from outcry.backtest.report.run_figures import BENCHMARK, RELATIVE, RunFigures
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray, IntArray

SEED = 20_241
CHANCE = 0.05

_PERCENT, _NUMBER, _COUNT, _MONEY = "percent", "number", "count", "money"
_ROWS = (
    ("total_return_frac", "Total return", _PERCENT),
    ("annual_return_frac", "Return per year (CAGR)", _PERCENT),
    ("final_equity", "Final equity", _MONEY),
    ("sharpe", "Sharpe ratio", _NUMBER),
    ("sortino", "Sortino ratio", _NUMBER),
    ("calmar", "Calmar ratio", _NUMBER),
    ("volatility_per_year", "Volatility per year", _PERCENT),
    ("max_drawdown_frac", "Largest drawdown", _PERCENT),
    ("cvar_95_frac", "CVaR 95 %, one session", _PERCENT),
    ("n_trades", "Closed trades", _COUNT),
    ("win_rate_frac", "Win rate", _PERCENT),
    ("profit_factor", "Profit factor", _NUMBER),
    ("turnover_per_year", "Turnover per year", _NUMBER),
    ("time_in_market_frac", "Time in the market", _PERCENT),
    ("costs", "Costs", _MONEY),
    ("alpha_per_year", "Alpha per year", _PERCENT),
    ("beta", "Beta", _NUMBER),
    ("tracking_error_per_year", "Tracking error per year", _PERCENT),
    ("information_ratio", "Information ratio", _NUMBER),
    ("n_trials", "Trials it was chosen from", _COUNT),
)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two runs over the sessions that both traded.

    Attributes
    ----------
    first, second : RunFigures
    common_close_ns : int64 (n,)
        Of the first run, closes of the sessions that both have.
    first_equity, second_equity : float64 (n,)
        There, in multiples of the first of them.
    test : PairedTest or None
        None for too few common sessions.
    """

    first: RunFigures
    second: RunFigures
    common_close_ns: IntArray
    first_equity: FloatArray
    second_equity: FloatArray
    test: PairedTest | None

    @property
    def verdict(self) -> str:
        """Whether the runs can be told apart, in one sentence."""
        test = self.test
        if test is None:
            return f"Too few common sessions, {len(self.common_close_ns)}, to tell the runs apart."
        gap = test.mean_per_year
        if np.array_equal(self.first_equity, self.second_equity):
            return f"The runs had the same result in each of {test.n_sessions:,} common sessions."
        better = self.first if gap.value > 0 else self.second
        told = "cannot be told from luck" if gap.p_value > CHANCE else "is more than luck makes of it"
        return (
            f"Run {better.run_id} earned {percent(abs(gap.value))} a year more over {test.n_sessions:,} common "
            f"sessions; that {told} (p = {gap.p_value:.3f})."
        )

    @property
    def benchmark_note(self) -> str | None:
        """What to say where the runs were measured against different benchmarks; None where it is the same one."""
        a, b = (run.settings.get(BENCHMARK, "one not recorded") for run in (self.first, self.second))
        if a == b:
            return None
        return f"Their benchmarks differ, and what is relative to them cannot be compared: {a}, and {b}."

    def figure_rows(self) -> list[tuple[str, str, str, str]]:
        """Return name, both values and the difference of each key figure, as text."""
        rows = []
        for key, name, kind in _ROWS:
            a, b = self.first.figures.get(key), self.second.figures.get(key)
            is_apart = key in RELATIVE and self.benchmark_note is not None
            gap = None if a is None or b is None or is_apart else a - b
            rows.append((name, _text(a, kind), _text(b, kind), _text(gap, kind, signed=True)))
        return rows

    def test_rows(self) -> list[tuple[str, str, str, str]]:
        """Return name, difference, interval and p-value of each test, as text."""
        test = self.test
        if test is None:
            return []
        gap = test.mean_per_year
        mean = (
            "Mean return per year",
            percent(gap.value, signed=True),
            f"{percent(gap.low, signed=True)} to {percent(gap.high, signed=True)}",
            plain(gap.p_value, 3),
        )
        ratio = test.sharpe
        if ratio is None:
            return [mean]
        interval = f"{ratio.low:+.2f} to {ratio.high:+.2f}"
        return [mean, ("Sharpe ratio", f"{ratio.value:+.2f}", interval, plain(ratio.p_value, 3))]

    def setting_rows(self) -> list[tuple[str, str, str]]:
        """Return the settings that differ, with both values."""
        names = dict.fromkeys((*self.first.settings, *self.second.settings))
        pairs = [(name, self.first.settings.get(name, "-"), self.second.settings.get(name, "-")) for name in names]
        return [(name, a, b) for name, a, b in pairs if a != b]

    def to_record(self) -> dict[str, Any]:
        """Return the comparison as plain values, for JSON."""
        names = [key for key, _, _ in _ROWS]
        return {
            "verdict": self.verdict,
            "runs": [self.first.run_id, self.second.run_id],
            "benchmark_note": self.benchmark_note,
            "n_common_sessions": len(self.common_close_ns),
            "figures": {key: [self.first.figures.get(key), self.second.figures.get(key)] for key in names},
            "test": None if self.test is None else asdict(self.test),
            "settings": {name: [a, b] for name, a, b in self.setting_rows()},
        }


def compare_runs(first: RunFigures, second: RunFigures) -> Comparison:
    """Compare two runs; deterministic, the bootstrap has a fixed seed.

    Returns are from common session to common session; the first one from the initial cash where both runs begin there.

    Raises
    ------
    DataValidationError
        Where the runs have no session in common.
    """
    days = [(run.session_close_ns - 1) // DAY_NS for run in (first, second)]
    _, row_a, row_b = np.intersect1d(days[0], days[1], assume_unique=True, return_indices=True)
    if not len(row_a):
        raise DataValidationError(
            f"runs {first.run_id} and {second.run_id} must have a session in common, have none: they traded "
            f"{first.settings.get('traded', '?')} and {second.settings.get('traded', '?')}"
        )
    curves = [first.equity[row_a], second.equity[row_b]]
    if row_a[0] == 0 and row_b[0] == 0:
        curves = [
            np.concatenate(([run.initial_cash], curve)) for run, curve in zip((first, second), curves, strict=True)
        ]
    returns = [np.divide(np.diff(c), c[:-1], out=np.zeros(len(c) - 1), where=c[:-1] > 0) for c in curves]
    test = paired_test(
        returns[0],
        returns[1],
        first.sessions_per_year,
        np.random.default_rng(SEED),
        risk_free_per_year=first.risk_free_per_year,
    )
    scaled = [curve[-len(row_a) :] / curve[0] for curve in curves]
    return Comparison(first, second, first.session_close_ns[row_a], scaled[0], scaled[1], test)


def _text(value: float | None, kind: str, *, signed: bool = False) -> str:
    if kind == _PERCENT:
        return percent(value, signed=signed)
    if kind == _MONEY:
        return money(value, signed=signed)
    if value is not None and kind == _COUNT:
        return f"{value:{'+' if signed else ''},.0f}"
    return plain(value) if value is None or not signed else f"{round(value, 2) or 0.0:+,.2f}"
