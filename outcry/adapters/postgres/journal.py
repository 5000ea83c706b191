"""The writer of frames: what went into each, and what became of it."""

from collections.abc import Mapping
from functools import cache

import asyncpg
import orjson
from pydantic import SecretStr

from outcry.adapters.postgres.bars import bar_columns, bar_fields, copy_in, to_timestamp
from outcry.adapters.postgres.database import Database
from outcry.adapters.postgres.record import RECORD_FRAME, RECORD_SHADOW, outcome_columns, shadow_columns
from outcry.adapters.postgres.runs import RunRegistry
from outcry.errors import RecoveryError
from outcry.market.frame import Frame, FrameTensor
from outcry.market.universe import Universe
from outcry.messages import Forecast, FrameOutcome, Input, InputKind

_KEPT_SNAPSHOTS = 3
_N_CONNECTIONS = 3  # a frame, a snapshot and what a shadow says are written side by side

# One frame goes in as one statement, a fifth faster than COPY, which needs four round trips.
_APPEND = """
WITH frame AS (
    INSERT INTO frames (run_id, seq, ts_close_ns, n_bars, has_tape, has_actions)
    VALUES ($1, $2, $3, cardinality($9::text[]), $7, $8)
    ON CONFLICT (run_id, seq) DO NOTHING RETURNING seq
), bar AS (
    INSERT INTO ohlcv_bars (run_id, ts, timeframe, source, symbol, {columns})
    SELECT $1, $4, $5, $6, list.* FROM frame, unnest($9::text[], {arrays}) AS list
), command AS (
    UPDATE commands SET seq = $2 FROM frame WHERE commands.run_id = $1 AND commands.seq IS NULL
    RETURNING command_id, kind, payload
), input AS (
    INSERT INTO inputs (run_id, seq, origin, position, kind, payload)
    SELECT $1, $2, 'boundary', row_number() OVER (ORDER BY command_id), kind, payload FROM command
    RETURNING position, kind, payload
)
SELECT input.position, input.kind, input.payload FROM frame LEFT JOIN input ON true ORDER BY input.position
"""


@cache
def _append(*, has_tape: bool, has_actions: bool) -> str:
    """Return the statement for frames with these columns; those without do not pay for them."""
    names = bar_fields(has_tape=has_tape, has_actions=has_actions)
    arrays = ", ".join(f"${number}::float8[]" for number in range(10, 10 + len(names)))
    return _APPEND.format(columns=", ".join(names), arrays=arrays)


_SELECT_BOUNDARY_INPUTS = """
SELECT kind, payload FROM inputs WHERE run_id = $1 AND seq = $2 AND origin = 'boundary' ORDER BY position
"""

_APPEND_FRAMES = """
INSERT INTO frames (run_id, has_tape, has_actions, seq, ts_close_ns, n_bars)
SELECT $1, $5::boolean, $6::boolean, list.* FROM unnest($2::bigint[], $3::bigint[], $4::int[]) AS list
ON CONFLICT (run_id, seq) DO NOTHING RETURNING seq
"""

_SAVE_SNAPSHOT = """
WITH saved AS (
    INSERT INTO snapshots (run_id, actor, seq, payload) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
)
DELETE FROM snapshots WHERE run_id = $1 AND actor = $2 AND seq < (
    SELECT seq FROM snapshots WHERE run_id = $1 AND actor = $2 AND seq < $3 ORDER BY seq DESC OFFSET $5 LIMIT 1
)
"""


class PostgresJournal:
    """`outcry.ports.FrameJournal` of one run.

    **Owns** three connections, on which every commit waits for the disk. **Ordering** a call is one transaction; what
    it says once stands, a repeat writes nothing and gets the first answer. Commands queued before a frame is appended
    take effect at it, in the order they were given; one that comes later waits for the next frame. **On failure** of
    the connection a call is sent again for some seconds, then raises `ServiceError`; whether it was committed is then
    not known, and asking again is safe.
    """

    def __init__(self, database: Database, run_id: str, universe: Universe, timeframe: str, source: str) -> None:
        self._database = database
        self._run_id = run_id
        self._universe = universe
        self._timeframe = timeframe
        self._source = source
        self._registry = RunRegistry(database)

    @classmethod
    async def open(cls, url: SecretStr | str, run_id: str, universe: Universe) -> "PostgresJournal":
        """Connect to the journal of a run that exists.

        Raises
        ------
        ServiceError
            Where the server cannot be reached.
        RecoveryError
            Where the run does not exist or was recorded with another universe.
        """
        database = Database(url, n_connections=_N_CONNECTIONS, is_writer=True)
        await database.open()
        try:
            run = await RunRegistry(database).get(run_id)
            if run.universe.symbols != universe.symbols:
                raise RecoveryError(f"universe of run {run_id} must be the recorded one, symbols differ")
        except BaseException:
            await database.close()
            raise
        return cls(database, run_id, universe, run.timeframe, run.source)

    async def close(self) -> None:
        await self._database.close()

    async def append(self, frame: Frame) -> tuple[Input, ...]:
        """Commit the frame and the commands that were waiting; return them as its inputs."""
        present = frame.present
        has_tape, has_actions = frame.tape is not None, frame.actions is not None
        rows = await self._database.fetch(
            _append(has_tape=has_tape, has_actions=has_actions),
            self._run_id,
            frame.seq,
            frame.ts_close_ns,
            to_timestamp(frame.ts_close_ns),
            self._timeframe,
            self._source,
            has_tape,
            has_actions,
            [symbol for symbol, is_present in zip(self._universe.symbols, present.tolist(), strict=True) if is_present],
            *bar_columns(frame),
        )
        if not rows:  # the frame was there
            rows = await self._database.fetch(_SELECT_BOUNDARY_INPUTS, self._run_id, frame.seq)
        return tuple(
            Input(frame.seq, InputKind(row["kind"]), orjson.loads(row["payload"]))
            for row in rows
            if row["kind"] is not None
        )

    async def append_warmup(self, frames: FrameTensor) -> None:
        """Commit the frames before the first traded one, by COPY; the same frames again change nothing."""

        async def work(connection: asyncpg.Connection) -> None:
            async with connection.transaction():
                new = await connection.fetch(
                    _APPEND_FRAMES,
                    self._run_id,
                    list(range(frames.first_seq, frames.last_seq + 1)),
                    frames.ts_close_ns.tolist(),
                    frames.present.sum(axis=1).tolist(),
                    frames.tape is not None,
                    frames.actions is not None,
                )
                if 0 < len(new) < len(frames):
                    raise RecoveryError(
                        f"warm-up of run {self._run_id} must be written once, {len(frames) - len(new)} of "
                        f"{len(frames)} frames were there"
                    )
                if new:
                    await copy_in(
                        connection,
                        frames,
                        run_id=self._run_id,
                        universe=self._universe,
                        timeframe=self._timeframe,
                        source=self._source,
                    )

        await self._database.run(work)

    async def record(self, outcome: FrameOutcome) -> None:
        """Commit what happened in the frame; it is then complete."""
        await self._database.execute(RECORD_FRAME, self._run_id, *outcome_columns(outcome, self._universe))

    async def record_shadow(self, forecast: Forecast) -> None:
        """Commit what a shadow says of a frame, be that complete or not."""
        await self._database.execute(RECORD_SHADOW, self._run_id, *shadow_columns(forecast, self._universe))

    async def save_snapshot(self, actor: str, seq: int, payload: bytes) -> None:
        """Keep the state of an actor after frame `seq`; the latest few of each actor stay."""
        # the statement sees the snapshots before this one
        await self._database.execute(_SAVE_SNAPSHOT, self._run_id, actor, seq, payload, _KEPT_SNAPSHOTS - 2)

    async def add_command(self, kind: str, payload: Mapping[str, str]) -> None:
        """Queue a command of an operator; it takes effect at the next frame."""
        await self._registry.add_command(self._run_id, InputKind(kind).value, payload)

    async def set_status(self, status: str, detail: str = "") -> None:
        """Say how the run stands."""
        await self._registry.set_status(self._run_id, status, detail)
