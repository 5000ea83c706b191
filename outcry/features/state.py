"""What a feature engine needs to resume."""

from collections.abc import Mapping
from dataclasses import dataclass

from outcry.market.frame import BoolArray, Float32Array, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FeatureState:
    """Hold the state of a `FeatureEngine` after frame `last_seq`, as plain arrays.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        First axis n_symbols, so that rows can be taken for a shard; ``numpy.savez(file, **arrays)`` stores them.
    features_hash : str
        Of the engine that made it.
    last_seq : int or None
        None before the first frame.
    """

    arrays: Mapping[str, FloatArray | Float32Array | IntArray | BoolArray]
    features_hash: str
    last_seq: int | None
