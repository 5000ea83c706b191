"""Order-flow toxicity: VPIN and where it stands among its own past."""

import math

from outcry.compiled import kernel
from outcry.features.kernels.window import window_moments, window_sum
from outcry.market.frame import FloatArray


@kernel
def vpin(change: FloatArray, volume: FloatArray, end: int, window: int, n_buckets: int) -> float:
    """Return the volume-synchronised probability of informed trading over the last `window` bars.

    The share ``Phi(change/sigma)`` of the volume of a bar is bought, sigma the deviation (ddof 1) of the changes in the
    window. All volume, in its order, fills `n_buckets` buckets of equal size, a bar splitting where a bucket is full;
    VPIN is the sum over buckets of ``abs(bought - sold)`` by the volume.

    Parameters
    ----------
    change : float64, any unit
        Change of the price over each bar; log returns, usually.
    volume : float64, shares
        Not negative.
    n_buckets : int
        50, usually.

    Returns
    -------
    float
        In [0, 1]; 0 without volume or where the changes are equal.

    Notes
    -----
    Buckets start at the oldest bar of the window and hold 1/n_buckets of its volume; in the paper they go on from day
    to day and hold 1/50 of the mean daily volume.

    References
    ----------
    Easley, Lopez de Prado, O'Hara, Flow toxicity and liquidity in a high-frequency world, 2012, section 2.
    """
    total = window_sum(volume, end, window)
    size = total / n_buckets
    _, sigma = window_moments(change, end, window, 1)
    if size <= 0.0 or sigma <= 0.0:
        return 0.0
    room = size
    imbalance = absolute = 0.0
    for i in range(end - window + 1, end + 1):
        # 2 Phi(z) - 1 = erf(z/sqrt 2): bought less sold, by volume
        signed = math.erf(change[i] / (sigma * math.sqrt(2.0)))
        left = volume[i]
        while left >= room:
            absolute += abs(imbalance + signed * room)
            left -= room
            imbalance = 0.0
            room = size
        imbalance += signed * left
        room -= left
    return min((absolute + abs(imbalance)) / total, 1.0)


@kernel
def percentile_rank(x: FloatArray, end: int, window: int) -> float:
    """Return the share of the last `window` values below the newest, equal ones (itself too) counting half.

    Returns
    -------
    float
        In (0, 1): VPIN's is the toxicity of Easley, Lopez de Prado and O'Hara. 0.5 for equal values.
    """
    newest = x[end]
    count = 0.0
    for i in range(end - window + 1, end + 1):
        count += 1.0 if x[i] < newest else 0.5 if x[i] == newest else 0.0
    return count / window
