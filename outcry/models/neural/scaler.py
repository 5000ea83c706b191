"""The z-score of features, from training rows alone."""

from dataclasses import dataclass

import numpy as np

from outcry.market.frame import Float32Array, FloatArray

MAX_ROWS = 50_000
"""Rows looked at, evenly spaced: a mean of so many is known to half a hundredth of a deviation."""
TAIL_FRAC = 0.005
"""Of the values on either side, drawn in to the quantile there, so that an outlier does not set the scale."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowScaler:
    """Turn features into z-scores; what is not known becomes 0.

    Attributes
    ----------
    mean, per_deviation : float32 (n_features,)
        ``z = (x - mean) * per_deviation``; the second is 0 for a feature that is constant or never known.
    clip_sigma : float
        Where z-scores are cut.
    has_masks : bool
        Channels follow that are 1 where a feature is known.
    """

    mean: Float32Array
    per_deviation: Float32Array
    clip_sigma: float
    has_masks: bool

    @classmethod
    def of_rows(cls, rows: FloatArray, clip_sigma: float, has_masks: bool) -> "WindowScaler":
        """Fit on float64 (n_rows, n_features)."""
        picked = rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(np.int64)]
        mean, per_deviation = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
        for k, column in enumerate(picked.T):
            known = column[np.isfinite(column)]
            if not len(known):
                continue
            known = np.clip(known, *np.quantile(known, (TAIL_FRAC, 1.0 - TAIL_FRAC)))
            mean[k], deviation = known.mean(), known.std()
            if deviation > 1e-6 * abs(mean[k]):  # as float32 it would be rounding
                per_deviation[k] = 1.0 / deviation
        return cls(mean.astype(np.float32), per_deviation.astype(np.float32), clip_sigma, has_masks)

    @property
    def n_channels(self) -> int:
        """Of what `transform` gives."""
        return len(self.mean) * (2 if self.has_masks else 1)

    def transform(self, windows: Float32Array) -> Float32Array:
        """Return float32 (n, lookback_bars, n_channels), a new array; each number comes from one of `windows`."""
        scaled = windows - self.mean
        scaled *= self.per_deviation
        np.clip(scaled, -self.clip_sigma, self.clip_sigma, out=scaled)
        is_unknown = np.isnan(scaled)
        scaled[is_unknown] = 0.0
        if not self.has_masks:
            return scaled
        return np.concatenate((scaled, (~is_unknown).astype(np.float32)), axis=2)
