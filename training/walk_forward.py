"""The state of a walk-forward training: what the folds so far have predicted, and the ensemble of the last one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial

import numpy as np

from configs.training import TrainingConfig
from configs.validation import WeightsConfig, weigh_rows
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration
from outcry.models.combiners import Combiner
from outcry.models.dataset import Dataset, FeatureHistory
from outcry.models.decisions import DecisionSpec
from outcry.models.ensemble import Ensemble
from outcry.models.evaluation import score
from outcry.models.families import find_family
from outcry.models.family import FitSettings, Model, WindowModel
from outcry.models.manifest import CoverageRecord, FoldRecord, LabelSpec
from outcry.models.uncertainty.prediction_sets import PredictionSets
from training.calibrate import fit_calibration, identity_calibration
from training.conformal import fit_prediction_sets, measure_coverage
from training.dataset import Outcomes, ReadFeatures, split_in_time
from training.ensembles.apply import combine_rows
from training.ensembles.fit import fit_combiner
from training.ensembles.out_of_fold import NEVER, OutOfFold, join
from training.neural_job import workers_of
from training.selection.pipeline import select_columns

ROWS_A_PIECE = 4_096


class WalkForward:
    """Train and judge one fold after the other.

    Parameters
    ----------
    data : Dataset
    ts_close_ns : int64 (n_frames,)
        Closes of the frames that `data` refers to.
    config : TrainingConfig
    read_features : callable
        See `training.dataset.build_dataset`; asked for whole spans where a member reads windows, and for what the
        combiner reads besides the members.
    chooses_once : bool
        The first fold selects the columns of all of them.
    outcomes : mapping of int to Outcomes, optional
        By horizon, where members have one of their own; see `training.dataset.outcomes_of`.
    log_returns : float64 (n_frames, n_symbols), optional
        Of each bar, where ``training.weights.by_return`` asks for them.

    Notes
    -----
    A fold selects columns on the rows before its validation rows: a number of rounds found on rows that helped to
    choose the columns would be too high.
    Columns are selected, and the ensemble is weighed, calibrated and judged, by the labels of `data`. A member with a
    horizon of its own learns and validates by the labels of that, on those of the rows that have one.
    Combiner and calibration of a fold come from the predictions for the folds before it, less those whose labels reach
    into it. The first fold has equal weights and no calibration. Of a frame that several folds predict, what the first
    of them said counts. A combiner that learns from outcomes begins each fold as it was fitted.
    """

    def __init__(
        self,
        data: Dataset,
        ts_close_ns: IntArray,
        config: TrainingConfig,
        read_features: ReadFeatures,
        *,
        chooses_once: bool = False,
        outcomes: Mapping[int, Outcomes] | None = None,
        log_returns: FloatArray | None = None,
    ) -> None:
        self._data = data
        self._outcomes = outcomes or {}
        self._log_returns = log_returns
        self._read_features = read_features
        members = config.ensemble_members
        self._families = {member.name: find_family(member.family) for member in members}
        self._params = {member.name: getattr(config, member.family) for member in members}
        self._horizons_bars = {member.name: member.horizon_bars or config.horizon_bars for member in members}
        self._lookback_bars = max(family.lookback_bars(self._params[name]) for name, family in self._families.items())
        self._ts_close_ns = ts_close_ns
        self._config = config
        self._chooses_once = chooses_once
        self._out_of_fold = OutOfFold.nothing(
            tuple(self._horizons_bars.values()), config.horizon_bars, config.ensemble.feature_names
        )
        self._records: tuple[FoldRecord, ...] = ()
        self._chosen: tuple[tuple[str, ...], ...] = ()
        self._members: dict[str, Model] = {}
        self._feature_names: tuple[str, ...] = ()
        self._history: FeatureHistory | None = None
        self._combiner = fit_combiner(self._out_of_fold, config.ensemble)
        self._calibration = identity_calibration()
        self._judged: tuple[OutOfFold, ...] = ()
        self._sets: PredictionSets | None = None
        self._coverage: tuple[CoverageRecord, ...] = ()

    @property
    def records(self) -> tuple[FoldRecord, ...]:
        """One a fold so far, oldest first."""
        return self._records

    @property
    def chosen(self) -> tuple[tuple[str, ...], ...]:
        """The columns of each choice, the best first; in the order of `data` where there was no step to choose by."""
        return self._chosen

    @property
    def members(self) -> dict[str, Model]:
        """The members of the last fold, by name."""
        return self._members

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of the last fold, in the order in which its members read them."""
        return self._feature_names

    @property
    def lookback_bars(self) -> int:
        """The most rows that a member reads."""
        return self._lookback_bars

    @property
    def history(self) -> FeatureHistory | None:
        """What the last fold read its windows from; None where no member reads any."""
        return self._history

    @property
    def combiner(self) -> Combiner:
        """What made one answer of those of the members of the last fold, when that was judged."""
        return self._combiner

    @property
    def calibration(self) -> Calibration:
        """The map that judged the last fold."""
        return self._calibration

    @property
    def ensemble(self) -> Ensemble:
        """The ensemble of the last fold, as it was judged."""
        return Ensemble(list(self._members.values()), self._combiner, self._calibration, self._feature_names)

    @property
    def prediction_sets(self) -> PredictionSets | None:
        """The sets that were judged on the last fold: of what earlier folds had forecast, as these were judged."""
        return self._sets

    @property
    def coverage(self) -> tuple[CoverageRecord, ...]:
        """How many outcomes of the last fold these sets held, at `training.conformal.STATED_FRACS`."""
        return self._coverage

    @property
    def decision_spec(self) -> DecisionSpec:
        """How that ensemble makes a forecast of what its members say."""
        return self.ensemble.decision_spec(label_spec(self._config), self._sets)

    def advance(
        self,
        train: IntArray,
        test: IntArray,
        report: Callable[[float], None],
        chosen: tuple[str, ...] | None = None,
    ) -> None:
        """Train on the frames `train`, then predict and judge the frames `test`.

        Parameters
        ----------
        train, test : int64 (n_frames_of_fold,)
            Frames, as an `outcry.labels.splits.splitter.Splitter` gives them; either may have holes.
        report : callable
            Called with the fraction of the fold that is done.
        chosen : tuple of str, optional
            The columns that `select_columns` chose for this fold before; None selects them.

        Raises
        ------
        DataValidationError
            Where the fold has no rows to train on, to validate or to test, or no column can be selected.
        ConfigurationError
            Where it has too few frames to validate, to select, or to fill a window.
        """
        config = self._config
        self._fit_combiner(self._last_known(train, test))
        report(0.0)
        self._check_windows(train)
        parts = {"training": self._data.of_frames(train), "test": self._data.of_frames(test)}
        self._check_rows(parts)
        parts["earlier"], parts["validation"] = split_in_time(parts["training"], config)
        if chosen is None and not (self._chosen and self._chooses_once):
            chosen = choose_columns(parts["earlier"], config)
        if chosen is not None:
            self._chosen = (*self._chosen, chosen)
        parts = {name: part.of_columns(self._chosen[-1]).of_known() for name, part in parts.items()}
        self._check_rows(parts)
        self._feature_names = parts["training"].feature_names
        self._history = self._read_history(int(max(train[-1], test[-1])), self._feature_names)
        parts = {name: replace(part, history=self._history) for name, part in parts.items()}
        n_steps = 1 + len(self._families)
        for n_done, (name, family) in enumerate(self._families.items(), start=1):
            report(n_done / n_steps)
            settings = FitSettings(
                seed=config.seed,
                n_threads=config.n_threads,
                early_stopping_rounds=config.early_stopping_rounds,
                max_bins=config.max_bins,
                report=partial(_report_member, report, n_done, n_steps),
                train_elsewhere=workers_of(config.neural_job),
            )
            learnt = self._label(parts, self._horizons_bars[name])
            self._members[name] = family.fit(
                learnt["earlier"], learnt["validation"], learnt["training"], self._params[name], settings
            )
        predicted = np.stack([_predict(member, parts["test"]) for member in self._members.values()])
        judged = self._out_of_fold_of(predicted, parts["test"], train)
        is_new = ~np.isin(judged.frame, self._out_of_fold.frame)
        self._records = (*self._records, self._judge(parts["training"], judged, is_new))
        self._out_of_fold = join((self._out_of_fold, judged.where(is_new)))
        report(1.0)

    def _check_windows(self, train: IntArray) -> None:
        for name, family in self._families.items():
            lookback_bars = family.lookback_bars(self._params[name])
            if lookback_bars > len(train):
                raise ConfigurationError(
                    f"training.{family.name}.lookback_bars must be at most the {len(train)} frames that fold "
                    f"{len(self._records) + 1} learns from, was {lookback_bars}"
                )

    def _check_rows(self, parts: Mapping[str, Dataset], horizon: str = "") -> None:
        for name, part in parts.items():
            if not len(part):
                raise DataValidationError(f"fold {len(self._records) + 1} must have {name} rows{horizon}, had none")

    def _last_known(self, train: IntArray, test: IntArray) -> int:
        """Return the last frame before those tested whose label says nothing of theirs."""
        gap_bars = self._config.horizon_bars + self._config.embargo_bars
        before = train[train < test[0]]
        return max(int(test[0]) - gap_bars - 1, int(before[-1]) if len(before) else -1)

    def _label(self, parts: Mapping[str, Dataset], horizon_bars: int) -> dict[str, Dataset]:
        """Return the rows to learn from with the labels of a horizon, and with what each counts."""
        learnt = {name: parts[name] for name in ("earlier", "validation", "training")}
        if horizon_bars != self._config.horizon_bars:
            outcomes = self._outcomes[horizon_bars]
            learnt = {name: outcomes.label(part) for name, part in learnt.items()}
            self._check_rows(learnt, f" with a label {horizon_bars} bars ahead")
        return {name: self._weigh(part, horizon_bars) for name, part in learnt.items()}

    def _weigh(self, part: Dataset, horizon_bars: int) -> Dataset:
        """Return training rows with what each counts, by the rows of the part and its labels alone."""
        config = self._config
        if config.weights == WeightsConfig():
            return part
        if part.symbol is None or (config.weights.by_return and self._log_returns is None):
            raise DataValidationError("weights need the symbol of each row, and those by return the returns of bars")
        returns = np.empty((0, 0)) if self._log_returns is None else self._log_returns
        last_row = part.frame + horizon_bars
        return replace(part, weights=weigh_rows(config.weights, part.frame, last_row, part.symbol, returns))

    def _read_history(self, last_frame: int, names: Sequence[str]) -> FeatureHistory | None:
        """Return the features of the frames up to `last_frame`, where a member reads windows."""
        if self._lookback_bars == 1:
            return None
        values = self._read_features(np.arange(last_frame + 1), names)
        return FeatureHistory.of_frames(values, 0, self._lookback_bars)

    def out_of_fold(self, last_frame: int) -> OutOfFold:
        """Return what the members of earlier folds said of rows up to a frame, and what came."""
        return self._out_of_fold.up_to(last_frame)

    def _out_of_fold_of(self, predicted: FloatArray, test: Dataset, train: IntArray) -> OutOfFold:
        """Return what members said of test rows, with what the combiner reads of these besides."""
        if test.symbol is None:
            raise DataValidationError("rows must have a symbol, had none")
        names = self._config.ensemble.feature_names
        rows = read_rows(self._read_features, test.frame, test.symbol, names)
        place = np.searchsorted(train, test.frame)
        learnt = np.concatenate(([-NEVER], train, [NEVER]))
        return OutOfFold(
            predicted,
            test.labels,
            test.frame,
            test.symbol,
            trained_to=learnt[place],
            horizon_bars=self._config.horizon_bars,
            rows=rows,
            feature_names=names,
            resumed_at=learnt[place + 1],
            learnt_bars=self._out_of_fold.learnt_bars,
        )

    def _fit_combiner(self, last_frame: int) -> None:
        """Fit combiner and calibration on the predictions for frames up to `last_frame`."""
        known = self.out_of_fold(last_frame).of_known()
        self._combiner = fit_combiner(known, self._config.ensemble)
        said = combine_rows(self._combiner, known)
        self._calibration = fit_calibration(said, known.labels, known.frame, self._config)
        self._sets = self._fit_sets(last_frame)

    def _fit_sets(self, last_frame: int) -> PredictionSets | None:
        """Fit sets on the forecasts that earlier folds were judged by: nothing in these had seen their rows."""
        config = self._config.conformal
        if config.score == "none" or not self._judged:
            return None
        # that of the first fold was neither weighed nor calibrated
        parts = [part.up_to(last_frame) for part in self._judged[1:] or self._judged]
        return fit_prediction_sets(
            np.concatenate([part.probability[0] for part in parts]),
            np.concatenate([part.labels for part in parts]),
            score=config.score,
            is_by_class=config.is_by_class,
            penalty=config.penalty,
        )

    def _judge(self, train: Dataset, test: OutOfFold, is_new: BoolArray) -> FoldRecord:
        """Score what the combiner makes of what its members said; bool `is_new` tells rows that no fold had before."""
        said = self._calibration.apply(combine_rows(self._combiner, test))
        of_all = replace(test, probability=said[np.newaxis], learnt_bars=(self._config.longest_horizon_bars,))
        self._judged = (*self._judged, of_all.where(is_new))
        self._coverage = () if self._sets is None else measure_coverage(self._sets, said, test.labels)
        scores = score(said, test.labels)
        counts = np.bincount(train.labels, minlength=len(Direction)) + 1.0
        base = np.tile(counts / counts.sum(), (len(test), 1))
        return FoldRecord(
            train_last_ts_ns=int(self._ts_close_ns[train.frame[-1]]),
            first_ts_ns=int(self._ts_close_ns[test.frame[0]]),
            last_ts_ns=int(self._ts_close_ns[test.frame[-1]]),
            base_log_loss=score(base, test.labels).log_loss,
            **asdict(scores),
        )


def read_rows(read_features: ReadFeatures, frame: IntArray, symbol: IntArray, names: Sequence[str]) -> FloatArray:
    """Return columns of rows, float64 (n_rows, n_names); `frame` and `symbol` say which."""
    if not names:
        return np.empty((len(frame), 0))
    frames, place = np.unique(frame, return_inverse=True)
    return read_features(frames, names)[place, symbol]


def choose_columns(data: Dataset, config: TrainingConfig) -> tuple[str, ...]:
    """Return what the steps of `config` select, the best first; every column where there are none."""
    steps = select_columns(data, config)
    return steps[-1].names if steps else data.feature_names


def label_spec(config: TrainingConfig) -> LabelSpec:
    """Return what the members are to forecast."""
    return LabelSpec(
        horizon_bars=config.horizon_bars,
        band_kind=config.band_kind,
        band_value=config.band_value,
        volatility_window_bars=config.volatility_window_bars if config.band_kind == "volatility" else None,
    )


def _report_member(report: Callable[[float], None], n_done: int, n_steps: int, done_frac: float) -> None:
    report((n_done + done_frac) / n_steps)


def _predict(member: Model, data: Dataset) -> FloatArray:
    if not isinstance(member, WindowModel):
        return member.predict_proba(data.rows)
    # windows of all rows at once would be gigabytes; a row gets the same bits in any piece
    pieces = (slice(start, start + ROWS_A_PIECE) for start in range(0, len(data), ROWS_A_PIECE))
    return np.concatenate([member.predict_windows(data.windows_at(rows, member.lookback_bars)) for rows in pieces])
