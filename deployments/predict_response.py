"""Write the answer to a prediction request, as JSON or as an Arrow IPC stream."""

from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa

from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import AbstainReason, Direction, ReasonArray
from outcry.models.confidence import confidence

_CLASSES = tuple(direction.name.lower() for direction in Direction)
_POSITIONS = {Direction.UP: "long", Direction.NEUTRAL: "neutral", Direction.DOWN: "short"}
_DIRECTIONS = tuple(_POSITIONS[direction] for direction in Direction)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The answer for every row of a request.

    Attributes
    ----------
    model_version : str
    horizon_bars : int
        How far ahead the classes look.
    probability : float64 (n_rows, 3)
        In the order of `Direction`; NaN where no feature of the row was known.
    symbols : tuple of str, optional
        One a row.
    latency_ms : float
        From the whole body read to the answer.
    sets : bool (n_rows, 3), optional
        Which classes the prediction set of a row holds; absent where the bundle makes none.
    abstain : int8 (n_rows,), optional
        Of `AbstainReason`; absent where no rule is set.
    """

    model_version: str
    horizon_bars: int
    probability: FloatArray
    symbols: tuple[str, ...] | None
    latency_ms: float
    sets: BoolArray | None = None
    abstain: ReasonArray | None = None


def write_json(prediction: Prediction) -> bytes:
    """Write an object with one entry a row under ``predictions``; what could not be predicted is null."""
    chosen = _chosen(prediction.probability)
    certain = confidence(prediction.probability).tolist()
    sets, reasons = _set_names(prediction.sets), _reason_names(prediction.abstain)
    entries = []
    for i, (row, k) in enumerate(zip(prediction.probability.tolist(), chosen, strict=True)):
        entry = {
            "direction": None if k is None else _DIRECTIONS[k],
            "class": None if k is None else _CLASSES[k],
            "probability": dict(zip(_CLASSES, row, strict=True)),
            "confidence": certain[i],
        }
        if prediction.symbols is not None:
            entry["symbol"] = prediction.symbols[i]
        if sets is not None:
            entry["prediction_set"] = sets[i]
        if reasons is not None:
            entry["abstain"], entry["abstain_reason"] = reasons[i] is not None, reasons[i]
        entries.append(entry)
    return orjson.dumps(
        {
            "model_version": prediction.model_version,
            "horizon_bars": prediction.horizon_bars,
            "latency_ms": prediction.latency_ms,
            "predictions": entries,
        }
    )


def write_arrow(prediction: Prediction) -> bytes:
    """Write a table with the columns of the JSON entries; what belongs to all rows is in the schema's metadata."""
    chosen = _chosen(prediction.probability)
    columns = {
        "direction": pa.array([None if k is None else _DIRECTIONS[k] for k in chosen], pa.string()),
        "class": pa.array([None if k is None else _CLASSES[k] for k in chosen], pa.string()),
        **{name: pa.array(prediction.probability[:, k]) for k, name in enumerate(_CLASSES)},
        "confidence": pa.array(confidence(prediction.probability)),
    }
    if prediction.symbols is not None:
        columns["symbol"] = pa.array(prediction.symbols)
    sets, reasons = _set_names(prediction.sets), _reason_names(prediction.abstain)
    if sets is not None:
        columns["prediction_set"] = pa.array(sets, pa.list_(pa.string()))
    if reasons is not None:
        columns["abstain"] = pa.array([reason is not None for reason in reasons])
        columns["abstain_reason"] = pa.array(reasons, pa.string())
    table = pa.table(columns).replace_schema_metadata(
        {
            "model_version": prediction.model_version,
            "horizon_bars": str(prediction.horizon_bars),
            "latency_ms": str(prediction.latency_ms),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _set_names(sets: BoolArray | None) -> list[list[str]] | None:
    if sets is None:
        return None
    return [[name for name, is_in in zip(_CLASSES, row, strict=True) if is_in] for row in sets.tolist()]


def _reason_names(abstain: ReasonArray | None) -> list[str | None] | None:
    return None if abstain is None else [AbstainReason(reason).text or None for reason in abstain.tolist()]


def _chosen(probability: FloatArray) -> list[int | None]:
    """Return the most likely class of each row; None for a NaN row."""
    unknown = np.isnan(probability[:, 0])  # a row is known or NaN as a whole
    best = np.where(unknown[:, np.newaxis], 0.0, probability).argmax(axis=1)
    return [None if is_unknown else int(k) for k, is_unknown in zip(best, unknown, strict=True)]
