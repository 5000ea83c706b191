"""State as bytes: NumPy's own archive, which is read without executing anything."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcry.features.state import FeatureState

_HASH = "features_hash"
_SEQ = "last_seq"


def pack_state(state: FeatureState) -> bytes:
    """Return the state as an ``.npz`` archive."""
    if state.last_seq is None:
        raise ValueError("last_seq must be a frame, was None: there is nothing to resume after")
    facts = {_HASH: np.array(state.features_hash), _SEQ: np.array(state.last_seq)}
    return pack_arrays({**facts, **state.arrays})


def unpack_state(payload: bytes) -> FeatureState:
    """Return the state that `pack_state` wrote."""
    arrays = unpack_arrays(payload)
    return FeatureState(arrays, str(arrays.pop(_HASH)), int(arrays.pop(_SEQ)))


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays by name as an ``.npz`` archive."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_arrays(payload: bytes) -> dict[str, NDArray[Any]]:
    """Return what `pack_arrays` was given."""
    with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
