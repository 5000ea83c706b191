"""Sweeps in the database: what was tried, what came of it, and how often the same strategy was tried before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from pydantic import SecretStr

from outcry.adapters.postgres.database import Database
from outcry.adapters.postgres.runs import to_json
from outcry.market.frame import FloatArray


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """A sweep as it is started.

    Attributes
    ----------
    sweep_id : str
        A hash of market, settings, grid and strategy: the same sweep has the same one.
    strategy_name, market : str
        Trials of the same strategy on the same market count together, whatever sweep they are of.
    source : str
    symbols : tuple of str
    span_ns : tuple of int
        First and last close.
    grid, configuration : mapping
        JSON values, without secrets.
    n_points : int
    """

    sweep_id: str
    strategy_name: str
    market: str
    source: str
    symbols: tuple[str, ...]
    span_ns: tuple[int, int]
    grid: Mapping[str, Any]
    configuration: Mapping[str, Any]
    n_points: int


@dataclass(frozen=True, slots=True, eq=False)
class TrialRecord:
    """A trial that came to its end; `metrics` and `returns` are None where it failed with `error`."""

    trial_key: str
    point: Mapping[str, Any]
    configuration: Mapping[str, Any]
    initial_cash: float
    metrics: Mapping[str, Any] | None
    returns: FloatArray | None
    error: str = ""


class SweepJournal:
    """Write trials as they finish, and count them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: SecretStr | str) -> AsyncIterator["SweepJournal"]:
        """Yield a journal on one connection; raise `ServiceError` where the server cannot be reached."""
        async with Database.connect(url) as database:
            yield cls(database)

    async def create(self, sweep: SweepRecord) -> None:
        """Record a sweep; the same one again changes nothing but how many points were asked for, and when last."""
        await self._database.execute(
            """
            INSERT INTO sweeps (sweep_id, strategy_name, market, source, symbols, start_date, end_date, grid,
                                configuration, n_points)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (sweep_id) DO UPDATE SET updated_at = now(), n_points = excluded.n_points
            """,
            sweep.sweep_id,
            sweep.strategy_name,
            sweep.market,
            sweep.source,
            to_json(sweep.symbols),
            *(_instant(ts_ns) for ts_ns in sweep.span_ns),
            _plain_json(sweep.grid),
            _plain_json(sweep.configuration),
            sweep.n_points,
        )

    async def add(self, sweep_id: str, trials: Sequence[TrialRecord]) -> None:
        """Write trials in one statement; one that is there already is replaced."""
        if not trials:
            return
        rows = [_row(trial) for trial in trials]
        await self._database.execute(
            """
            INSERT INTO sweep_trials (sweep_id, trial_key, strategy_name, start_date, end_date, point, configuration,
                                      error, initial_capital, final_capital, total_return, sharpe_ratio, max_drawdown,
                                      win_rate, total_trades, metrics, session_returns)
            SELECT sweep_id, list.trial_key, strategy_name, start_date, end_date, list.point, list.configuration,
                   list.error, list.initial_cash, (list.metrics ->> 'final_equity')::numeric,
                   (list.metrics ->> 'total_return')::numeric, (list.metrics ->> 'sharpe')::numeric,
                   (list.metrics ->> 'max_drawdown')::numeric, (list.metrics ->> 'win_rate')::numeric,
                   (list.metrics ->> 'n_trades')::integer, list.metrics,
                   ARRAY(SELECT value::float8
                         FROM jsonb_array_elements_text(list.returns) WITH ORDINALITY AS each(value, n) ORDER BY n)
            FROM sweeps, jsonb_to_recordset($2::jsonb) AS list(
                trial_key text, point jsonb, configuration jsonb, error text, initial_cash numeric, metrics jsonb,
                returns jsonb
            )
            WHERE sweep_id = $1
            ON CONFLICT (sweep_id, trial_key) DO UPDATE SET
                error = excluded.error, initial_capital = excluded.initial_capital,
                final_capital = excluded.final_capital, total_return = excluded.total_return,
                sharpe_ratio = excluded.sharpe_ratio, max_drawdown = excluded.max_drawdown,
                win_rate = excluded.win_rate, total_trades = excluded.total_trades, metrics = excluded.metrics,
                session_returns = excluded.session_returns, created_at = clock_timestamp()
            """,
            sweep_id,
            _plain_json(rows),
        )

    async def finished(self, sweep_id: str) -> dict[str, TrialRecord]:
        """Return the trials of a sweep that did not fail, by key."""
        rows = await self._database.fetch(
            """
            SELECT trial_key, point, configuration, initial_capital, metrics, session_returns
            FROM sweep_trials WHERE sweep_id = $1 AND metrics IS NOT NULL
            """,
            sweep_id,
        )
        return {
            row["trial_key"]: TrialRecord(
                row["trial_key"],
                orjson.loads(row["point"]),
                orjson.loads(row["configuration"]),
                float(row["initial_capital"]),
                orjson.loads(row["metrics"]),
                np.array(row["session_returns"], dtype=np.float64),
            )
            for row in rows
        }

    async def known_sharpes(self, strategy_name: str, market: str) -> dict[str, float]:
        """Return the Sharpe ratio of one session of every trial ever made of a strategy on a market, by trial key.

        The same trial in several sweeps counts once; one that failed or never traded does not.
        """
        rows = await self._database.fetch(
            """
            SELECT DISTINCT ON (trial_key) trial_key, (metrics ->> 'session_sharpe')::float8 AS sharpe
            FROM sweep_trials JOIN sweeps USING (sweep_id)
            WHERE sweeps.strategy_name = $1 AND sweeps.market = $2 AND metrics ->> 'session_sharpe' IS NOT NULL
            ORDER BY trial_key, sweep_trials.created_at DESC
            """,
            strategy_name,
            market,
        )
        return {row["trial_key"]: row["sharpe"] for row in rows}


def _row(trial: TrialRecord) -> dict[str, Any]:
    return {
        "trial_key": trial.trial_key,
        "point": trial.point,
        "configuration": trial.configuration,
        "error": trial.error,
        "initial_cash": trial.initial_cash,
        "metrics": trial.metrics,
        "returns": [] if trial.returns is None else trial.returns.tolist(),
    }


def _plain_json(value: Any) -> str:
    """Return JSON text for a jsonb parameter; decimals and paths as text."""
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _instant(ts_ns: int) -> datetime:
    return datetime.fromtimestamp(ts_ns / 1e9, tz=UTC)
