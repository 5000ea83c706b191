"""Learn from what came of decisions, frame by frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.online import OnlineConfig
from configs.training import TrainingConfig
from outcry.errors import BundleError, DataValidationError
from outcry.labels.outcomes import DirectionOutcomes
from outcry.market.frame import FloatArray
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.member import check_one_horizon
from training.online.buffer import OutcomeBuffer
from training.online.update import OnlineUpdate, update_bundle


@dataclass(frozen=True, slots=True)
class DecidedUpdate:
    """An update that was made before: the bundle it gave, and whether that was adopted."""

    bundle_version: str
    is_adopted: bool


class OnlineLearner:
    """Update a model whenever enough outcomes are known; a function of the frames, the first model and the settings.

    Parameters
    ----------
    model : ModelBundle
        The first one.
    n_symbols : int
    training : TrainingConfig
        The parameters of its families.
    config : OnlineConfig
    directory : Path
        Where bundles are kept.
    decided : mapping of int to DecidedUpdate, optional
        Updates that were made before, by frame: they are taken as they were decided and not made again. After the last
        of them others are made as they become due.

    Raises
    ------
    ConfigurationError
        As `check_one_horizon`.

    Notes
    -----
    A row is learnt from when its label is known, `horizon_bars` after it, and never before. Adopted or rolled back, an
    update empties the buffer; its rows may be rehearsed from then on.
    """

    def __init__(
        self,
        model: ModelBundle,
        n_symbols: int,
        training: TrainingConfig,
        config: OnlineConfig,
        directory: Path,
        *,
        decided: Mapping[int, DecidedUpdate] | None = None,
    ) -> None:
        check_one_horizon(member.member for member in model.manifest.members)
        label = model.manifest.label
        self._model, self._n_symbols = model, n_symbols
        self._training, self._config, self._directory = training, config, directory
        self._decided = dict(decided or {})
        self._buffer = OutcomeBuffer(
            model.feature_names,
            n_symbols,
            horizon_bars=label.horizon_bars,
            lookback_bars=model.lookback_bars,
            config=config,
        )
        self._outcomes = DirectionOutcomes(
            n_symbols, label.horizon_bars, label.band_value, label.volatility_window_bars
        )
        self._closes: list[FloatArray] = []
        self._closes_ns: dict[int, int] = {}

    @property
    def model(self) -> ModelBundle:
        """The first one, or what the last update that was adopted made of it."""
        return self._model

    @property
    def last_seq(self) -> int | None:
        """The frame it has seen last."""
        return self._buffer.last_seq

    @property
    def n_new_rows(self) -> int:
        """Outcomes that it has not learnt from."""
        return self._buffer.n_new_rows

    def take(self, seq: int, ts_close_ns: int, close: FloatArray, values: FloatArray) -> OnlineUpdate | None:
        """Take the next frame; return the update that was due, if one was made.

        Parameters
        ----------
        seq : int
            Below 0 for warm-up: such rows are rehearsed and never judge.
        ts_close_ns : int
        close : float64 (n_symbols,)
            As if no share had ever been split; NaN where there is no bar.
        values : float64 (n_symbols, n_features)
            The columns of the model, in its order.
        """
        self._remember(seq, ts_close_ns, close, values)
        if seq < 0:
            self._buffer.clear()
        elif seq in self._decided:
            self._take_over(self._decided[seq])
        elif seq > max(self._decided, default=-1) and self._buffer.is_due:
            try:
                return self.update_online()
            except DataValidationError:
                return None  # of one class, or none on one side: more rows may help
        return None

    def update_online(self) -> OnlineUpdate | None:
        """Update with the outcomes there are, due or not; None where no member can be updated.

        Raises
        ------
        DataValidationError
            Where they are too few to learn from and to judge by.
        """
        seq = self._buffer.last_seq
        if seq is None or seq < 0:
            raise DataValidationError("an update must have frames that were traded, had none")
        entropy = (self._training.seed, seq)
        samples = self._buffer.split(np.random.default_rng(entropy))
        made = update_bundle(
            self._model,
            samples,
            self._training,
            self._config,
            seq=seq,
            closes_ns=self._closes_ns,
            directory=self._directory,
            seed=int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1),
        )
        self._buffer.clear()
        if made is not None and made.verdict.is_adopted:
            self._model = made.bundle
        return made

    def rebase(self, model: ModelBundle) -> None:
        """Go on from a model that somebody else has put in service.

        Raises
        ------
        BundleError
            Where it reads other columns or windows, or forecasts something else.
        ConfigurationError
            As `check_one_horizon`.
        """
        check_one_horizon(member.member for member in model.manifest.members)
        for name in ("feature_names", "lookback_bars", "features_hash"):
            if getattr(model, name) != getattr(self._model, name):
                raise BundleError(f"bundle {model.version} must have the {name} of {self._model.version}, has others")
        if model.manifest.label != self._model.manifest.label:
            raise BundleError(f"bundle {model.version} must forecast what {self._model.version} does, does not")
        self._model = model

    def _take_over(self, decided: DecidedUpdate) -> None:
        self._buffer.clear()
        if decided.is_adopted:
            self.rebase(load_bundle(self._directory / decided.bundle_version))

    def _remember(self, seq: int, ts_close_ns: int, close: FloatArray, values: FloatArray) -> None:
        horizon_bars = self._model.horizon_bars
        labels = self._outcomes.update(close)
        self._closes = [*self._closes[-horizon_bars:], close]
        self._closes_ns[seq] = ts_close_ns
        returns = np.full(self._n_symbols, np.nan)
        if len(self._closes) > horizon_bars:
            returns = self._closes[-1] / self._closes[0] - 1.0
        self._buffer.update(seq, values, labels, returns)
