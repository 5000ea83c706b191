"""Calibration of class probabilities: one monotone piecewise linear map a class, then renormalised.

Only comparisons, additions, multiplications and divisions are used, each correctly rounded by IEEE 754, so a row gets
the same bits whatever batch it is in and whatever machine it is on. (A vectorised ``exp`` would not promise that.)

References
----------
Zadrozny & Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002, section 3:
isotonic maps one class against the rest, normalised to sum to one.
"""

import json
from dataclasses import dataclass

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import FloatArray
from outcry.messages import Direction


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Map raw class probabilities to calibrated ones.

    Parameters
    ----------
    raw : tuple of float64 (n_knots,)
        One array a class, in the order of `Direction`: strictly increasing raw probabilities.
    calibrated : tuple of float64 (n_knots,)
        Their images: positive, not decreasing, at most 1. Outside the knots the map is constant.

    Raises
    ------
    BundleError
        Where the knots break one of these rules.
    """

    raw: tuple[FloatArray, ...]
    calibrated: tuple[FloatArray, ...]

    def __post_init__(self) -> None:
        if not len(self.raw) == len(self.calibrated) == len(Direction):
            raise BundleError(f"calibration must have {len(Direction)} classes, had {len(self.raw)}")
        for direction, x, y in zip(Direction, self.raw, self.calibrated, strict=True):
            name = f"calibration of {direction.name}"
            if x.shape != y.shape or x.ndim != 1 or not x.size:
                raise BundleError(f"{name}: knots must be two lists of one length, had shapes {x.shape} and {y.shape}")
            if not (np.isfinite(x).all() and (np.diff(x) > 0).all()):
                raise BundleError(f"{name}: raw knots must be finite and increase")
            if not (np.isfinite(y).all() and (np.diff(y) >= 0).all() and y[0] > 0 and y[-1] <= 1):
                raise BundleError(f"{name}: calibrated knots must not decrease and lie in (0, 1]")

    def apply(self, probability: FloatArray) -> FloatArray:
        """Return calibrated probabilities; rows sum to 1, NaN rows stay NaN.

        Parameters
        ----------
        probability : float64 (n_rows, 3)
        """
        up, neutral, down = (
            np.interp(probability[:, direction], self.raw[direction], self.calibrated[direction])
            for direction in Direction
        )
        total = up + neutral + down
        return np.stack((up / total, neutral / total, down / total), axis=1)

    def to_json(self) -> bytes:
        content = {
            direction.name.lower(): {"raw": x.tolist(), "calibrated": y.tolist()}
            for direction, x, y in zip(Direction, self.raw, self.calibrated, strict=True)
        }
        return (json.dumps(content, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Calibration":
        """Read what `to_json` wrote; `BundleError` where it is anything else."""
        try:
            content = json.loads(text)
            knots = [content[direction.name.lower()] for direction in Direction]
            raw = tuple(np.array(knot["raw"], dtype=np.float64) for knot in knots)
            calibrated = tuple(np.array(knot["calibrated"], dtype=np.float64) for knot in knots)
        except (ValueError, TypeError, KeyError) as error:
            raise BundleError(f"calibration must give knots for up, neutral and down: {error!r}") from None
        return cls(raw, calibrated)
