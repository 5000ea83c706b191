"""The record of a frame: its statement and its parameters."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from outcry.adapters.postgres.ledger import APPLY_STEPS, update_columns
from outcry.adapters.postgres.runs import to_json
from outcry.adapters.snapshots import pack_arrays
from outcry.market.universe import Universe
from outcry.messages import AbstainReason, Book, Direction, Executions, Forecast, FrameOutcome, RiskEvent

FORECAST_STATE = "forecast"
"""The name of the snapshots that `Forecast.state` is kept as."""
_KEPT_STATES = 2

RECORD_FRAME = f"""
WITH mark AS (
    INSERT INTO equity (run_id, seq, ts_close_ns, cash, equity, realized_pnl, commission, slippage, gross_exposure,
                        net_exposure, drawdown_frac, is_halted, model_version, risk_state, dividends, carry)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $33, $34) ON CONFLICT DO NOTHING RETURNING seq
), prediction AS (
    INSERT INTO model_predictions (run_id, seq, model_version, symbol, probability_up, probability_neutral,
                                   probability_down, confidence, abstain)
    SELECT $1, $2, $13, list.* FROM mark, unnest(
        $15::text[], $16::float8[], $17::float8[], $18::float8[], $19::float8[], $35::text[]
    ) AS list
), history AS (
    INSERT INTO position_history (run_id, seq, symbol, quantity, avg_entry_price)
    SELECT $1, $2, list.* FROM mark, unnest($20::text[], $21::numeric[], $22::numeric[]) AS list
    RETURNING symbol, quantity, avg_entry_price
), position AS (
    INSERT INTO positions (run_id, symbol, quantity, avg_entry_price, updated_seq)
    SELECT $1, symbol, quantity, avg_entry_price, $2 FROM history
    ON CONFLICT (run_id, symbol) DO UPDATE SET quantity = excluded.quantity,
        avg_entry_price = excluded.avg_entry_price, updated_seq = excluded.updated_seq, updated_at = clock_timestamp()
), event AS (
    INSERT INTO risk_events (run_id, seq, limit_name, symbol, value, threshold, action, position)
    SELECT $1, $2, list.* FROM mark, unnest(
        $23::text[], $24::text[], $25::float8[], $26::float8[], $27::text[]
    ) WITH ORDINALITY AS list
), step AS (
    INSERT INTO order_updates (run_id, seq, phase, client_order_id, status, filled_quantity, reason, updated_seq,
                               position)
    SELECT $1, $2, 'submit', list.* FROM mark, unnest(
        $28::text[], $29::text[], $30::numeric[], $31::text[], $32::bigint[]
    ) WITH ORDINALITY AS list
    RETURNING client_order_id, status, filled_quantity, reason, updated_seq, position
), state AS (
    INSERT INTO snapshots (run_id, actor, seq, payload)
    SELECT $1, '{FORECAST_STATE}', $2, $36 FROM mark WHERE $36::bytea IS NOT NULL ON CONFLICT DO NOTHING
), old_state AS (
    DELETE FROM snapshots
    WHERE $36::bytea IS NOT NULL AND run_id = $1 AND actor = '{FORECAST_STATE}' AND seq < $2 - {_KEPT_STATES}
), {APPLY_STEPS}
"""  # noqa: S608 - put together from constants; values are parameters

RECORD_SHADOW = """
INSERT INTO shadow_predictions (run_id, seq, model_version, symbol, probability_up, probability_neutral,
                                probability_down)
SELECT $1, $2, $3, list.* FROM unnest($4::text[], $5::float8[], $6::float8[], $7::float8[]) AS list
ON CONFLICT DO NOTHING
"""


def shadow_columns(forecast: Forecast, universe: Universe) -> list[object]:
    """Return the parameters of `RECORD_SHADOW` after the run."""
    symbols, up, neutral, down, *_ = _prediction_columns(forecast, universe)
    return [forecast.seq, forecast.model_version, symbols, up, neutral, down]


def outcome_columns(outcome: FrameOutcome, universe: Universe) -> list[object]:
    """Return the parameters of `RECORD_FRAME` after the run."""
    book, verdict = outcome.book, outcome.verdict
    *prediction_columns, abstain = _prediction_columns(outcome.forecast, universe)
    value = book.quantity * np.where(book.quantity == 0, 0.0, book.price)
    return [
        outcome.seq,
        outcome.ts_close_ns,
        book.cash,
        book.equity,
        book.realized_pnl,
        book.commission,
        book.slippage,
        float(np.abs(value).sum()),
        float(value.sum()),
        verdict.drawdown_frac,
        verdict.is_halted,
        outcome.forecast.model_version,
        to_json(dict(verdict.risk_state)),
        *prediction_columns,
        *_position_columns(_changed(outcome.executions), book, universe),
        *_event_columns(verdict.events),
        *update_columns(outcome.submission.updates),
        book.dividends,
        book.carry,
        abstain,
        None if outcome.forecast.state is None else pack_arrays(outcome.forecast.state),
    ]


def _prediction_columns(forecast: Forecast, universe: Universe) -> list[list[object]]:
    """Leave out the symbols for which no forecast could be made."""
    made = np.flatnonzero(~np.isnan(forecast.probability).any(axis=1))
    by_class = forecast.probability[made]
    reasons = [0] * len(made) if forecast.abstain is None else forecast.abstain[made].tolist()
    return [
        [universe.symbols[index] for index in made.tolist()],
        *(by_class[:, column].tolist() for column in (Direction.UP, Direction.NEUTRAL, Direction.DOWN)),
        forecast.confidence[made].tolist(),
        [AbstainReason(reason).text for reason in reasons],
    ]


def _changed(executions: Executions) -> list[str]:
    """Only a fill and a split change a position."""
    split = {event.symbol for event in executions.events if event.quantity}
    return sorted(split | {fill.symbol for fill in executions.fills})


def _position_columns(symbols: Sequence[str], book: Book, universe: Universe) -> list[list[object]]:
    indices = [universe.index(symbol) for symbol in symbols]
    return [
        list(symbols),
        [_exact(book.quantity[index]) for index in indices],
        [_exact(book.entry_price[index]) for index in indices],
    ]


def _event_columns(events: tuple[RiskEvent, ...]) -> list[list[object]]:
    return [
        [event.limit for event in events],
        [event.symbol for event in events],
        [event.value for event in events],
        [event.threshold for event in events],
        [event.action for event in events],
    ]


def _exact(number: float) -> Decimal:
    return Decimal(str(float(number)))  # the shortest decimal that reads back as the same float
