"""Alphas weighed into one score, by what became of them so far."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from outcry.alphas import orthogonal
from outcry.alphas.config import CombinationConfig
from outcry.alphas.cross_section import standardise
from outcry.alphas.limits import project
from outcry.alphas.max_sharpe import max_sharpe_weights
from outcry.alphas.payoffs import Payoffs, measure_payoff
from outcry.alphas.weighting import equal_weights, ic_weights, inverse_volatility_weights, sharpe_weights
from outcry.errors import ConfigurationError, DataValidationError, RecoveryError
from outcry.market.frame import FloatArray, IntArray


class AlphaCombination:
    """Keep the weights of alphas and their common score, frame by frame.

    Parameters
    ----------
    n_alphas, n_symbols : int
    horizon_bars : int
        What became of a score is the return of the bars from its frame to that many later.
    config : CombinationConfig

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule.

    Notes
    -----
    Scores are standardised in each frame. The score of frame t uses scores of frames 0..t, and closes 0..t: what became
    of the scores of frame t - horizon_bars is known at t, and that of later ones is not. A replay of the same frames,
    and a restored state, give the same bits on the same machine.

    A weight counts for the alphas that know a symbol; the others have no opinion of it, which is a score of 0.
    """

    def __init__(self, n_alphas: int, n_symbols: int, horizon_bars: int, config: CombinationConfig) -> None:
        for name, value in (("n_alphas", n_alphas), ("n_symbols", n_symbols), ("horizon_bars", horizon_bars)):
            if value < 1:
                raise ConfigurationError(f"{name} must be at least 1, was {value}")
        self._config = config
        window = config.window_frames
        self._arrays: dict[str, Any] = {
            "counts": np.zeros(2, np.int64),  # frames, payoffs
            "scores": np.full((horizon_bars, n_alphas, n_symbols), np.nan),
            "closes": np.full((horizon_bars, n_symbols), np.nan),
            "regimes": np.zeros(horizon_bars, np.int64),
            "moments": np.zeros((window, n_alphas, n_alphas)),
            "products": np.zeros((2, window, n_alphas)),
            "payoff_regimes": np.zeros(window, np.int64),
            "weights": project(equal_weights(n_alphas) * config.total, config.limits),
            "score": np.full(n_symbols, np.nan),
        }

    @property
    def weights(self) -> FloatArray:
        """A copy of the weights of the alphas, float64 (n_alphas,)."""
        weights: FloatArray = self._arrays["weights"].copy()
        return weights

    @property
    def score(self) -> FloatArray:
        """A copy of the common score after the last frame, float64 (n_symbols,); NaN where no alpha knows a symbol."""
        score: FloatArray = self._arrays["score"].copy()
        return score

    def update(self, scores: FloatArray, close: FloatArray, regime: int = 0) -> None:
        """Advance by one frame.

        Parameters
        ----------
        scores : float64 (n_alphas, n_symbols)
            NaN where not known.
        close : float64 (n_symbols,)
            As if no share had ever been split; NaN without a bar.
        regime : int
            The state of the market, as it is known now. Weights are fitted to payoffs of scores of the same one, where
            there are enough, and fitted anew where it changes.

        Raises
        ------
        DataValidationError
            Where a shape is another.
        """
        state = self._arrays
        for name, given, expected in (("scores", scores, state["scores"][0]), ("close", close, state["closes"][0])):
            if given.shape != expected.shape:
                raise DataValidationError(f"{name} must have shape {expected.shape}, was {given.shape}")
        n_frames, horizon_bars = int(state["counts"][0]), len(state["closes"])
        slot = n_frames % horizon_bars  # holds frame t - horizon_bars until this one takes its place
        before = state["closes"][slot]
        forward = np.divide(close, before, out=np.full(close.shape, np.nan), where=(close > 0.0) & (before > 0.0)) - 1.0
        if (payoff := measure_payoff(state["scores"][slot], forward)) is not None:
            self._keep(payoff, int(state["regimes"][slot]))
        last_regime = int(state["regimes"][slot - 1]) if n_frames else regime
        if n_frames % self._config.refit_frames == 0 or regime != last_regime or self._has_lost():
            self._refit(regime)
        standard = standardise(scores)
        state["scores"][slot], state["closes"][slot], state["regimes"][slot] = standard, close, regime
        state["counts"][0] += 1
        has_opinion = (np.isfinite(standard) & (state["weights"] != 0.0)[:, None]).any(axis=0)
        total = orthogonal.apply_map(state["weights"][None], np.nan_to_num(standard))[0]
        state["score"] = np.where(has_opinion, total, np.nan)

    def snapshot(self) -> dict[str, FloatArray | IntArray]:
        """Copy what a combination of the same description needs to resume after the last frame."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def restore(self, arrays: Mapping[str, FloatArray | IntArray]) -> None:
        """Resume after the last frame of a snapshot; `RecoveryError` where it is of another description."""
        for name, array in self._arrays.items():
            if name not in arrays or arrays[name].shape != array.shape or arrays[name].dtype != array.dtype:
                raise RecoveryError(f"arrays must hold {name}, {array.dtype} {array.shape}")
        self._arrays = {name: arrays[name].copy() for name in self._arrays}

    def _keep(self, payoff: Payoffs, regime: int) -> None:
        state = self._arrays
        slot = int(state["counts"][1]) % self._config.window_frames
        state["moments"][slot] = payoff.moments
        state["products"][:, slot] = payoff.earned, payoff.ranked
        state["payoff_regimes"][slot] = regime
        state["counts"][1] += 1

    def _has_lost(self) -> bool:
        """Say whether the present weights would have lost over the payoffs that are looked at."""
        n_payoffs, n_reviewed = int(self._arrays["counts"][1]), self._config.review_frames
        if n_reviewed is None or n_payoffs < n_reviewed:
            return False
        slots = np.arange(n_payoffs - n_reviewed, n_payoffs) % self._config.window_frames
        earned = self._arrays["products"][0, slots]
        return bool((earned * self._arrays["weights"]).sum() < 0.0)

    def _refit(self, regime: int) -> None:
        state, config = self._arrays, self._config
        rows = np.arange(min(int(state["counts"][1]), config.window_frames))
        alike = rows[state["payoff_regimes"][rows] == regime]
        rows = alike if len(alike) >= config.min_payoffs else rows
        if len(rows) < config.min_payoffs:
            return
        earned, ranked = state["products"][:, rows]
        payoffs = Payoffs(state["moments"][rows], earned, ranked)
        matrix = _fit_map(payoffs.moments.mean(axis=0), config)
        if len(matrix):
            state["weights"] = matrix.T @ _fit_weights(payoffs.mapped(matrix), config, state["weights"])


def combine_alphas(
    scores: FloatArray,
    close: FloatArray,
    horizon_bars: int,
    config: CombinationConfig,
    regimes: IntArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Combine the alphas of many frames, each with the weights of its own past; see `AlphaCombination`.

    Parameters
    ----------
    scores : float64 (n_alphas, n_frames, n_symbols)
    close : float64 (n_frames, n_symbols)
    horizon_bars : int
    config : CombinationConfig
    regimes : int64 (n_frames,), optional

    Returns
    -------
    score : float64 (n_frames, n_symbols)
    weights : float64 (n_frames, n_alphas)
    """
    n_alphas, n_frames, n_symbols = scores.shape
    combination = AlphaCombination(n_alphas, n_symbols, horizon_bars, config)
    score, weights = np.empty((n_frames, n_symbols)), np.empty((n_frames, n_alphas))
    for t in range(n_frames):
        combination.update(scores[:, t], close[t], 0 if regimes is None else int(regimes[t]))
        score[t], weights[t] = combination.score, combination.weights
    return score, weights


def _fit_map(moments: FloatArray, config: CombinationConfig) -> FloatArray:
    """Return the map of the alphas to those that are weighed, float64 (n_kept, n_alphas)."""
    kept = orthogonal.keep_distinct(moments, config.max_abs_correlation) if config.max_abs_correlation < 1.0 else None
    matrix = np.eye(len(moments)) if kept is None else kept
    inner = matrix @ moments @ matrix.T
    if not inner.any():
        return matrix[:0]
    match config.orthogonal:
        case "gram_schmidt":
            matrix = orthogonal.gram_schmidt(inner) @ matrix
        case "symmetric":
            matrix = orthogonal.symmetric(inner) @ matrix
        case "principal":
            matrix = orthogonal.principal(inner, config.n_components) @ matrix
    return matrix[matrix.any(axis=1)]


def _fit_weights(payoffs: Payoffs, config: CombinationConfig, previous: FloatArray) -> FloatArray:
    """Return the weights of the mapped alphas, within limits."""
    n_alphas = payoffs.earned.shape[1]
    limits = replace(config.limits, high=max(config.max_weight, config.total / n_alphas))
    before = previous if config.max_turnover is not None else None
    match config.weighting:
        case "equal":
            found = equal_weights(n_alphas)
        case "ic":
            found = ic_weights(payoffs.coefficients)
        case "sharpe":
            found = sharpe_weights(payoffs.earned)
        case "inverse_volatility":
            found = inverse_volatility_weights(payoffs.earned)
        case "max_sharpe":
            mean, covariance = payoffs.earned.mean(axis=0), np.cov(payoffs.earned.T, ddof=1).reshape(n_alphas, -1)
            return max_sharpe_weights(mean, covariance, config.ridge_frac, limits, before)
    return project(found * config.total, limits, before)
