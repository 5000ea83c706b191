"""Scores made comparable across the symbols of one frame."""

from functools import cache
from math import prod

import numpy as np

from outcry.alphas.kernels import section
from outcry.compiled import compile_entry_point
from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray

_FRAMES = "Array(f8, 2, 'C', readonly=True)"
_standardise = cache(lambda: compile_entry_point(section.standardise_frames, f"void({_FRAMES}, f8[:,::1])"))
_rank = cache(lambda: compile_entry_point(section.rank_frames, f"void({_FRAMES}, f8[:,::1])"))
_winsorise = cache(lambda: compile_entry_point(section.winsorise_frames, f"void({_FRAMES}, f8, f8[::1], f8[:,::1])"))


def standardise(scores: FloatArray) -> FloatArray:
    """Return ``(x - mean)/std(ddof 1)`` over the known symbols of each frame; 0 where they are equal.

    Parameters
    ----------
    scores : float64 (..., n_symbols)
        A score that is not finite is not known.

    Returns
    -------
    float64 (..., n_symbols)
        NaN where not known. A frame has the same bits whatever other frames are given.
    """
    frames, out = _frames_of(scores)
    _standardise()(frames, out)
    return out.reshape(scores.shape)


def rank(scores: FloatArray) -> FloatArray:
    """Return ``(2 r - n - 1)/n`` over the n known symbols of each frame, in (-1, 1) around 0.

    r is the rank from 1, and equal scores have their mean rank; otherwise as `standardise`. Cost: O(n^2) a frame.
    """
    frames, out = _frames_of(scores)
    _rank()(frames, out)
    return out.reshape(scores.shape)


def winsorise(scores: FloatArray, tail_frac: float) -> FloatArray:
    """Return scores held between two quantiles of the known symbols of each frame; otherwise as `standardise`.

    Parameters
    ----------
    scores : float64 (..., n_symbols)
    tail_frac : float
        The quantiles are this and one less this; in [0, 0.5).

    Raises
    ------
    ConfigurationError
        Where `tail_frac` breaks its rule.

    References
    ----------
    Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996: type 7, as of NumPy.
    """
    if not 0.0 <= tail_frac < 0.5:
        raise ConfigurationError(f"tail_frac must be in [0, 0.5), was {tail_frac}")
    frames, out = _frames_of(scores)
    _winsorise()(frames, tail_frac, np.empty(frames.shape[1]), out)
    return out.reshape(scores.shape)


def _frames_of(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return scores as (n_frames, n_symbols), and room for the result."""
    frames = np.ascontiguousarray(scores, dtype=np.float64).reshape(prod(scores.shape[:-1]), scores.shape[-1])
    return frames, np.empty(frames.shape)
