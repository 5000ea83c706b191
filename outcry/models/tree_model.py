"""Boosted trees as a fitted model: what a library stored, the forest read back from it, and the gain of each column."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import FloatArray, IntArray
from outcry.models.family import RowModel
from outcry.models.forest import Forest

N_COMPARED_ROWS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class TreeModel:
    """`outcry.models.family.RowModel` of trees.

    Attributes
    ----------
    file : str
        Name of its one file.
    text : bytes
        As the library wrote it.
    n_rounds : int
        Trees of each class.
    """

    file: str
    text: bytes
    n_rounds: int
    _forest: Forest
    _gain: Callable[[bytes], FloatArray]

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        return self._forest.predict_proba(rows, columns)

    def save(self) -> Mapping[str, bytes]:
        return {self.file: self.text}

    def importance(self) -> FloatArray:
        """Return the share of each feature in the gain of all splits."""
        gain = self._gain(self.text)
        total = gain.sum()
        return gain / total if total > 0.0 else gain


def check_same(
    model: RowModel,
    predict: Callable[[FloatArray], FloatArray],
    rows: FloatArray,
    library: Any,
    tolerance: float = 0.0,
) -> None:
    """Raise `BundleError` unless the trees, as they are stored, predict what the library predicts: to the last bit."""
    some = np.ascontiguousarray(rows[:: max(len(rows) // N_COMPARED_ROWS, 1)])
    if not np.allclose(model.predict_proba(some), predict(some), rtol=0.0, atol=tolerance):
        raise BundleError(f"{library.__name__} must predict what its stored trees say, {library.__version__} does not")
