"""Whether one forecaster is better than another on the same rows, or only luckier."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr
from scipy.stats import rankdata

from outcry.errors import DataValidationError
from outcry.labels.direction import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.evaluation import Scores, score

_LEAST_PROBABILITY = 1e-15


@dataclass(frozen=True, slots=True)
class LossTest:
    """What `loss_test` found.

    Attributes
    ----------
    n_frames, n_lags : int
    gain_nats : float
        Mean over the frames of how much less the second forecaster loses a row; positive where it is better.
    deviation_nats : float
        Of that mean, robust to what neighbours in time have in common.
    statistic : float
        Their ratio; infinite where the gain does not vary.
    p_value : float
        One-sided: how often a gain as large came about if the second were no better.
    """

    n_frames: int
    n_lags: int
    gain_nats: float
    deviation_nats: float
    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How the most likely classes did: unweighted means over the classes that came.

    `auc_frac` is the area under the ROC curve of each class against the others.
    """

    precision_frac: float
    recall_frac: float
    f1_frac: float
    auc_frac: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two forecasters on the rows that both forecast.

    Attributes
    ----------
    n_rows : int
    first, second : Scores
    first_classes, second_classes : ClassScores
    test : LossTest
        Of the second being better than the first.
    """

    n_rows: int
    first: Scores
    second: Scores
    first_classes: ClassScores
    second_classes: ClassScores
    test: LossTest


def compare(
    first: FloatArray, second: FloatArray, labels: LabelArray, frame: IntArray, *, horizon_bars: int
) -> Comparison:
    """Hold two forecasts of the same rows against what happened.

    Parameters
    ----------
    first, second : float64 (n_rows, 3)
        In the order of `Direction`, none NaN.
    labels : int8 (n_rows,)
        Values of `Direction`.
    frame : int64 (n_rows,)
        Of each row, ascending.
    horizon_bars : int
        Labels of frames closer than this share a part of the future.

    Raises
    ------
    DataValidationError
        Where there are fewer than 2 frames.
    """
    gain = frame_means(row_losses(first, labels) - row_losses(second, labels), frame)
    return Comparison(
        n_rows=len(labels),
        first=score(first, labels),
        second=score(second, labels),
        first_classes=class_scores(first, labels),
        second_classes=class_scores(second, labels),
        test=loss_test(gain, horizon_bars),
    )


def row_losses(probability: FloatArray, labels: LabelArray) -> FloatArray:
    """Return ``-ln p_label`` of every row, float64 (n_rows,), nats."""
    of_label = probability[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(of_label, _LEAST_PROBABILITY)))


def frame_means(values: FloatArray, frame: IntArray) -> FloatArray:
    """Return the mean over the rows of each frame, float64 (n_frames,); rows of a frame are one observation."""
    starts = np.flatnonzero(np.diff(frame, prepend=frame[0] - 1))
    return np.asarray(np.add.reduceat(values, starts) / np.diff(np.append(starts, len(frame))))


def loss_test(gain: FloatArray, n_lags: int) -> LossTest:
    """Test that the mean of a loss differential is not positive.

    ``t = mean(d) / sqrt(V / n)`` with the long-run variance ``V = c_0 + 2 sum_{k=1}^{L} (1 - k / (L + 1)) c_k`` and
    ``c_k = sum_t (d_t - mean(d)) (d_tmk - mean(d)) / (n - 1)``; held against Student's t with n - 1 degrees of freedom.

    Parameters
    ----------
    gain : float64 (n_frames,)
        Loss of the first less that of the second forecaster, in the order of time.
    n_lags : int
        Frames over which differentials depend on each other: the horizon of the label. At most n_frames - 1 are used.

    Raises
    ------
    DataValidationError
        Where there are fewer than 2 frames.

    References
    ----------
    Diebold and Mariano, Comparing Predictive Accuracy, 1995, equation 4.
    Newey and West, A Simple, Positive Semi-Definite, Heteroskedasticity and Autocorrelation Consistent Covariance
    Matrix, 1987, equation 5, for the weights; times ``n / (n - 1)`` for small samples.
    """
    n = len(gain)
    if n < 2:
        raise DataValidationError(f"gain must hold at least 2 frames, held {n}")
    n_lags = min(n_lags, n - 1)
    mean = float(gain.mean())
    deviation = gain - mean
    long_run = float(deviation @ deviation)
    for lag in range(1, n_lags + 1):
        long_run += 2.0 * (1.0 - lag / (n_lags + 1.0)) * float(deviation[lag:] @ deviation[:-lag])
    error = float(np.sqrt(max(long_run, 0.0) / (n - 1) / n))
    if error <= 1e-12 * abs(mean):
        error = 0.0  # a gain that does not vary is certain
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(np.nan_to_num(np.divide(mean, error), nan=0.0, posinf=np.inf, neginf=-np.inf))
    p_value = float(stdtr(n - 1, -ratio))
    return LossTest(n, n_lags, mean, error, ratio, p_value)


def class_scores(probability: FloatArray, labels: LabelArray) -> ClassScores:
    """Return precision, recall and F1 of the most likely class, and the area under the ROC curve.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
    labels : int8 (n_rows,)

    References
    ----------
    Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, 1982: the area is the rank-sum statistic.
    """
    chosen = probability.argmax(axis=1)
    precision, recall, f1, auc = [], [], [], []
    for direction in Direction:
        is_class, is_chosen = labels == direction, chosen == direction
        n_class, n_chosen, n_hits = is_class.sum(), is_chosen.sum(), (is_class & is_chosen).sum()
        if not n_class:
            continue
        precision.append(n_hits / n_chosen if n_chosen else 0.0)
        recall.append(n_hits / n_class)
        f1.append(2.0 * n_hits / (n_class + n_chosen))
        if n_class < len(labels):
            ranks = rankdata(probability[:, direction])[is_class].sum()
            auc.append((ranks - n_class * (n_class + 1) / 2) / (n_class * (len(labels) - n_class)))
    return ClassScores(
        *(float(np.mean(each)) if each else float("nan") for each in (precision, recall, f1, auc)),
    )
