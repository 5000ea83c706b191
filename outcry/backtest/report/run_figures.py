"""The figures that a run leaves behind for a comparison: ``run.json`` beside its report."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from outcry.backtest.analytics.session_returns import session_rows
from outcry.backtest.analytics.summary import Summary
from outcry.backtest.history import RunHistory
from outcry.backtest.report.number_format import duration, span
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray, IntArray

SCHEMA_VERSION = 1
FILE_NAME = "run.json"
BENCHMARK = "benchmark"
"""The setting that says what alpha, beta and their like are relative to."""


RELATIVE = ("alpha_per_year", "beta", "tracking_error_per_year", "information_ratio")
"""Figures that have a meaning only beside the benchmark."""


@dataclass(frozen=True, slots=True, eq=False)
class RunFigures:
    """Hold what a comparison needs of a run.

    Attributes
    ----------
    run_id : str
    initial_cash, risk_free_per_year, sessions_per_year : float
    session_close_ns : int64 (n_sessions,)
        The last close of every session.
    equity : float64 (n_sessions,)
        After it, currency.
    figures : mapping of str to float or None
        Key figures of the whole run.
    settings : mapping of str to str
    """

    run_id: str
    initial_cash: float
    risk_free_per_year: float
    sessions_per_year: float
    session_close_ns: IntArray
    equity: FloatArray
    figures: Mapping[str, float | None]
    settings: Mapping[str, str]


def figures_of(history: RunHistory, summary: Summary) -> RunFigures:
    """Return what a comparison needs of this run."""
    rows = session_rows(history.ts_close_ns)
    returns, trades, activity = summary.returns, summary.trades, summary.activity
    regression = summary.regression
    return RunFigures(
        run_id=history.run_id,
        initial_cash=history.initial_cash,
        risk_free_per_year=history.risk_free_per_year,
        sessions_per_year=returns.sessions_per_year,
        session_close_ns=history.ts_close_ns[rows],
        equity=history.equity[rows],
        figures={
            "total_return_frac": returns.total_return_frac,
            "annual_return_frac": returns.annual_return_frac,
            "final_equity": summary.final_equity,
            "sharpe": returns.sharpe,
            "sortino": returns.sortino,
            "calmar": summary.ratios.calmar,
            "volatility_per_year": returns.volatility_per_year,
            "max_drawdown_frac": summary.drawdown.max_frac,
            "cvar_95_frac": returns.cvar_95_frac,
            "n_trades": trades.n_trades,
            "win_rate_frac": trades.win_rate_frac,
            "profit_factor": trades.profit_factor,
            "turnover_per_year": activity.turnover_per_year,
            "time_in_market_frac": activity.time_in_market_frac,
            "costs": summary.costs.total,
            **dict.fromkeys(RELATIVE),
            **({} if regression is None else {name: getattr(regression, name) for name in RELATIVE}),
            "n_trials": summary.n_trials,
        },
        settings={
            "mode": history.mode,
            "source": history.source,
            "model": history.model_version,
            "symbols": ", ".join(history.universe.symbols),
            "bar": duration(history.bar_ns / 1e9),
            "traded": span(summary.trading_span_ns),
            "trained on": span(summary.training_span_ns),
            "initial cash": f"{history.initial_cash:,.2f}",
            BENCHMARK: summary.benchmark_name,
            **history.settings,
        },
    )


def figures_to_json(run: RunFigures) -> str:
    """Return the text of ``run.json``."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.run_id,
        "initial_cash": run.initial_cash,
        "risk_free_per_year": run.risk_free_per_year,
        "sessions_per_year": run.sessions_per_year,
        "session_close_ns": run.session_close_ns.tolist(),
        "equity": run.equity.tolist(),
        "figures": dict(run.figures),
        "settings": dict(run.settings),
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def load_figures(path: Path) -> RunFigures:
    """Read ``run.json``.

    Raises
    ------
    DataValidationError
        Where the file is not one, or of another version.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = record["schema_version"]
        if version != SCHEMA_VERSION:
            raise DataValidationError(f"{path} must be of schema version {SCHEMA_VERSION}, was {version}")
        run = RunFigures(
            run_id=str(record["run_id"]),
            initial_cash=float(record["initial_cash"]),
            risk_free_per_year=float(record["risk_free_per_year"]),
            sessions_per_year=float(record["sessions_per_year"]),
            session_close_ns=np.array(record["session_close_ns"], dtype=np.int64),
            equity=np.array(record["equity"], dtype=np.float64),
            figures={str(name): value for name, value in record["figures"].items()},
            settings={str(name): str(value) for name, value in record["settings"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataValidationError(f"{path} must hold the figures of a run, does not: {error!r}") from error
    if not len(run.equity) or run.equity.shape != run.session_close_ns.shape:
        raise DataValidationError(f"{path} must hold an equity a session, holds {len(run.equity)}")
    return run
