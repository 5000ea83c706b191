"""Feature state as bytes: NumPy's own archive, which is read without executing anything."""

import io

import numpy as np

from outcry.features.state import FeatureState

_HASH = "features_hash"
_SEQ = "last_seq"


def pack_state(state: FeatureState) -> bytes:
    """Return the state as an ``.npz`` archive."""
    if state.last_seq is None:
        raise ValueError("last_seq must be a frame, was None: there is nothing to resume after")
    buffer = io.BytesIO()
    facts = {_HASH: np.array(state.features_hash), _SEQ: np.array(state.last_seq)}
    np.savez(buffer, allow_pickle=False, **facts, **state.arrays)
    return buffer.getvalue()


def unpack_state(payload: bytes) -> FeatureState:
    """Return the state that `pack_state` wrote."""
    with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name not in (_HASH, _SEQ)}
        return FeatureState(arrays, str(archive[_HASH]), int(archive[_SEQ]))
