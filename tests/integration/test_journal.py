"""The journal against a real PostgreSQL: what is committed stands, a repeat changes nothing."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import asyncpg
import numpy as np
import pytest

from actors.forecast_state import read_forecast_state
from outcry.adapters.postgres.journal import PostgresJournal
from outcry.adapters.postgres.ledger import PostgresLedger
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.record import FORECAST_STATE
from outcry.adapters.postgres.runs import RunRecord, RunRegistry
from outcry.errors import ExecutionError, RecoveryError, ServiceError
from outcry.market.frame import ACTION_FIELDS, BAR_FIELDS, NO_ACTION, TAPE_FIELDS, FrameTensor, stack_frames
from outcry.market.universe import Universe
from outcry.messages import (
    AbstainReason,
    Book,
    Executions,
    FeatureFrame,
    Fill,
    Forecast,
    FrameOutcome,
    Input,
    InputKind,
    LedgerEvent,
    LedgerEventKind,
    OrderIntent,
    OrderStatus,
    OrderType,
    OrderUpdated,
    RiskEvent,
    Side,
    Submission,
    TimeInForce,
    Verdict,
)
from outcry.models.forecast import ForecastState

UNIVERSE = Universe(("AAPL", "BRK.B", "BTC/USD", "IBM"), ("Tech", "Financials", "Crypto", "Tech"))
BAR_NS = 300 * 10**9
START_NS = 1_700_000_000 * 10**9


def make_frames(
    n_frames: int, *, first_seq: int = 0, seed: int = 7, has_tape: bool = False, has_actions: bool = False
) -> FrameTensor:
    """Bars with every kind of float, and holes; half of the tape is not known, and little happens to the shares."""
    rng = np.random.default_rng(seed)
    shape = (n_frames, len(UNIVERSE))
    present = rng.random(shape) > 0.3
    columns = {name: np.where(present, np.exp(rng.normal(3, 4, shape)), np.nan) for name in BAR_FIELDS}
    ts_close_ns = START_NS + BAR_NS * np.arange(first_seq, first_seq + n_frames, dtype=np.int64)
    tape = None
    if has_tape:
        is_known = present[..., None] & (rng.random((*shape, len(TAPE_FIELDS))) > 0.5)
        tape = np.where(is_known, np.exp(rng.normal(3, 4, is_known.shape)), np.nan)
    actions = None
    if has_actions:
        actions = np.tile(NO_ACTION, (*shape, 1))
        happens = present & (rng.random(shape) < 0.05)
        actions[happens] = np.exp(rng.normal(0, 1, (happens.sum(), len(ACTION_FIELDS))))
    return FrameTensor(
        first_seq=first_seq, ts_close_ns=ts_close_ns, present=present, tape=tape, actions=actions, **columns
    )


def assert_bitwise_equal(one: FrameTensor, other: FrameTensor) -> None:
    assert one.first_seq == other.first_seq
    for name in ("ts_close_ns", *BAR_FIELDS, "present"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    for name in ("tape", "actions"):
        extra, other_extra = getattr(one, name), getattr(other, name)
        if extra is None or other_extra is None:
            assert extra is other_extra
        else:
            assert extra.tobytes() == other_extra.tobytes()


def make_order(seq: int, symbol: str = "AAPL", *, side: Side = Side.BUY, quantity: str = "100") -> OrderIntent:
    return OrderIntent(f"{seq}-{symbol}-{uuid.uuid4().hex[:8]}", seq, symbol, side, Decimal(quantity))


def make_verdict(
    seq: int, *orders: OrderIntent, cancels: tuple[str, ...] = (), inputs: tuple[Input, ...] = ()
) -> Verdict:
    return Verdict(
        seq,
        orders,
        cancels,
        (RiskEvent(seq, "position", "AAPL", 0.31, 0.25, "clipped"),),
        is_halted=False,
        drawdown_frac=0.0125,
        risk_state={"peak_equity": "1000000.10", "rung": "0"},
        inputs=inputs,
    )


def make_fill(order: OrderIntent, seq: int, quantity: str, price: str = "190.07") -> Fill:
    return Fill(
        f"{order.client_order_id}-{seq}",
        order.client_order_id,
        seq,
        START_NS + seq * BAR_NS,
        order.symbol,
        order.side,
        Decimal(quantity),
        Decimal(price),
        Decimal("0.35"),
        Decimal("1.9007"),
    )


def make_executions(
    seq: int, fills: tuple[Fill, ...], updates: tuple[OrderUpdated, ...], events: tuple[LedgerEvent, ...] = ()
) -> Executions:
    return Executions(seq, fills, updates, np.zeros(len(UNIVERSE)), events)


def make_event(seq: int, kind: LedgerEventKind, symbol: str, quantity: str, amount: str) -> LedgerEvent:
    return LedgerEvent(seq, START_NS + seq * BAR_NS, kind, symbol, Decimal(quantity), Decimal(amount))


def make_outcome(
    seq: int, executions: Executions, verdict: Verdict, *answers: OrderUpdated, equity: str = "1000123.4500"
) -> FrameOutcome:
    n_symbols = len(UNIVERSE)
    probability = np.tile([0.5, 0.3, 0.2], (n_symbols, 1)) + 0.1 * np.arange(n_symbols)[:, None]
    probability[1] = np.nan
    ts_close_ns = START_NS + seq * BAR_NS
    book = Book(
        seq,
        ts_close_ns,
        cash=Decimal("900000.10"),
        equity=Decimal(equity),
        realized_pnl=Decimal("12.30"),
        commission=Decimal("0.35"),
        slippage=Decimal("1.9007"),
        dividends=Decimal("7.000001"),
        carry=Decimal("-0.250000"),
        quantity=np.array([100.0, 0.0, -2.5, 0.0]),
        working=np.zeros(n_symbols),
        entry_price=np.array([190.07, 0.0, 1 / 3, 0.0]),
        price=np.array([191.0, np.nan, 2.0, np.nan]),
        stale=np.zeros(n_symbols, dtype=np.bool_),
    )
    abstain = np.array([AbstainReason.PREDICTION_SET, 0, 0, AbstainReason.DISAGREEMENT], dtype=np.int8)
    certain, volatility = np.full(n_symbols, 0.25), np.full(n_symbols, 0.2)
    forecast = Forecast(seq, probability, certain, volatility, "model-1", abstain=abstain)
    features = FeatureFrame(seq, ts_close_ns, np.zeros((n_symbols, 2)), np.zeros(n_symbols, dtype=np.bool_))
    submission = Submission(seq, verdict.orders, answers)
    return FrameOutcome(seq, ts_close_ns, executions, book, forecast, verdict, submission, features)


@pytest.fixture
async def run_id(postgres_url: str) -> str:
    name = f"run-{uuid.uuid4().hex[:12]}"
    async with RunRegistry.connect(postgres_url) as registry:
        await registry.create(
            RunRecord(name, {"mode": "local"}, UNIVERSE, "XNYS", "5min", BAR_NS, "parquet", 99, "f00d", "/b", "v1")
        )
    return name


@pytest.fixture
async def journal(postgres_url: str, run_id: str) -> AsyncIterator[PostgresJournal]:
    opened = await PostgresJournal.open(postgres_url, run_id, UNIVERSE)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(postgres_url: str, run_id: str) -> AsyncIterator[PostgresLedger]:
    opened = await PostgresLedger.open(postgres_url, run_id)
    yield opened
    await opened.close()


@pytest.fixture
async def reader(postgres_url: str, run_id: str) -> AsyncIterator[JournalReader]:
    async with JournalReader.connect(postgres_url, run_id) as opened:
        yield opened


async def count_rows(url: str, run_id: str) -> dict[str, int]:
    """Rows of this run in every table that a frame writes."""
    tables = (
        "frames ohlcv_bars inputs decisions order_intents orders order_updates fills ledger_events equity positions "
        "position_history model_predictions risk_events snapshots"
    )
    connection = await asyncpg.connect(url)
    try:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table} WHERE run_id = $1", run_id)  # noqa: S608 - table names above
            for table in tables.split()
        }
    finally:
        await connection.close()


async def trade_two_frames(
    journal: PostgresJournal, ledger: PostgresLedger, frames: FrameTensor, order: OrderIntent
) -> None:
    """Every write of a run, in its order; `order` is decided in the first frame and fills in the second."""
    seq = order.seq
    accepted = OrderUpdated(order.client_order_id, seq, OrderStatus.ACCEPTED, Decimal(0))
    filled = OrderUpdated(order.client_order_id, seq + 1, OrderStatus.FILLED, order.quantity)
    paid = make_event(seq + 1, LedgerEventKind.DIVIDEND, order.symbol, "0", "1.250000")
    executions = make_executions(seq + 1, (make_fill(order, seq + 1, str(order.quantity)),), (filled,), (paid,))
    verdict = make_verdict(seq, order, inputs=(Input(seq, InputKind.MODEL_SWAPPED, {"model_version": "v2"}),))
    await journal.append(frames.frame(seq))
    await ledger.commit_orders(verdict)
    await journal.record(make_outcome(seq, make_executions(seq, (), ()), verdict, accepted))
    await journal.append(frames.frame(seq + 1))
    await ledger.commit_executions(executions)
    await journal.record(make_outcome(seq + 1, executions, make_verdict(seq + 1)))
    await journal.save_snapshot("shard-0", seq + 1, b"\x00state")


@pytest.mark.parametrize("has_actions", [False, True])
@pytest.mark.parametrize("has_tape", [False, True])
async def test_frames_come_back_bit_for_bit_with_their_holes(
    journal: PostgresJournal, reader: JournalReader, has_tape: bool, has_actions: bool
) -> None:
    for seed in range(3):
        frames = make_frames(20, first_seq=20 * seed, seed=seed, has_tape=has_tape, has_actions=has_actions)
        for frame in frames:
            await journal.append(frame)
        assert_bitwise_equal(await reader.frames(frames.first_seq, frames.last_seq), frames)
    for seq in range(20):
        one = make_frames(20, seed=0, has_tape=has_tape, has_actions=has_actions).frame(seq)
        assert_bitwise_equal(await reader.frames(seq, seq), stack_frames([one]))


async def test_what_is_not_known_of_a_tape_is_null_and_a_frame_without_one_has_nothing_else(
    journal: PostgresJournal, postgres_url: str, run_id: str
) -> None:
    taped = make_frames(30, has_tape=True)
    await journal.append_warmup(taped.rows(0, 10, first_seq=-10))
    for seq in range(10, 30):
        await journal.append(taped.frame(seq))
    await journal.append(make_frames(1, first_seq=30).frame(30))
    connection = await asyncpg.connect(postgres_url)
    counts = ", ".join(f"count({name}), count(*) FILTER (WHERE {name} = 'NaN')" for name in TAPE_FIELDS)
    by_tape = f"""
        SELECT has_tape, {counts} FROM ohlcv_bars JOIN frames USING (run_id)
        WHERE run_id = $1 AND ts = to_timestamp(0) + ts_close_ns / 1000 * INTERVAL '1 microsecond'
        GROUP BY has_tape ORDER BY has_tape
    """  # noqa: S608 - names of columns
    rows = await connection.fetch(by_tape, run_id)
    await connection.close()
    assert taped.tape is not None
    n_known = np.count_nonzero(~np.isnan(taped.tape), axis=(0, 1)).tolist()
    assert list(rows[0].values()) == [False, *(0 for name in TAPE_FIELDS for _ in range(2))]
    assert list(rows[1].values()) == [True, *(count for known in n_known for count in (known, 0))]


async def test_frame_of_a_tape_that_knows_nothing_is_not_one_without_a_tape(
    journal: PostgresJournal, reader: JournalReader
) -> None:
    frames = make_frames(3, has_tape=True)
    unknown = replace(frames, tape=np.full((3, len(UNIVERSE), len(TAPE_FIELDS)), np.nan))
    without = replace(make_frames(1, first_seq=3))
    for frame in (*unknown, *without):
        await journal.append(frame)
    assert_bitwise_equal(await reader.frames(0, 2), unknown)
    assert_bitwise_equal(await reader.frames(3, 3), without)


async def test_extreme_floats_come_back_bit_for_bit(journal: PostgresJournal, reader: JournalReader) -> None:
    extremes = np.array([[5e-324, -0.0, np.nextafter(1.0, 2.0), 1.7976931348623157e308]])
    tape = np.stack([extremes] * len(TAPE_FIELDS), axis=-1)
    frames = FrameTensor(0, np.array([START_NS]), *(extremes,) * 6, np.ones((1, 4), dtype=np.bool_), tape)
    await journal.append(frames.frame(0))
    assert_bitwise_equal(await reader.frames(0, 0), frames)


async def test_frame_without_any_bar_is_a_frame(journal: PostgresJournal, reader: JournalReader) -> None:
    holes = np.full((1, 4), np.nan)
    for seq, tape in enumerate((None, np.full((1, 4, len(TAPE_FIELDS)), np.nan))):
        ts_close_ns, absent = np.array([START_NS + seq * BAR_NS]), np.zeros((1, 4), dtype=np.bool_)
        frames = FrameTensor(seq, ts_close_ns, *(holes,) * 6, absent, tape)
        await journal.append(frames.frame(seq))
        assert_bitwise_equal(await reader.frames(seq, seq), frames)


@pytest.mark.parametrize("has_tape", [False, True])
async def test_warmup_comes_back_bit_for_bit_and_is_written_once(
    journal: PostgresJournal, reader: JournalReader, has_tape: bool
) -> None:
    warmup = make_frames(500, first_seq=-500, has_tape=has_tape, has_actions=not has_tape)
    await journal.append_warmup(warmup)
    await journal.append_warmup(warmup)
    assert_bitwise_equal(await reader.frames(-500, -1), warmup)
    assert await reader.first_seq() == -500
    assert await reader.last_completed_seq() == -1
    with pytest.raises(RecoveryError, match="written once"):
        await journal.append_warmup(make_frames(510, first_seq=-510))
    with pytest.raises(RecoveryError, match="must be in the journal, found 500"):
        await reader.frames(-500, 3)


async def test_every_write_repeated_changes_no_row(
    journal: PostgresJournal, ledger: PostgresLedger, reader: JournalReader, postgres_url: str, run_id: str
) -> None:
    frames, order = make_frames(2), make_order(0)
    await trade_two_frames(journal, ledger, frames, order)
    once = await count_rows(postgres_url, run_id)
    assert min(once.values()) >= 1
    before = await reader.orders(), await reader.fills(), await reader.inputs(), await reader.risk_events()
    await trade_two_frames(journal, ledger, frames, order)
    assert await count_rows(postgres_url, run_id) == once
    assert (await reader.orders(), await reader.fills(), await reader.inputs(), await reader.risk_events()) == before
    assert before[0][0].status is OrderStatus.FILLED


async def test_command_takes_effect_at_the_next_frame_and_at_no_other(
    journal: PostgresJournal, reader: JournalReader, postgres_url: str, run_id: str
) -> None:
    frames = make_frames(3)
    assert await journal.append(frames.frame(0)) == ()
    async with RunRegistry.connect(postgres_url) as registry:
        await registry.add_command(run_id, "halt", {"reason": "drill", "flatten": "true"})
        await journal.add_command("resume", {})
        expected = (
            Input(1, InputKind.HALT, {"reason": "drill", "flatten": "true"}),
            Input(1, InputKind.RESUME, {}),
        )
        assert await journal.append(frames.frame(1)) == expected
        await journal.add_command("halt", {"reason": "late"})
        assert await journal.append(frames.frame(1)) == expected
        assert await journal.append(frames.frame(2)) == (Input(2, InputKind.HALT, {"reason": "late"}),)
        assert [command.seq for command in await registry.commands(run_id)] == [1, 1, 2]
    assert (await reader.inputs(1, 1))[1] == expected


async def test_first_orders_of_a_frame_stand(ledger: PostgresLedger, reader: JournalReader) -> None:
    limit = replace(
        make_order(4, "BRK.B", side=Side.SELL, quantity="0.50"),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal("410.10"),
    )
    first = (make_order(4), limit)
    assert await ledger.commit_orders(make_verdict(4, *first, cancels=("*",))) == first
    assert await ledger.commit_orders(make_verdict(4, make_order(4, "IBM"))) == first
    assert await ledger.commit_orders(make_verdict(4)) == first
    found = [record.intent for record in await reader.orders()]
    assert tuple(found) == first
    assert str(found[1].quantity) == "0.50"
    assert await ledger.commit_orders(make_verdict(5)) == ()


async def test_orders_commit_together_or_not_at_all(ledger: PostgresLedger, postgres_url: str, run_id: str) -> None:
    order = make_order(1)
    with pytest.raises(ServiceError, match="order_intents"):
        await ledger.commit_orders(make_verdict(1, order, order, inputs=(Input(1, InputKind.FORECAST_FALLBACK),)))
    assert set((await count_rows(postgres_url, run_id)).values()) == {0}


async def test_order_of_another_frame_is_refused(ledger: PostgresLedger) -> None:
    with pytest.raises(ExecutionError, match="frame, 3, was 2"):
        await ledger.commit_orders(make_verdict(3, make_order(2)))


async def test_update_of_an_order_nobody_decided_is_refused(
    journal: PostgresJournal, postgres_url: str, run_id: str
) -> None:
    unknown = OrderUpdated("nobody", 0, OrderStatus.ACCEPTED, Decimal(0))
    with pytest.raises(ServiceError, match="nobody"):
        await journal.record(make_outcome(0, make_executions(0, (), ()), make_verdict(0), unknown))
    assert set((await count_rows(postgres_url, run_id)).values()) == {0}


async def test_events_without_a_fill_or_an_update_stand_too(ledger: PostgresLedger, reader: JournalReader) -> None:
    fee = make_event(3, LedgerEventKind.BORROW_FEE, "IBM", "0", "-1.5")
    await ledger.commit_executions(make_executions(3, (), (), (fee,)))
    await ledger.commit_executions(make_executions(3, (), (), (replace(fee, symbol="AAPL"),)))
    found = await reader.executions(3)
    assert found is not None
    assert found.events == (fee,)


async def test_first_executions_of_a_frame_stand(ledger: PostgresLedger, reader: JournalReader) -> None:
    order = make_order(0, quantity="100")
    await ledger.commit_orders(make_verdict(0, order))
    part = OrderUpdated(order.client_order_id, 1, OrderStatus.PARTIALLY_FILLED, Decimal(40))
    events = (
        make_event(1, LedgerEventKind.INTEREST, "", "0", "-0.000001"),
        make_event(1, LedgerEventKind.SPLIT, "AAPL", "-4.5", "0.330000"),
    )
    first = make_executions(1, (make_fill(order, 1, "40"),), (part,), events)
    other = make_executions(
        1,
        (replace(make_fill(order, 1, "60"), fill_id="other"),),
        (replace(part, filled_quantity=Decimal(60)),),
        (make_event(1, LedgerEventKind.BORROW_FEE, "IBM", "0", "-1"),),
    )
    await ledger.commit_executions(first)
    await ledger.commit_executions(other)
    found = await reader.executions(1)
    assert found is not None
    assert (found.fills, found.updates, found.events) == (first.fills, first.updates, first.events)
    assert await reader.ledger_events() == events
    assert await reader.ledger_events(0) == ()
    assert found.working.tolist() == [60.0, 0.0, 0.0, 0.0]
    assert await reader.executions(0) is None


async def test_working_quantity_of_executions_ignores_what_came_after_them(
    journal: PostgresJournal, ledger: PostgresLedger, reader: JournalReader
) -> None:
    old, sold, later = make_order(0), make_order(0, "IBM", side=Side.SELL, quantity="7"), make_order(1)
    await ledger.commit_orders(make_verdict(0, old, sold))
    done = OrderUpdated(old.client_order_id, 1, OrderStatus.PARTIALLY_FILLED, Decimal(1))
    executions = make_executions(1, (make_fill(old, 1, "1"),), (done,))
    await ledger.commit_executions(executions)
    await ledger.commit_orders(make_verdict(1, later))
    cancelled = OrderUpdated(old.client_order_id, 1, OrderStatus.CANCELLED, Decimal(1), "replaced")
    await journal.record(make_outcome(1, executions, make_verdict(1, later), cancelled))
    found = await reader.executions(1)
    assert found is not None
    assert found.working.tolist() == [99.0, 0.0, 0.0, -7.0]
    assert [record.intent for record in await reader.orders() if record.is_open] == [sold, later]


async def test_order_that_ended_stays_ended(
    journal: PostgresJournal, ledger: PostgresLedger, reader: JournalReader
) -> None:
    order = make_order(0)
    await ledger.commit_orders(make_verdict(0, order))
    steps = [
        OrderUpdated(order.client_order_id, 0, status, Decimal(0), reason)
        for status, reason in ((OrderStatus.SUBMITTED, ""), (OrderStatus.REJECTED, "no cash"))
    ]
    late = replace(steps[0], seq=1, status=OrderStatus.ACCEPTED)
    for seq, answers in ((0, steps), (1, [late])):
        await journal.record(make_outcome(seq, make_executions(seq, (), ()), make_verdict(seq), *answers))
    (record,) = await reader.orders()
    assert (record.status, record.reason) == (OrderStatus.REJECTED, "no cash")


async def test_record_completes_the_frame_and_keeps_every_digit(
    journal: PostgresJournal, ledger: PostgresLedger, reader: JournalReader
) -> None:
    frames, order = make_frames(2), make_order(0)
    assert await reader.last_completed_seq() == -1
    assert await reader.risk_state(1) is None
    await trade_two_frames(journal, ledger, frames, order)
    assert await reader.last_completed_seq() == 1
    assert await reader.risk_state(1) == {"peak_equity": "1000000.10", "rung": "0"}
    curve = await reader.equity_curve()
    assert [str(value) for value in (curve.equity[1], curve.cash[1])] == ["1000123.4500", "900000.10"]
    assert [str(value) for value in (curve.dividends[1], curve.carry[1])] == ["7.000001", "-0.250000"]
    assert curve.gross_exposure.tolist() == [100 * 191.0 + 2.5 * 2.0] * 2
    assert curve.net_exposure.tolist() == [100 * 191.0 - 2.5 * 2.0] * 2
    history = await reader.predictions()
    assert history.seq.tolist() == [0, 1]
    assert np.isnan(history.probability[0, 1]).all()
    assert history.probability[0, 3].tolist() == [0.5 + 0.1 * 3, 0.3 + 0.1 * 3, 0.2 + 0.1 * 3]
    assert history.abstain[0].tolist() == [AbstainReason.PREDICTION_SET, 0, 0, AbstainReason.DISAGREEMENT]
    assert [fill.price for fill in await reader.fills(1)] == [Decimal("190.07")]
    assert await reader.fills(0) == ()


async def test_what_shadows_say_is_kept_once_apart_from_what_was_traded(
    journal: PostgresJournal, reader: JournalReader
) -> None:
    def said(seq: int, version: str, up: float) -> Forecast:
        probability = np.tile([up, 0.3, 0.7 - up], (len(UNIVERSE), 1))
        probability[1] = np.nan
        nothing = np.zeros(len(UNIVERSE))
        return Forecast(seq, probability, nothing, nothing, version)

    assert await reader.shadow_predictions() == ()
    for forecast in (said(4, "late", 0.1), said(3, "first", 0.2), said(4, "first", 0.4), said(4, "first", 0.6)):
        await journal.record_shadow(forecast)
    await journal.record_shadow(replace(said(5, "first", 0.5), probability=np.full((len(UNIVERSE), 3), np.nan)))
    first, late = await reader.shadow_predictions()
    assert (first.model_version, first.seq.tolist()) == ("first", [3, 4])
    assert (late.model_version, late.seq.tolist()) == ("late", [4])
    np.testing.assert_array_equal(first.probability[1], said(4, "first", 0.4).probability)  # a repeat changes nothing
    assert [found.seq.tolist() for found in await reader.shadow_predictions(4)] == [[4], [4]]
    assert (await reader.predictions()).seq.tolist() == []


async def test_a_desk_goes_on_from_the_newest_state_and_the_closes_after_it(
    journal: PostgresJournal, postgres_url: str, run_id: str
) -> None:
    frames = make_frames(8, has_actions=True)
    assert await read_forecast_state(postgres_url, run_id, 0) is None

    async def record(seq: int, model_version: str, *, has_state: bool) -> ForecastState | None:
        await journal.append(frames.frame(seq))
        outcome = make_outcome(seq, make_executions(seq, (), ()), make_verdict(seq))
        state = {"outcomes_closes": np.full((3, len(UNIVERSE)), float(seq)), "n_frames": np.array([seq])}
        forecast = replace(outcome.forecast, model_version=model_version, state=state if has_state else None)
        await journal.record(replace(outcome, forecast=forecast))
        return await read_forecast_state(postgres_url, run_id, seq + 1)

    assert await record(0, "", has_state=False) is None
    for seq in range(1, 6):
        found = await record(seq, "model-1", has_state=True)
        assert found is not None
        assert found.decisions is not None
        assert (found.model_version, found.decisions["n_frames"].tolist(), found.closes.shape) == (
            "model-1",
            [seq],
            (0, len(UNIVERSE)),
        )
    found = await record(6, "model-1", has_state=False)
    assert found is not None
    assert found.decisions is not None
    assert found.decisions["n_frames"].tolist() == [5]
    np.testing.assert_array_equal(found.closes, frames.continuous().close[6:7])
    found = await record(7, "model-2", has_state=False)
    assert found is not None
    assert (found.model_version, found.decisions) == ("model-2", None)
    async with JournalReader.connect(postgres_url, run_id) as reader:
        assert await reader.latest_snapshot(FORECAST_STATE, max_seq=2) is None  # only the newest are kept


async def test_last_closes_are_the_last_bars_before_the_frame(journal: PostgresJournal, reader: JournalReader) -> None:
    frames = make_frames(40, first_seq=-20)
    await journal.append_warmup(frames.rows(0, 20, first_seq=-20))
    for seq in range(20):
        await journal.append(frames.frame(seq))
    for seq in (-1, 0, 7):
        seen = frames.close[: seq + 21]
        expected = [column[~np.isnan(column)][-1] for column in seen.T]
        assert (await reader.last_closes(seq)).tolist() == expected


async def test_only_the_latest_snapshots_are_kept(journal: PostgresJournal, reader: JournalReader) -> None:
    for seq in range(0, 60, 10):
        await journal.save_snapshot("shard-0", seq, b"%d" % seq)
    latest = await reader.latest_snapshot("shard-0", max_seq=45)
    assert latest is not None
    assert (latest.seq, latest.payload) == (40, b"40")
    assert await reader.latest_snapshot("shard-0", max_seq=29) is None
    assert await reader.latest_snapshot("shard-1", max_seq=99) is None


async def test_killed_connections_lose_nothing_and_double_nothing(
    journal: PostgresJournal, ledger: PostgresLedger, reader: JournalReader, postgres_url: str, run_id: str
) -> None:
    frames, n_orders = make_frames(60), 30
    orders = [make_order(seq) for seq in range(n_orders)]
    killer = await asyncpg.connect(postgres_url)
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
    )

    async def kill_now_and_then() -> None:
        for _ in range(15):
            await killer.execute(others)
            await asyncio.to_thread(lambda: None)

    killing = asyncio.create_task(kill_now_and_then())
    for order in orders:
        await journal.append(frames.frame(order.seq))
        assert await ledger.commit_orders(make_verdict(order.seq, order)) == (order,)
        executions = make_executions(order.seq, (), ())
        await journal.record(make_outcome(order.seq, executions, make_verdict(order.seq, order)))
        if order.seq % 3 == 0:
            await killer.execute(others)
    await killing
    await killer.close()
    assert_bitwise_equal(await reader.frames(0, n_orders - 1), frames.rows(0, n_orders, first_seq=0))
    assert [record.intent for record in await reader.orders()] == orders
    assert (await count_rows(postgres_url, run_id))["equity"] == n_orders


async def test_two_writers_of_one_frame_agree_on_its_orders(
    ledger: PostgresLedger, postgres_url: str, run_id: str
) -> None:
    zombie = await PostgresLedger.open(postgres_url, run_id)
    try:
        for seq in range(20):
            one, other = await asyncio.gather(
                ledger.commit_orders(make_verdict(seq, make_order(seq))),
                zombie.commit_orders(make_verdict(seq, make_order(seq))),
            )
            assert one == other
    finally:
        await zombie.close()


async def test_run_is_found_again_as_it_was_created(postgres_url: str, run_id: str, journal: PostgresJournal) -> None:
    await journal.set_status("failed", "disk full")
    async with RunRegistry.connect(postgres_url) as registry:
        run = await registry.get(run_id)
        assert run.universe == UNIVERSE
        assert (run.status, run.status_detail, run.config) == ("failed", "disk full", {"mode": "local"})
        assert run_id in [found.run_id for found in await registry.recent(100)]
        with pytest.raises(RecoveryError, match="run nobody is not in the database"):
            await registry.get("nobody")


async def test_journal_of_another_universe_is_refused(postgres_url: str, run_id: str) -> None:
    with pytest.raises(RecoveryError, match="symbols differ"):
        await PostgresJournal.open(postgres_url, run_id, Universe(("AAPL",), ("Tech",)))
