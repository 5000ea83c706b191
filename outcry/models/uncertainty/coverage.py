"""Whether sets or intervals hold as many outcomes as they promise, watched over the last frames."""

import numpy as np
from scipy.special import stdtrit

from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.horizon import check_horizon
from outcry.market.frame import IntArray
from outcry.messages import CoverageReport
from outcry.models.uncertainty.ranked_scores import check_level

LEAST_BLOCKS = 8


class CoverageMonitor:
    """Test the stated coverage against the outcomes of the last frames, block by block.

    Outcomes of neighbouring frames share most of their bars, and those of one frame the market: counting each as a draw
    of its own (Clopper-Pearson) would cry wolf. A block is ``2 · horizon_bars`` frames, of which the first
    ``horizon_bars − 1`` are left out: the labels of two blocks then have no bar in common. With c_b the share of
    the outcomes of block b that were covered, the interval is that of Student for the mean of the c_b; their variance
    counts as no less than that of as many independent outcomes, which all-covered blocks would have.

    Parameters
    ----------
    alpha : float
        The share of outcomes that may be missed.
    horizon_bars : int
    window_bars : int
        Frames that are looked back upon; at least `LEAST_BLOCKS` blocks.
    level_frac : float
        Chance of a false alarm in one look. Looks at every frame are not independent, and add up.

    References
    ----------
    Hall, Horowitz & Jing, "On blocking rules for the bootstrap with dependent data", Biometrika 82 (1995): means of
    blocks longer than the dependence are nearly independent. Christoffersen, "Evaluating interval forecasts",
    International Economic Review 39 (1998): the test of unconditional coverage, there for independent outcomes.
    """

    def __init__(self, alpha: float, horizon_bars: int, window_bars: int = 252, level_frac: float = 0.01) -> None:
        check_level(alpha)
        check_horizon(horizon_bars)
        least = LEAST_BLOCKS * 2 * horizon_bars
        if window_bars < least:
            raise ConfigurationError(f"window_bars must be at least {least}, was {window_bars}")
        if not 0.0 < level_frac < 1.0:
            raise ConfigurationError(f"level_frac must be in (0, 1), was {level_frac}")
        self._alpha, self._horizon_bars, self._level_frac = alpha, horizon_bars, level_frac
        self._counts: IntArray = np.zeros((window_bars, 2), dtype=np.int64)

    @property
    def report(self) -> CoverageReport | None:
        """None while fewer than `LEAST_BLOCKS` blocks hold an outcome."""
        size = 2 * self._horizon_bars
        n_blocks = len(self._counts) // size
        blocks = self._counts[len(self._counts) - n_blocks * size :].reshape(n_blocks, size, 2)
        covered, known = blocks[:, self._horizon_bars - 1 :].sum(axis=1).T
        covered, known = covered[known > 0], known[known > 0]
        if len(known) < LEAST_BLOCKS:
            return None
        shares = covered / known
        independent = self._alpha * (1.0 - self._alpha) * float((1.0 / known).mean())
        error = np.sqrt(max(shares.var(ddof=1), independent) / len(shares))
        half = float(stdtrit(len(shares) - 1, 1.0 - self._level_frac / 2) * error)
        mean = float(shares.mean())
        return CoverageReport(
            n_rows=int(self._counts[:, 1].sum()),
            coverage_frac=mean,
            low_frac=max(mean - half, 0.0),
            high_frac=min(mean + half, 1.0),
            is_off=bool(abs(mean - (1.0 - self._alpha)) > half),
        )

    def update(self, n_covered: int, n_known: int) -> None:
        """Take how many of the outcomes that a frame brought were covered; a frame without outcomes has its place."""
        if not 0 <= n_covered <= n_known:
            raise DataValidationError(f"n_covered must be in [0, {n_known}], was {n_covered}")
        self._counts[:-1] = self._counts[1:]
        self._counts[-1] = n_covered, n_known

    def snapshot(self) -> IntArray:
        """Return the counts of the window, int64 (window_bars, 2)."""
        return self._counts.copy()

    def restore(self, state: IntArray) -> None:
        """Resume after the last update before the snapshot."""
        if state.shape != self._counts.shape:
            raise DataValidationError(f"counts must have shape {self._counts.shape}, was {state.shape}")
        self._counts = np.array(state, dtype=np.int64)
