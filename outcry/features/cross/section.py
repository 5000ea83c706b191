"""The second stage of the features: each symbol among the others."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError, RecoveryError
from outcry.features.catalogue import code_hash
from outcry.features.column import Column
from outcry.features.cross import advance, refit
from outcry.features.cross.columns import N_FACTORS, PROXIES, cross_columns, dear_columns
from outcry.features.cross.config import CrossConfig
from outcry.market.frame import BoolArray, Float32Array, FloatArray, IntArray

_NO_OUTPUT = np.empty((0, 0, 0))
_PAST = ("history", "rings", "references", "reference_history")


class CrossSection:
    """Keep the cross-sectional features of a universe, frame by frame.

    Parameters
    ----------
    sectors : int64 (n_symbols,)
        A code from 0 for each sector; -1 where unknown. The peers of a symbol are the other known members of its
        sector; where there are none, or it is unknown, the market stands for them.
    market : int, optional
        The column of the market, SPY or the proxy of an index. Without it the market is the equally weighted mean of
        the log returns of the known symbols.
    proxies : mapping of str to int, optional
        The columns of those of `PROXIES` that are in the universe. One that is not has no feature.
    config : CrossConfig, optional

    Raises
    ------
    ConfigurationError
        Where a code, a name or a column cannot be.

    Notes
    -----
    The values after frame t depend on frames 0..t only. `update` and `replay` agree bit for bit, and so does a restored
    state: they run the same machine code.

    A symbol without a bar in a frame keeps its last close, so its return of that frame is 0 and its volume too, and
    keeps its row of values. It stays part of every median, rank and correlation of the others, but for the median of
    the relative volume, which is of the symbols with a bar. One that never had a bar is NaN and part of nothing. A
    value is NaN before its symbol, and what it is compared with, have the history of its window.

    Statistics of all pairs (principal components, partial correlation, network, clusters, contagion) are computed in
    every frame whose number from 1 is a multiple of the cadence, and held between.

    Cost: O(n window) in every frame, O(n^2 window) at the cadence.
    """

    def __init__(
        self,
        sectors: IntArray,
        market: int | None = None,
        proxies: Mapping[str, int] | None = None,
        config: CrossConfig | None = None,
    ) -> None:
        config, proxies = config or CrossConfig(), proxies or {}
        sectors = np.asarray(sectors, dtype=np.int64)
        n_symbols = len(sectors)
        if n_symbols < 1 or sectors.min() < -1:
            raise ConfigurationError(f"sectors must be codes of at least -1, one a symbol, was {sectors.tolist()}")
        if unknown := sorted(set(proxies) - set(PROXIES)):
            raise ConfigurationError(f"proxies must be among {', '.join(PROXIES)}, had {', '.join(unknown)}")
        named = {"market": market, **proxies}
        for name, column in named.items():
            if column is not None and not 0 <= column < n_symbols:
                raise ConfigurationError(f"column of {name} must be in 0..{n_symbols - 1}, was {column}")
        names = tuple(name for name in PROXIES if name in proxies)
        self.columns: tuple[Column, ...] = cross_columns(config, names)
        n_dear, n_references = len(dear_columns(config)), 1 + len(names)
        self._config = config
        self._sectors = _dense(sectors)
        self._reference_columns = np.array([-1 if market is None else market, *(proxies[n] for n in names)], np.int64)
        self._arrays: dict[str, Any] = {
            "frames": np.zeros(1, np.int64),
            "history": np.zeros((2, n_symbols), np.int64),
            "rings": np.zeros((4, config.ring_frames, n_symbols)),
            "references": np.zeros((config.ring_frames, n_references)),
            "reference_history": np.zeros(n_references, np.int64),
            "loadings": np.full((1 + config.exposure_refits, N_FACTORS, n_symbols), np.nan),
            "held": np.full((n_dear, n_symbols), np.nan),
            "last": np.full((n_symbols, len(self.columns)), np.nan),
        }
        self._windows, self._spans = _window_arrays(config)
        work, line = np.empty((advance.WORK_ROWS, n_symbols)), np.empty(config.ring_frames)
        self._frame_scratch = (np.empty((len(self.columns) - n_dear, n_symbols)), work, line)
        self._refit_scratch = (
            work,
            line,
            np.empty((refit.WHOLE_ROWS, n_symbols), np.int64),
            np.empty((max(config.factor_frames, config.network_frames), n_symbols + 1)),
            np.empty((2, config.factor_frames, config.factor_frames)),
            np.empty((2, n_symbols, n_symbols)),
        )
        self._advance = advance.compile_advance(code_hash("cross"))
        self._refit = refit.compile_refit(code_hash("cross"))

    @property
    def n_symbols(self) -> int:
        return len(self._sectors)

    @property
    def values(self) -> FloatArray:
        """A copy of the features after the last frame, float64 (n_symbols, n_cross)."""
        values: FloatArray = self._arrays["last"].copy()
        return values

    def update(self, close: FloatArray, volume: FloatArray, present: BoolArray) -> None:
        """Advance by one frame.

        Parameters
        ----------
        close, volume : float64 (n_symbols,)
            Read where `present`.
        present : bool (n_symbols,)

        Raises
        ------
        DataValidationError
            Where a shape is another, or a close is not positive and finite, or a volume negative or not finite. The
            state is then as it was.
        """
        self._run(close[np.newaxis], volume[np.newaxis], present[np.newaxis], _NO_OUTPUT)

    def replay(self, closes: FloatArray, volumes: FloatArray, present: BoolArray) -> FloatArray:
        """Advance over frames (n_frames, n_symbols); return the values after each, (n_frames, n_symbols, n_cross).

        Raises
        ------
        DataValidationError
            As `update`, before the first frame is taken.
        """
        out = np.empty((len(present), *self._arrays["last"].shape))
        self._run(closes, volumes, present, out)
        return out

    def snapshot(self) -> dict[str, FloatArray | IntArray | BoolArray]:
        """Copy what a cross-section of the same description needs to resume after the last frame."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def restore(self, arrays: Mapping[str, FloatArray | Float32Array | IntArray | BoolArray]) -> None:
        """Resume after the last frame of a snapshot.

        Raises
        ------
        RecoveryError
            Where an array is missing, or was made for another universe or other windows.
        """
        for name, array in self._arrays.items():
            if name not in arrays:
                raise RecoveryError(f"arrays must hold {name}, held {', '.join(sorted(arrays))}")
            given = arrays[name]
            if given.shape != array.shape or given.dtype != array.dtype:
                raise RecoveryError(f"{name} must be {array.dtype} {array.shape}, was {given.dtype} {given.shape}")
        self._arrays = {name: np.array(arrays[name], order="C") for name in self._arrays}

    def _run(self, closes: FloatArray, volumes: FloatArray, present: BoolArray, out: FloatArray) -> None:
        present = np.ascontiguousarray(present, dtype=np.bool_)
        closes, volumes = (np.ascontiguousarray(x, dtype=np.float64) for x in (closes, volumes))
        self._check(closes, volumes, present)
        state, cadence = self._arrays, self._config.cadence_frames
        past = tuple(state[name] for name in _PAST)
        described = (self._sectors, self._reference_columns, self._windows, self._spans, self._frame_scratch)
        start = 0
        while start < len(present):
            to_refit = cadence - int(state["frames"][0]) % cadence
            chunk = slice(start, min(start + to_refit, len(present)))
            bars = (closes[chunk], volumes[chunk], present[chunk])
            self._advance(state["frames"], past, state["held"], state["last"], *described, *bars, out[chunk])
            start = chunk.stop
            k = int(state["frames"][0])
            if k % cadence == 0:
                rows = (state["loadings"], state["held"], state["last"], k // cadence)
                chosen = (self._config.network_frames, self._refit_scratch, self._reference_columns[0])
                self._refit(k, past, *rows, *chosen, present[start - 1])
                if len(out):
                    out[start - 1] = state["last"]

    def _check(self, closes: FloatArray, volumes: FloatArray, present: BoolArray) -> None:
        for name, array in (("close", closes), ("volume", volumes), ("present", present)):
            if array.shape != (len(present), self.n_symbols):
                raise DataValidationError(f"{name} must have {self.n_symbols} symbols a frame, was {array.shape}")
        valid = np.isfinite(closes) & np.isfinite(volumes)
        with np.errstate(invalid="ignore"):
            valid &= (closes > 0.0) & (volumes >= 0.0)
        if len(wrong := np.argwhere(present & ~valid)):
            row, symbol = wrong[0]
            raise DataValidationError(
                "a bar must have a finite positive close and a finite volume of at least 0;"
                f" frame {row}, symbol {symbol} had close {closes[row, symbol]:g}, volume {volumes[row, symbol]:g}"
            )


def _dense(sectors: IntArray) -> IntArray:
    """Number the sectors from 0 without gaps, so that there are no more codes than symbols; -1 stays."""
    codes = np.full(len(sectors), -1, dtype=np.int64)
    is_known = sectors >= 0
    codes[is_known] = np.unique(sectors[is_known], return_inverse=True)[1]
    return codes


def _window_arrays(config: CrossConfig) -> tuple[advance.Windows, IntArray]:
    """Return the windows as the kernels read them."""
    strength, excess, standing, beta = (
        np.array(windows, dtype=np.int64)
        for windows in (config.strength_frames, config.excess_frames, config.standing_frames, config.beta_frames)
    )
    spans = (config.volume_frames, config.correlation_frames, config.short_frames, config.long_frames)
    return (strength, excess, standing, beta), np.array(spans, dtype=np.int64)
