"""One entry of the catalogue of targets, and the column it gives."""

from collections.abc import Callable
from dataclasses import dataclass

from outcry.labels.config import TargetConfig
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray, FrameTensor, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class TargetColumn:
    """The values of one target.

    Attributes
    ----------
    values : int8 or float64 (n_frames, n_symbols)
        Classes, -1 where the target is not known; or real values, NaN where it is not known.
    last_row : int64 (n_frames, n_symbols)
        The last row each value depends on; -1 where it is not known. See `outcry.labels.horizon.last_rows`.
    """

    values: LabelArray | FloatArray
    last_row: IntArray


@dataclass(frozen=True, slots=True)
class Target:
    """Describe a kind of target; the horizon h, in bars, completes its name: ``target_{kind}_{h}``.

    Attributes
    ----------
    kind : str
    formula : str
        ``f`` is the forward return, ``r_j`` the return of bar j, ``s`` the trailing deviation of ``r``, known at t.
    unit : str
        "class" where the values are the numbers of `classes`.
    classes : tuple of str
        In the order of their numbers; empty where the target is a real number.
    horizon : str
        The later rows a value depends on.
    reads : tuple of str
        Columns of a frame.
    windows : tuple of str
        Settings of `TargetConfig`; the longest of them is how many rows before t a value depends on.
    compute : callable
        From frames, h and the settings to int8 or float64 (n_frames, n_symbols), or to the column where a value can
        depend on less than h rows.
    """

    kind: str
    formula: str
    unit: str
    classes: tuple[str, ...]
    horizon: str
    reads: tuple[str, ...]
    windows: tuple[str, ...]
    compute: Callable[[FrameTensor, int, TargetConfig], LabelArray | FloatArray | TargetColumn]
