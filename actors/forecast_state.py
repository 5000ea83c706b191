"""What the forecasts of a restarted desk go on from."""

import numpy as np

from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.record import FORECAST_STATE
from outcry.adapters.snapshots import unpack_arrays
from outcry.models.forecast import ForecastState


async def read_forecast_state(database_url: str, run_id: str, seq: int) -> ForecastState | None:
    """Return what the frames of a run before `seq` left; None where no model had answered one.

    A state is recorded with its frame. Frames after the newest one had none, as the model had said nothing of them
    since the desk was restarted: their closes still count.
    """
    if seq == 0:
        return None
    async with JournalReader.connect(database_url, run_id) as reader:
        model_version = await reader.model_version(seq - 1)
        if not model_version:
            return None
        snapshot = await reader.latest_snapshot(FORECAST_STATE, max_seq=seq - 1)
        if snapshot is None or await reader.model_version(snapshot.seq) != model_version:
            return ForecastState(model_version, None, np.empty((0, 0)))
        missed = snapshot.seq + 1, seq - 1
        frames = (await reader.frames(*missed)).continuous() if missed[0] <= missed[1] else None
    state = unpack_arrays(snapshot.payload)
    n_symbols = state["outcomes_closes"].shape[1]
    return ForecastState(model_version, state, np.empty((0, n_symbols)) if frames is None else frames.close)
