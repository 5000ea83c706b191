"""How much each training row counts: by its age, by how much of its label it shares, by the return in it.

Every weight is positive or 0, has a mean of 1, and is computed from the rows that are given alone: give the training
rows of a fold, and nothing later can change them.
"""

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray, IntArray


def half_life_weights(frame: IntArray, half_life_bars: float) -> FloatArray:
    """Weigh rows by ``0.5^(age / half_life_bars)``, the age being the bars to the newest row.

    Parameters
    ----------
    frame : int64 (n_rows,)
        The frame of each row; the numbers of frames that were left out count.
    half_life_bars : float
        Positive.

    Returns
    -------
    float64 (n_rows,)
    """
    if not half_life_bars > 0.0:
        raise ConfigurationError(f"half_life_bars must be positive, was {half_life_bars}")
    return normalise(np.exp2((frame - frame.max()) / half_life_bars))


def linear_decay_weights(frame: IntArray, oldest_frac: float) -> FloatArray:
    """Weigh rows on a line over time, from `oldest_frac` of the newest row's weight at the oldest one.

    Parameters
    ----------
    frame : int64 (n_rows,)
    oldest_frac : float
        In [0, 1]; 1 is no decay.

    Returns
    -------
    float64 (n_rows,)

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, section 4.7, over bars in place of uniqueness.
    """
    if not 0.0 <= oldest_frac <= 1.0:
        raise ConfigurationError(f"oldest_frac must be in [0, 1], was {oldest_frac}")
    span_bars = max(int(frame.max() - frame.min()), 1)
    return normalise(1.0 - (1.0 - oldest_frac) * (frame.max() - frame) / span_bars)


def uniqueness_weights(frame: IntArray, last_row: IntArray, symbol: IntArray | None = None) -> FloatArray:
    """Weigh rows by the `average_uniqueness` of their labels; parameters are its own."""
    return normalise(average_uniqueness(frame, last_row, symbol))


def return_weights(frame: IntArray, last_row: IntArray, symbol: IntArray, returns: FloatArray) -> FloatArray:
    """Weigh rows by the return that is theirs: ``abs(sum over t of r_t / c_t)``, t in the bars of the label.

    ``c_t`` is how many labels of the symbol the bar t belongs to, so each of them has an equal part of its return.

    Parameters
    ----------
    frame, last_row, symbol : int64 (n_rows,)
        As in `average_uniqueness`.
    returns : float64 (n_frames, n_symbols)
        Log returns from the row before, which add up; NaN, where one is not known, counts as 0.

    Returns
    -------
    float64 (n_rows,)

    Raises
    ------
    DataValidationError
        Also where no label has a return.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, section 4.6, snippet 4.10.
    """
    _check_spans(frame, last_row)
    if int(last_row.max()) >= len(returns):
        raise DataValidationError(f"returns must have a row {last_row.max()}, which a label depends on")
    count = _concurrency(frame, last_row, symbol, (len(returns), returns.shape[1]))
    parts = np.divide(np.nan_to_num(returns), count, out=np.zeros(returns.shape), where=count > 0)
    total = _cumulative(parts)
    return normalise(np.abs(total[last_row + 1, symbol] - total[frame + 1, symbol]))


def average_uniqueness(frame: IntArray, last_row: IntArray, symbol: IntArray | None = None) -> FloatArray:
    """Return the mean of ``1 / c_t`` over the bars t of each label, ``c_t`` being how many labels the bar belongs to.

    A label of row t that depends on rows t..last is made by the bars t + 1..last: the return into row t is none of it.

    Parameters
    ----------
    frame, last_row : int64 (n_rows,)
        The frame of each row, and the last row its label depends on; later than the frame.
    symbol : int64 (n_rows,), optional
        Labels are counted by symbol. Absent: over the universe, so that frames of few labels count more.

    Returns
    -------
    float64 (n_rows,)
        In (0, 1]; 1 where no other label shares a bar, 1/h where every bar begins a label over h bars.

    Raises
    ------
    DataValidationError
        Where there are no rows, or a label ends where it begins.

    Notes
    -----
    Cost: O(n_rows + n_frames n_symbols), by cumulative sums.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, sections 4.3-4.4, snippets 4.1-4.2. There the bar of
    the entry counts too, by which labels that only touch are not unique.
    """
    _check_spans(frame, last_row)
    group = np.zeros_like(frame) if symbol is None else symbol
    shape = (int(last_row.max()) + 1, int(group.max()) + 1)
    count = _concurrency(frame, last_row, group, shape)
    total = _cumulative(np.divide(1.0, count, out=np.zeros(shape), where=count > 0))
    return (total[last_row + 1, group] - total[frame + 1, group]) / (last_row - frame)


def normalise(weights: FloatArray) -> FloatArray:
    """Return weights over their mean; products of weights are normalised by it again.

    Raises
    ------
    DataValidationError
        Where one is negative or not finite, or all are 0.
    """
    if not (np.isfinite(weights).all() and (weights >= 0.0).all()):
        raise DataValidationError("sample weights must be finite and not negative")
    if not weights.any():
        raise DataValidationError(f"sample weights must have a positive sum, all {len(weights)} were 0")
    # the largest is 1 before the mean is taken, so that no sum of tiny weights underflows
    scaled: FloatArray = weights / weights.max()
    normalised: FloatArray = scaled / scaled.mean()
    return normalised


def _concurrency(frame: IntArray, last_row: IntArray, group: IntArray, shape: tuple[int, int]) -> IntArray:
    """Return the labels each bar belongs to, int64 (n_frames, n_groups): one more from t + 1, one less after last."""
    steps = np.zeros((shape[0] + 1, shape[1]), dtype=np.int64)
    np.add.at(steps, (frame + 1, group), 1)
    np.add.at(steps, (last_row + 1, group), -1)
    count: IntArray = np.cumsum(steps, axis=0)[:-1]
    return count


def _cumulative(values: FloatArray) -> FloatArray:
    """Return sums of the rows before each row, float64 (n_rows + 1, n_columns)."""
    return np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))


def _check_spans(frame: IntArray, last_row: IntArray) -> None:
    if not len(frame):
        raise DataValidationError("rows must not be empty")
    if (last_row <= frame).any():
        place = int(np.argmax(last_row <= frame))
        raise DataValidationError(f"last_row must be after its frame {frame[place]}, was {last_row[place]}")
