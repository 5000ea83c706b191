"""The soft vote: members, their weights, and the calibration of what they say together."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from outcry.errors import PredictionError
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration


class Member(Protocol):
    """A model that gives class probabilities."""

    def predict_proba(self, rows: FloatArray) -> FloatArray:
        """Return float64 (n_rows, 3), columns in the order of `Direction`, for float64 (n_rows, n_features)."""
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
        voting = zip(members, weights_frac, strict=True)
        self._members = [(member, weight_frac) for member, weight_frac in voting if weight_frac > 0.0]
        self._calibration = calibration
        self._feature_names = tuple(feature_names)

    def predict_proba(self, rows: FloatArray) -> FloatArray:
        """Return calibrated class probabilities.

        Parameters
        ----------
        rows : float64 (n_rows, n_features)
            A NaN feature is one that is not known yet; the members know how to do without.

        Returns
        -------
        float64 (n_rows, 3)
            Columns in the order of `Direction`; rows sum to 1. A row without a single known feature is NaN.

        Raises
        ------
        PredictionError
            Where the shape is another, or a feature is infinite.
        """
        n_features = len(self._feature_names)
        if rows.ndim != 2 or rows.shape[1] != n_features:
            raise PredictionError(f"rows must have shape (n_rows, {n_features}), was {rows.shape}")
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        infinite = np.isinf(rows)
        if infinite.any():
            row, column = np.argwhere(infinite)[0]
            name = self._feature_names[column]
            raise PredictionError(f"feature {name} must be finite or NaN, was {rows[row, column]} in row {row}")
        if not len(rows):
            return np.empty((0, len(Direction)))
        vote = np.zeros((len(rows), len(Direction)))
        for member, weight_frac in self._members:
            vote += weight_frac * member.predict_proba(rows)
        probability = self._calibration.apply(vote)
        probability[np.isnan(rows).all(axis=1)] = np.nan
        return probability
