"""The soft vote: members, their weights, and the calibration of what they say together."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from outcry.errors import PredictionError
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration
from outcry.models.forest import check_columns


class Member(Protocol):
    """A model that gives class probabilities."""

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        """Return float64 (n_rows, 3), columns in the order of `Direction`; see `outcry.models.forest.Forest`."""
        ...


class SoftVote:
    """Average the probabilities of members by weight, then calibrate.

    Parameters
    ----------
    members : sequence of Member
    weights_frac : sequence of float
        One a member, summing to 1.
    calibration : Calibration
    feature_names : sequence of str
        Columns of the rows, in order.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it: every step treats rows one by one. Members that have no
    vote are not asked.
    """

    def __init__(
        self,
        members: Sequence[Member],
        weights_frac: Sequence[float],
        calibration: Calibration,
        feature_names: Sequence[str],
    ) -> None:
        from outcry.models.kernels.known import compile_find_known  # noqa: PLC0415 - half a second, only to load

        self._find_known = compile_find_known()
        voting = zip(members, weights_frac, strict=True)
        self._members = [(member, weight_frac) for member, weight_frac in voting if weight_frac > 0.0]
        self._calibration = calibration
        self._feature_names = tuple(feature_names)

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        """Return calibrated class probabilities.

        Parameters
        ----------
        rows : float64 (n_rows, n_features), or wider
            A NaN feature is one that is not known yet; the members know how to do without.
        columns : int64 (n_features,), optional
            Where the features stand in wider rows: quicker than to pick them.

        Returns
        -------
        float64 (n_rows, 3)
            Columns in the order of `Direction`; rows sum to 1. A row without a single known feature is NaN.

        Raises
        ------
        PredictionError
            Where the shape is another, or a feature is infinite.
        """
        columns = check_columns(rows, columns, len(self._feature_names))
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        is_known = np.empty(len(rows), dtype=np.bool_)
        if (row := self._find_known(rows, columns, is_known)) >= 0:
            values = rows[row, columns]
            feature = np.flatnonzero(np.isinf(values))[0]
            name = self._feature_names[feature]
            raise PredictionError(f"feature {name} must be finite or NaN, was {values[feature]} in row {row}")
        if not len(rows):
            return np.empty((0, len(Direction)))
        vote = np.zeros((len(rows), len(Direction)))
        for member, weight_frac in self._members:
            vote += weight_frac * member.predict_proba(rows, columns)
        probability = self._calibration.apply(vote)
        probability[~is_known] = np.nan
        return probability
