"""Labels as they become known while a run goes on: the streaming form of `outcry.labels.direction`."""

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.direction import LabelArray, direction_labels, volatility_band
from outcry.labels.horizon import UNDEFINED, check_horizon
from outcry.market.frame import FloatArray


class DirectionOutcomes:
    """Say at each frame t which direction each symbol took since frame t - `horizon_bars`.

    Parameters
    ----------
    n_symbols : int
    horizon_bars : int
    band_value : float
        A multiple of the trailing volatility; a fraction of the price where `volatility_window_bars` is absent.
    volatility_window_bars : int, optional

    Notes
    -----
    The labels of t are row t - `horizon_bars` of `direction_labels` over frames 0..t, to the bit. A symbol without a
    bar at one of the two frames has no label for that pair, now or ever.
    The state is the closes of the last ``horizon_bars + volatility_window_bars + 1`` frames.
    """

    def __init__(
        self, n_symbols: int, horizon_bars: int, band_value: float, volatility_window_bars: int | None = None
    ) -> None:
        check_horizon(horizon_bars)
        if band_value < 0.0:
            raise ConfigurationError(f"band_value must not be negative, was {band_value}")
        self._horizon_bars = horizon_bars
        self._band_value = band_value
        self._window_bars = volatility_window_bars
        self._closes = np.full((1 + horizon_bars + (volatility_window_bars or 0), n_symbols), np.nan)
        self._n_frames = 0

    def update(self, close: FloatArray) -> LabelArray:
        """Take the closes of the next frame, and return the labels of the frame `horizon_bars` before it.

        Parameters
        ----------
        close : float64 (n_symbols,)
            As if no share had ever been split; NaN where a symbol has no bar.

        Returns
        -------
        int8 (n_symbols,)
            Of `Direction`; `UNDEFINED` (-1) where they cannot be known.
        """
        labels: LabelArray = self.replay(close[np.newaxis])[0]
        return labels

    def replay(self, close: FloatArray) -> LabelArray:
        """Take the closes of many frames, float64 (n_frames, n_symbols); return what `update` gives for each."""
        if close.shape[1:] != self._closes.shape[1:]:
            raise DataValidationError(f"close must have shape {self._closes.shape[1:]}, was {close.shape[1:]}")
        n_past = min(self._n_frames, len(self._closes))
        known = np.concatenate((self._closes[len(self._closes) - n_past :], close))
        band: float | FloatArray = self._band_value
        if self._window_bars is not None:
            band = volatility_band(known, self._horizon_bars, self._band_value, self._window_bars)
        labels = direction_labels(known, self._horizon_bars, band)
        settled: LabelArray = np.full_like(labels, UNDEFINED)
        settled[self._horizon_bars :] = labels[: max(len(labels) - self._horizon_bars, 0)]
        self._closes = np.concatenate((self._closes, close))[-len(self._closes) :].copy()
        self._n_frames += len(close)
        return settled[n_past:]

    def snapshot(self) -> dict[str, FloatArray]:
        """Return the state as arrays."""
        return {"closes": self._closes.copy(), "n_frames": np.array([float(self._n_frames)])}

    def restore(self, state: dict[str, FloatArray]) -> None:
        """Resume after the last update before the snapshot."""
        if state["closes"].shape != self._closes.shape:
            raise DataValidationError(f"closes must have shape {self._closes.shape}, was {state['closes'].shape}")
        self._closes = np.array(state["closes"])
        self._n_frames = int(state["n_frames"][0])
