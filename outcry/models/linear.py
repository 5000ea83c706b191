"""A linear model on standardised columns: what it is when fitted, and what standardises them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.forest import check_columns

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True, eq=False)
class Standardisation:
    """Bring columns to mean 0 and deviation 1, far values to the edge first, and NaN to the mean.

    Attributes
    ----------
    low, high : float64 (n_features,)
        What lies outside is taken for the nearer of the two.
    mean, deviation : float64 (n_features,)
        Of the rows after that. A column without two values has one for all of low, high and mean, and deviation 1: it
        is 0 whatever comes.
    """

    low: FloatArray
    high: FloatArray
    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def of_rows(cls, rows: FloatArray, winsor_frac: float) -> "Standardisation":
        """Measure float64 (n_rows, n_features); the edges leave `winsor_frac` of the known values on either side."""
        n_features = rows.shape[1]
        low, high, mean, deviation = np.zeros((4, n_features))
        for column in range(n_features):
            known = rows[:, column][~np.isnan(rows[:, column])]
            edges = np.quantile(known, (winsor_frac, 1.0 - winsor_frac)) if known.size else np.zeros(2)
            if edges[0] == edges[1]:
                low[column] = high[column] = mean[column] = edges[0]
                deviation[column] = 1.0
                continue
            low[column], high[column] = edges if winsor_frac > 0.0 else (-_LARGEST, _LARGEST)
            known = known.clip(low[column], high[column])
            mean[column], deviation[column] = known.mean(), known.std()
        return cls(low, high, mean, deviation)

    def apply(self, rows: FloatArray) -> FloatArray:
        """Return a standardised copy."""
        standardised = (rows.clip(self.low, self.high) - self.mean) / self.deviation
        standardised[np.isnan(standardised)] = 0.0
        return standardised


class LinearModel:
    """`outcry.models.family.RowModel`: probabilities from weighted sums of standardised columns.

    Parameters
    ----------
    file : str
        Name of its one file.
    standardisation : Standardisation
    coefficients : float64 (3, n_features)
    intercepts : float64 (3,)
        -inf for a class that never came.
    least_probability : float, optional
        None takes the softmax of the sums. Otherwise the sums are probabilities but for their range: what is less than
        this becomes it, and they are divided by what they add up to.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it. Columns without a weight are not read.
    """

    def __init__(
        self,
        file: str,
        standardisation: Standardisation,
        coefficients: FloatArray,
        intercepts: FloatArray,
        least_probability: float | None = None,
    ) -> None:
        from outcry.models.kernels.linear import compile_predict_linear  # noqa: PLC0415 - half a second, to load only

        self._file, self._standardisation = file, standardisation
        self._coefficients, self._intercepts, self._least = coefficients, intercepts, least_probability
        self._used = np.flatnonzero(coefficients.any(axis=0))
        self._scale = np.stack(
            (
                standardisation.low,
                standardisation.high,
                standardisation.mean,
                1.0 / standardisation.deviation,
            ),
            axis=1,
        )[self._used]
        self._weights = np.ascontiguousarray(coefficients[:, self._used].T)
        self._predict = compile_predict_linear()

    @property
    def standardisation(self) -> Standardisation:
        return self._standardisation

    @property
    def coefficients(self) -> FloatArray:
        """float64 (3, n_features)."""
        return self._coefficients

    @property
    def least_probability(self) -> float | None:
        return self._least

    def with_weights(self, coefficients: FloatArray, intercepts: FloatArray) -> "LinearModel":
        """Return a model that differs by these."""
        return LinearModel(self._file, self._standardisation, coefficients, intercepts, self._least)

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        columns = check_columns(rows, columns, self._coefficients.shape[1])
        probability = np.empty((len(rows), len(Direction)))
        self._predict(
            np.ascontiguousarray(rows, dtype=np.float64),
            columns[self._used],
            self._scale,
            self._weights,
            self._intercepts,
            np.nan if self._least is None else self._least,
            probability,
        )
        return probability

    @property
    def is_softmax(self) -> bool:
        """Whether the sums go into a softmax; they are probabilities themselves otherwise."""
        return self._least is None

    @property
    def intercepts(self) -> FloatArray:
        """float64 (3,): what the sums begin with, -inf for a class that never came."""
        return self._intercepts

    def weighted(self, rows: FloatArray) -> FloatArray:
        """Return what each column adds to the sum of each class, float64 (n_rows, 3, n_features); 0 where it is NaN."""
        weighted: FloatArray = self._standardisation.apply(rows)[:, np.newaxis, :] * self._coefficients
        return weighted

    def save(self) -> Mapping[str, bytes]:
        scale, directions = self._standardisation, [direction.name.lower() for direction in Direction]
        content = {
            "low": scale.low.tolist(),
            "high": scale.high.tolist(),
            "mean": scale.mean.tolist(),
            "deviation": scale.deviation.tolist(),
            "coefficients": dict(zip(directions, self._coefficients.tolist(), strict=True)),
            # JSON has no infinity: null stands for a class that never came
            "intercepts": {
                direction: value if np.isfinite(value) else None
                for direction, value in zip(directions, self._intercepts.tolist(), strict=True)
            },
            "least_probability": self._least,
        }
        return {self._file: (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()}

    def importance(self) -> FloatArray:
        """Return the share of each column in the absolute weights, by how much the classes differ in them."""
        known = self._coefficients[np.isfinite(self._intercepts)]
        weight = np.abs(known - known.mean(axis=0)).sum(axis=0)
        total = weight.sum()
        return np.asarray(weight / total if total > 0.0 else weight)


def read_linear(file: str, text: bytes, n_features: int) -> LinearModel:
    """Read what `LinearModel.save` gave; `BundleError` where it is anything else."""
    try:
        content = json.loads(text)
        names = ("low", "high", "mean", "deviation")
        scale = Standardisation(*(np.array(content[name], dtype=np.float64) for name in names))
        directions = [direction.name.lower() for direction in Direction]
        coefficients = np.array([content["coefficients"][name] for name in directions], dtype=np.float64)
        said = [content["intercepts"][name] for name in directions]
        intercepts = np.array([-np.inf if value is None else value for value in said], dtype=np.float64)
        least = content["least_probability"]
        least = None if least is None else float(least)
    except (ValueError, TypeError, KeyError) as error:
        raise BundleError(f"{file} cannot be read: {error!r}") from None
    if coefficients.shape != (len(Direction), n_features):
        raise BundleError(f"{file} must read {n_features} features, reads {coefficients.shape[-1]}")
    arrays = [scale.low, scale.high, scale.mean, scale.deviation]
    if any(array.shape != (n_features,) for array in arrays) or not np.isfinite([*arrays, *coefficients]).all():
        raise BundleError(f"{file} must give {n_features} numbers for each of {', '.join(names)}")
    if not ((scale.low <= scale.high) & (scale.deviation > 0.0)).all():
        raise BundleError(f"{file} must have low at most high, and deviations above zero")
    if not np.isfinite(intercepts).any() or (least is not None and not 0.0 < least < 1.0 / len(Direction)):
        raise BundleError(f"{file} must have an intercept, and a least probability that three classes can have")
    return LinearModel(file, scale, coefficients, intercepts, least)
