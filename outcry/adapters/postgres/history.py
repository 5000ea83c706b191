"""A run as arrays: what a report reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
import numpy as np

from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.market.universe import Universe
from outcry.messages import AbstainReason, Direction, ReasonArray

_REASONS = {reason.text: reason for reason in AbstainReason}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state an actor saved after frame `seq`."""

    seq: int
    payload: bytes


@dataclass(frozen=True, slots=True, eq=False)
class EquityCurve:
    """The marks of a run.

    Attributes
    ----------
    seq, ts_close_ns : int64 (n_frames,)
    equity, cash, realized_pnl, commission, slippage, dividends, carry : tuple of Decimal (n_frames,)
        Account currency, exact; all but the first two are totals so far, as of a `Book`.
    gross_exposure, net_exposure : float64 (n_frames,)
        Account currency.
    drawdown_frac : float64 (n_frames,)
        In [0, 1].
    is_halted : bool (n_frames,)
    model_version : tuple of str (n_frames,)
    """

    seq: IntArray
    ts_close_ns: IntArray
    equity: tuple[Decimal, ...]
    cash: tuple[Decimal, ...]
    realized_pnl: tuple[Decimal, ...]
    commission: tuple[Decimal, ...]
    slippage: tuple[Decimal, ...]
    dividends: tuple[Decimal, ...]
    carry: tuple[Decimal, ...]
    gross_exposure: FloatArray
    net_exposure: FloatArray
    drawdown_frac: FloatArray
    is_halted: BoolArray
    model_version: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.seq)

    @classmethod
    def from_rows(cls, rows: Sequence[asyncpg.Record]) -> "EquityCurve":
        """Return the curve of rows of the table ``equity``, ascending by seq."""

        def floats(name: str) -> FloatArray:
            return np.array([row[name] for row in rows], dtype=np.float64)

        return cls(
            seq=np.array([row["seq"] for row in rows], dtype=np.int64),
            ts_close_ns=np.array([row["ts_close_ns"] for row in rows], dtype=np.int64),
            equity=tuple(row["equity"] for row in rows),
            cash=tuple(row["cash"] for row in rows),
            realized_pnl=tuple(row["realized_pnl"] for row in rows),
            commission=tuple(row["commission"] for row in rows),
            dividends=tuple(row["dividends"] for row in rows),
            carry=tuple(row["carry"] for row in rows),
            slippage=tuple(row["slippage"] for row in rows),
            gross_exposure=floats("gross_exposure"),
            net_exposure=floats("net_exposure"),
            drawdown_frac=floats("drawdown_frac"),
            is_halted=np.array([row["is_halted"] for row in rows], dtype=np.bool_),
            model_version=tuple(row["model_version"] for row in rows),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PredictionHistory:
    """The forecasts of a run.

    Attributes
    ----------
    seq : int64 (n_frames,)
        Ascending; frames without any forecast are left out.
    probability : float64 (n_frames, n_symbols, 3)
        Columns in the order of `outcry.messages.Direction`; NaN where no forecast was made.
    confidence : float64 (n_frames, n_symbols)
        In [0, 1]; NaN where no forecast was made.
    abstain : int8 (n_frames, n_symbols)
        Of `AbstainReason`.
    """

    seq: IntArray
    probability: FloatArray
    confidence: FloatArray
    abstain: ReasonArray

    @classmethod
    def from_rows(cls, rows: Sequence[asyncpg.Record], universe: Universe) -> "PredictionHistory":
        """Return the forecasts of rows of the table ``model_predictions``."""
        seq, frame, symbol, probability = _read_probabilities(rows, universe)
        confidence = np.full((len(seq), len(universe)), np.nan)
        confidence[frame, symbol] = [row["confidence"] for row in rows]
        abstain = np.zeros((len(seq), len(universe)), dtype=np.int8)
        abstain[frame, symbol] = [_REASONS[row["abstain"]] for row in rows]
        return cls(seq, probability, confidence, abstain)


@dataclass(frozen=True, slots=True, eq=False)
class ShadowHistory:
    """The forecasts of one shadow of a run; `seq` and `probability` as of `PredictionHistory`."""

    model_version: str
    seq: IntArray
    probability: FloatArray

    @classmethod
    def from_rows(cls, rows: Sequence[asyncpg.Record], universe: Universe) -> tuple["ShadowHistory", ...]:
        """Return the forecasts of rows of the table ``shadow_predictions``: of each model, by its first frame."""
        by_version: dict[str, list[asyncpg.Record]] = {}
        for row in rows:
            by_version.setdefault(row["model_version"], []).append(row)
        read = {version: _read_probabilities(own, universe) for version, own in by_version.items()}
        return tuple(cls(version, seq, probability) for version, (seq, _, _, probability) in read.items())


def _read_probabilities(
    rows: Sequence[asyncpg.Record], universe: Universe
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Return the frames of rows, of each row the place of its frame and of its symbol, and the probabilities."""
    column = {symbol: index for index, symbol in enumerate(universe.symbols)}
    seq, frame = np.unique(np.array([row["seq"] for row in rows], dtype=np.int64), return_inverse=True)
    symbol = np.array([column[row["symbol"]] for row in rows], dtype=np.int64)
    probability = np.full((len(seq), len(universe), len(Direction)), np.nan)
    for direction in Direction:
        name = f"probability_{direction.name.lower()}"
        probability[frame, symbol, direction] = [row[name] for row in rows]
    return seq, frame, symbol, probability
