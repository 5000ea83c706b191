"""What the windows of a walk-forward made, and what they say about each other."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from outcry.backtest.analytics.drawdown_metrics import underwater
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.round_trips import Trade
from outcry.backtest.analytics.session_returns import session_returns, sessions_per_year
from outcry.backtest.history import TradedWindow
from outcry.backtest.windows import Window
from outcry.market.frame import FloatArray, IntArray

KEPT_FRAC = 0.5
"""Of an in-sample Sharpe ratio less than half is left: more than the discount that practice takes (Harvey and Liu,
Backtesting, 2015)."""
FEW_WINDOWS = 6
"""Below it a share of winning windows says little: five of five happen by luck once in 32."""


@dataclass(frozen=True, slots=True)
class Stability:
    """How alike the windows are.

    Attributes
    ----------
    n_windows : int
    winning_frac : float
        Share of windows that made money.
    mean_in_sample_sharpe, mean_out_of_sample_sharpe : float or None
        Over the windows where it is defined.
    sharpe_deviation : float or None
        Sample deviation of the out-of-sample Sharpe ratios; None for fewer than two.
    efficiency : float or None
        Walk-forward efficiency, mean out-of-sample over mean in-sample Sharpe ratio; None where the second is not
        above zero.
    best_return, worst_return : float
        Of a window, a fraction.
    cautions : tuple of str
        A sentence each, the weightiest first.

    References
    ----------
    Pardo, "The Evaluation and Optimization of Trading Strategies", 2008, chapter 11 (walk-forward efficiency, there of
    annualised profits).
    """

    n_windows: int
    winning_frac: float
    mean_in_sample_sharpe: float | None
    mean_out_of_sample_sharpe: float | None
    sharpe_deviation: float | None
    efficiency: float | None
    best_return: float
    worst_return: float
    cautions: tuple[str, ...]

    def to_record(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def sharpe_of_curve(
    ts_close_ns: IntArray, equity: FloatArray, initial_equity: float, bars_per_year: float, risk_free_per_year: float
) -> float | None:
    """Return the Sharpe ratio of session returns, a year; None without variance."""
    returns = session_returns(ts_close_ns, equity, initial_equity)
    return sharpe_ratio(returns, sessions_per_year(ts_close_ns, bars_per_year), risk_free_per_year)


def measure_window(
    window: Window,
    ts_close_ns: IntArray,
    equity: FloatArray,
    trades: Sequence[Trade],
    *,
    first_row: int,
    initial_cash: float,
    bars_per_year: float,
    risk_free_per_year: float,
    model_version: str,
    in_sample_sharpe: float | None,
) -> TradedWindow:
    """Measure the test span of a window within the one run that trades them all.

    Parameters
    ----------
    window : Window
    ts_close_ns : int64 (n_frames,)
        Of the whole market.
    equity : float64 (n_traded,)
        Of the run; its first value belongs to row `first_row` of the market.
    trades : sequence of Trade
        Of the run; a trade counts where it ends.
    first_row : int
    initial_cash : float
        Equity before the run.
    bars_per_year, risk_free_per_year : float
    model_version : str
    in_sample_sharpe : float or None
    """
    start, stop = window.test_start - first_row, window.test_stop - first_row
    before = float(equity[start - 1]) if start else initial_cash
    closes, curve = ts_close_ns[window.test_start : window.test_stop], equity[start:stop]
    span = (int(closes[0]), int(closes[-1]))
    return TradedWindow(
        train_span_ns=(int(ts_close_ns[window.train_start]), int(ts_close_ns[window.train_stop - 1])),
        test_span_ns=span,
        model_version=model_version,
        in_sample_sharpe=in_sample_sharpe,
        out_of_sample_sharpe=sharpe_of_curve(closes, curve, before, bars_per_year, risk_free_per_year),
        total_return=float(curve[-1]) / before - 1.0 if before > 0 else 0.0,
        max_drawdown=float(np.max(underwater(curve, before), initial=0.0)),
        n_trades=sum(span[0] <= trade.exit_ts_ns <= span[1] for trade in trades),
    )


def measure_stability(windows: Sequence[TradedWindow]) -> Stability:
    """Compare windows, of which there is at least one."""
    returns = np.array([window.total_return for window in windows])
    inside, outside = (
        [sharpe for sharpe in sharpes if sharpe is not None]
        for sharpes in zip(*((each.in_sample_sharpe, each.out_of_sample_sharpe) for each in windows), strict=True)
    )
    mean_inside = float(np.mean(inside)) if inside else None
    mean_outside = float(np.mean(outside)) if outside else None
    is_comparable = mean_inside is not None and mean_outside is not None and mean_inside > 0
    return Stability(
        n_windows=len(windows),
        winning_frac=float((returns > 0).mean()),
        mean_in_sample_sharpe=mean_inside,
        mean_out_of_sample_sharpe=mean_outside,
        sharpe_deviation=float(np.std(outside, ddof=1)) if len(outside) > 1 else None,
        efficiency=mean_outside / mean_inside if is_comparable else None,  # type: ignore[operator]  # neither is None
        best_return=float(returns.max()),
        worst_return=float(returns.min()),
        cautions=tuple(_cautions(returns, mean_inside, mean_outside)),
    )


def _cautions(returns: FloatArray, mean_inside: float | None, mean_outside: float | None) -> Iterator[str]:
    if mean_inside is None or mean_outside is None:
        yield "The models did not trade enough to be compared in and out of sample."
    elif mean_inside > 0 and mean_outside < KEPT_FRAC * mean_inside:
        yield (
            f"In-sample far above out-of-sample: a mean Sharpe ratio of {mean_inside:.2f} on the spans that the models "
            f"had learnt, {mean_outside:.2f} on those that came after; they fit their past."
        )
    n_won, n = int((returns > 0).sum()), len(returns)
    if 2 * n_won < n:
        yield f"Only {n_won} of {n} windows made money."
    growth = np.log1p(np.maximum(returns, -1.0 + 1e-12))
    if n > 1 and growth.sum() > 0 >= growth.sum() - growth.max():
        yield f"One window made it all: without its {100 * returns.max():+.1f} % nothing would be left of the profit."
    if n < FEW_WINDOWS:
        yield f"{n} window{'s are' if n > 1 else ' is'} few: a share of winning windows says little."
