"""The ensemble: members, what makes one answer of theirs, and the calibration of that."""

from collections.abc import Sequence

import numpy as np

from outcry.errors import BundleError, PredictionError
from outcry.market.frame import BoolArray, Float32Array, FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration
from outcry.models.combiners import Combiner, OnlineCombiner
from outcry.models.decisions import DecisionSpec
from outcry.models.family import Model, WindowModel
from outcry.models.forest import check_columns
from outcry.models.manifest import LabelSpec
from outcry.models.uncertainty.prediction_sets import PredictionSets


class Ensemble:
    """Combine the probabilities of members, then calibrate.

    Parameters
    ----------
    members : sequence of Model
    combiner : Combiner
        Of so many members.
    calibration : Calibration
        Of what the combiner says.
    feature_names : sequence of str
        Columns that every member reads, in order.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it: every step treats rows one by one. Members that are not
    heard are not asked.
    """

    def __init__(
        self, members: Sequence[Model], combiner: Combiner, calibration: Calibration, feature_names: Sequence[str]
    ) -> None:
        from outcry.models.kernels.known import compile_find_known  # noqa: PLC0415 - half a second, only to load

        self._find_known = compile_find_known()
        heard = combiner.spec.heard or (True,) * len(members)
        self._members = [(member, is_heard) for member, is_heard in zip(members, heard, strict=True)]
        asked = [member for member, is_heard in self._members if is_heard]
        self._lookback_bars = max(
            (member.lookback_bars for member in asked if isinstance(member, WindowModel)), default=1
        )
        self._combiner = combiner
        self._calibration = calibration
        self._n_read = len(feature_names)
        self._feature_names = tuple(dict.fromkeys((*feature_names, *combiner.feature_names)))
        self._for_combiner = np.array([self._feature_names.index(name) for name in combiner.feature_names], np.int64)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Columns of the rows, in order: those of the members, then what the combiner reads besides."""
        return self._feature_names

    @property
    def lookback_bars(self) -> int:
        """Rows that the longest member reads, that of the decision bar included."""
        return self._lookback_bars

    @property
    def combiner(self) -> Combiner:
        return self._combiner

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    def decision_spec(self, label: LabelSpec, sets: PredictionSets | None = None) -> DecisionSpec:
        """Return how it makes a forecast of what its members say.

        Parameters
        ----------
        label : LabelSpec
            What the members were fitted to.
        sets : PredictionSets, optional
            Of what the ensemble forecasts.
        """
        learns = isinstance(self._combiner, OnlineCombiner)
        conformal = None if sets is None else sets.to_json()
        return DecisionSpec(self._combiner.to_json(), self._calibration.to_json(), conformal, label, learns=learns)

    def columns_in(self, feature_names: Sequence[str]) -> IntArray:
        """Return int64 (n_features,): where each of its features stands among `feature_names`.

        Raises
        ------
        BundleError
            Where one is not there.
        """
        position = {name: column for column, name in enumerate(feature_names)}
        missing = [name for name in self._feature_names if name not in position]
        if missing:
            raise BundleError(
                f"{len(missing)} of its {len(self._feature_names)} features are not computed: "
                f"{', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}"
            )
        return np.array([position[name] for name in self._feature_names], dtype=np.int64)

    def predict_proba(
        self, rows: FloatArray, columns: IntArray | None = None, windows: Float32Array | None = None
    ) -> FloatArray:
        """Return calibrated class probabilities; a combiner that learns from outcomes answers as it was fitted.

        Parameters
        ----------
        rows : float64 (n_rows, n_features), or wider
            A NaN feature is one that is not known yet; the members know how to do without.
        columns : int64 (n_features,), optional
            Where the features stand in wider rows: quicker than to pick them.
        windows : float32 (n_rows, lookback_bars or more, n_features), optional
            The rows of the last bars, that of the decision last, in the order of the features; a view perhaps. Members
            that read windows need it.

        Returns
        -------
        float64 (n_rows, 3)
            Columns in the order of `Direction`; rows sum to 1. A row without a feature that is known to the members is
            NaN.

        Raises
        ------
        PredictionError
            Where the shape is another, a feature is infinite, or windows are needed and there are none.
        """
        rows, columns, is_known = self._check_rows(rows, columns)
        if not len(rows):
            return np.empty((0, len(Direction)))
        said = self._ask_members(rows, columns, windows)
        probability = self._calibration.apply(self._combiner.combine(said, rows, columns[self._for_combiner]))
        probability[~is_known] = np.nan
        return probability

    def predict_members(
        self, rows: FloatArray, columns: IntArray | None = None, windows: Float32Array | None = None
    ) -> FloatArray:
        """Return what each member says, float64 (n_members, n_rows, 3): what `predict_proba` combines.

        Parameters and errors are those of `predict_proba`. A member that is not heard is NaN, and so is a row without
        a feature that is known to the members.
        """
        rows, columns, is_known = self._check_rows(rows, columns)
        if not len(rows):
            return np.empty((len(self._members), 0, len(Direction)))
        said = self._ask_members(rows, columns, windows)
        said[:, ~is_known] = np.nan
        return said

    def _check_rows(self, rows: FloatArray, columns: IntArray | None) -> tuple[FloatArray, IntArray, BoolArray]:
        """Return contiguous rows, the places of the features, and which rows the members know anything of."""
        columns = check_columns(rows, columns, len(self._feature_names))
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        is_known = np.empty(len(rows), dtype=np.bool_)
        for read, known in ((columns[self._n_read :], np.empty_like(is_known)), (columns[: self._n_read], is_known)):
            if (row := self._find_known(rows, read, known)) >= 0:
                values = rows[row, columns]
                feature = np.flatnonzero(np.isinf(values))[0]
                name = self._feature_names[feature]
                raise PredictionError(f"feature {name} must be finite or NaN, was {values[feature]} in row {row}")
        return rows, columns, is_known

    def _ask_members(self, rows: FloatArray, columns: IntArray, windows: Float32Array | None) -> FloatArray:
        said = np.empty((len(self._members), len(rows), len(Direction)))
        for (member, is_heard), out in zip(self._members, said, strict=True):
            out[:] = self._ask(member, rows, columns, windows) if is_heard else np.nan
        return said

    def _ask(self, member: Model, rows: FloatArray, columns: IntArray, windows: Float32Array | None) -> FloatArray:
        if not isinstance(member, WindowModel):
            return member.predict_proba(rows, columns[: self._n_read])
        shape = (len(rows), self._lookback_bars, len(self._feature_names))
        if windows is None or windows.ndim != 3 or (len(windows), windows.shape[2]) != (shape[0], shape[2]):
            raise PredictionError(
                f"windows must have shape {shape}, {'there are none' if windows is None else f'was {windows.shape}'}"
            )
        if windows.shape[1] < shape[1]:
            raise PredictionError(f"windows must have {shape[1]} rows or more, had {windows.shape[1]}")
        return member.predict_windows(windows[:, windows.shape[1] - member.lookback_bars :, : self._n_read])
