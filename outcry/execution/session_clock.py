"""What a frame is to the market: first of its session or last, and in which month."""

import numpy as np

from outcry.execution.kernels.bar import N_CLOCK
from outcry.market.bar_size import DAY_NS
from outcry.market.frame import IntArray
from outcry.market.sessions import Sessions

NEVER_NS = int(np.iinfo(np.int64).max)


def read_clock(sessions: Sessions, first_seq: int, ts_close_ns: IntArray, ts_before_ns: int) -> IntArray:
    """Return the clock of consecutive frames, int64 (n_frames, N_CLOCK); see `outcry.execution.kernels.bar`.

    Parameters
    ----------
    sessions : Sessions
    first_seq : int
    ts_close_ns : int64 (n_frames,)
    ts_before_ns : int
        Close of the frame before the first one; 0 where there is none.
    """
    n = len(ts_close_ns)
    before = np.concatenate([[ts_before_ns], ts_close_ns[:-1]])
    closes = np.append(sessions.close_ns, NEVER_NS)
    session = np.searchsorted(sessions.close_ns, ts_close_ns, side="left")
    session_before = np.searchsorted(sessions.close_ns, before, side="left")
    clock = np.empty((n, N_CLOCK), dtype=np.int64)
    clock[:, 0] = first_seq + np.arange(n)
    opens = sessions.open_ns[np.minimum(session, len(sessions) - 1)]
    clock[:, 1] = np.where(opens < ts_close_ns, np.maximum(before, opens), before)
    clock[:, 2] = ts_close_ns
    clock[:, 3] = closes[np.searchsorted(sessions.close_ns, before, side="right")]
    clock[:, 4] = session != session_before
    clock[:, 5] = ts_close_ns.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    last = len(sessions) - 1
    of_session, of_before = (sessions.midnight_ns[np.minimum(k, last)] for k in (session, session_before))
    clock[:, 6] = np.where(before > 0, np.rint((of_session - of_before) / DAY_NS), 0)
    return clock
