"""The state of a walk-forward training: what the folds so far have predicted, and the ensemble of the last one."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np

from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.labels.direction import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration
from outcry.models.ensemble import SoftVote
from outcry.models.evaluation import score
from outcry.models.manifest import FoldRecord
from training.boosting import FAMILIES, FittedMember
from training.calibrate import fit_calibration, identity_calibration
from training.dataset import Dataset, split_in_time
from training.selection.pipeline import select_columns
from training.weights import fit_weights


class WalkForward:
    """Train and judge one fold after the other.

    Parameters
    ----------
    data : Dataset
    ts_close_ns : int64 (n_frames,)
        Closes of the frames that `data` refers to.
    config : TrainingConfig

    Notes
    -----
    Columns are selected in each fold, on the rows before its validation rows: a number of rounds found on rows that
    helped to choose the columns would be too high.
    Weights and calibration of a fold come from the predictions for the folds before it, less those whose labels reach
    into it. The first fold has equal weights and no calibration.
    """

    def __init__(self, data: Dataset, ts_close_ns: IntArray, config: TrainingConfig) -> None:
        self._data = data
        self._ts_close_ns = ts_close_ns
        self._config = config
        self._probabilities: FloatArray = np.empty((len(FAMILIES), 0, len(Direction)))
        self._labels: LabelArray = np.empty(0, dtype=np.int8)
        self._frame: IntArray = np.empty(0, dtype=np.int64)
        self._records: tuple[FoldRecord, ...] = ()
        self._chosen: tuple[tuple[str, ...], ...] = ()
        self._members: dict[str, FittedMember] = {}
        self._weights_frac = fit_weights(self._probabilities, self._labels)
        self._calibration = identity_calibration()

    @property
    def records(self) -> tuple[FoldRecord, ...]:
        """One a fold so far, oldest first."""
        return self._records

    @property
    def chosen(self) -> tuple[tuple[str, ...], ...]:
        """The columns that each fold selected, the best first; in the order of `data` where it had no step to do so."""
        return self._chosen

    @property
    def members(self) -> dict[str, FittedMember]:
        """The members of the last fold, by family."""
        return self._members

    @property
    def weights_frac(self) -> FloatArray:
        """float64 (n_members,): the weights that judged the last fold."""
        return self._weights_frac

    @property
    def calibration(self) -> Calibration:
        """The map that judged the last fold."""
        return self._calibration

    def advance(self, train: IntArray, test: IntArray, report: Callable[[float], None]) -> None:
        """Train on the frames `train`, then predict and judge the frames `test`.

        Parameters
        ----------
        train, test : int64 (n_frames_of_fold,)
            Frames, as `PurgedWalkForward` gives them.
        report : callable
            Called with the fraction of the fold that is done.

        Raises
        ------
        DataValidationError
            Where the fold has no rows to train on, to validate or to test, or no column can be selected.
        ConfigurationError
            Where it has too few frames to validate, or to select.
        """
        config = self._config
        self._fit_vote(int(train[-1]))
        report(0.0)
        parts = {"training": self._data.of_frames(train), "test": self._data.of_frames(test)}
        self._check_rows(parts)
        parts["earlier"], parts["validation"] = split_in_time(parts["training"], config)
        steps = select_columns(parts["earlier"], config)
        chosen = steps[-1].names if steps else self._data.feature_names
        parts = {name: part.of_columns(chosen).of_known() for name, part in parts.items()}
        self._check_rows(parts)
        for n_done, (family, fit_member) in enumerate(FAMILIES.items(), start=1):
            report(n_done / (1 + len(FAMILIES)))
            self._members[family] = fit_member(parts["earlier"], parts["validation"], parts["training"], config)
        self._chosen = (*self._chosen, chosen)
        self._records = (*self._records, self._judge(parts["training"], parts["test"]))
        predicted = np.stack([fitted.member.predict_proba(parts["test"].rows) for fitted in self._members.values()])
        self._probabilities = np.concatenate((self._probabilities, predicted), axis=1)
        self._labels = np.concatenate((self._labels, parts["test"].labels))
        self._frame = np.concatenate((self._frame, parts["test"].frame))
        report(1.0)

    def _check_rows(self, parts: Mapping[str, Dataset]) -> None:
        for name, part in parts.items():
            if not len(part):
                raise DataValidationError(f"fold {len(self._records) + 1} must have {name} rows, had none")

    def _fit_vote(self, last_frame: int) -> None:
        """Fit weights and calibration on the predictions for frames up to `last_frame`."""
        n_known = int(np.searchsorted(self._frame, last_frame, side="right"))
        probabilities, labels = self._probabilities[:, :n_known], self._labels[:n_known]
        self._weights_frac = fit_weights(probabilities, labels)
        said = np.tensordot(self._weights_frac, probabilities, axes=1)
        self._calibration = fit_calibration(said, labels, self._config.calibration_bins)

    def _judge(self, train: Dataset, test: Dataset) -> FoldRecord:
        vote = SoftVote(
            [fitted.member for fitted in self._members.values()],
            self._weights_frac.tolist(),
            self._calibration,
            test.feature_names,
        )
        scores = score(vote.predict_proba(test.rows), test.labels)
        counts = np.bincount(train.labels, minlength=len(Direction)) + 1.0
        base = np.tile(counts / counts.sum(), (len(test), 1))
        return FoldRecord(
            train_last_ts_ns=int(self._ts_close_ns[train.frame[-1]]),
            first_ts_ns=int(self._ts_close_ns[test.frame[0]]),
            last_ts_ns=int(self._ts_close_ns[test.frame[-1]]),
            base_log_loss=score(base, test.labels).log_loss,
            **asdict(scores),
        )
