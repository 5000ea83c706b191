"""What all trials of a search share: frames, features in a file, folds, and the columns that each fold selects."""

from collections.abc import Callable
from dataclasses import dataclass

from configs.training import TrainingConfig
from outcry.market.frame import IntArray
from outcry.models.dataset import Dataset
from training.dataset import build_dataset, split_in_time
from training.folds import folds_within
from training.walk_forward import choose_columns
from training.window import WindowMarket

Progress = Callable[[str, float], None]
SELECT_STEP = "select columns"


@dataclass(frozen=True, slots=True, eq=False)
class SearchMarket:
    """The training span of a market, cut into folds.

    Attributes
    ----------
    market : WindowMarket
        Its frames are those of the training span alone: no trial sees the traded one.
    columns : tuple of tuple of str
        By fold: what its rows before validation select, the best first. They do not depend on a trial.
    """

    market: WindowMarket
    columns: tuple[tuple[str, ...], ...]

    @property
    def training(self) -> TrainingConfig:
        return self.market.settings.training

    def folds(self) -> list[tuple[IntArray, IntArray]]:
        """Return the folds that trials are judged by; the last one is not among them."""
        return list(folds_within(len(self.market.frames), self.training).spans)[:-1]

    def dataset(self, config: TrainingConfig) -> Dataset:
        """Return rows with the columns that any fold reads."""
        names = tuple(dict.fromkeys(name for columns in self.columns for name in columns))
        return build_dataset(self.market.frames, self.market.table.read, names, self.units, config)

    @property
    def units(self) -> dict[str, str]:
        return {column.name: column.unit for column in self.market.features.columns}


def share_market(market: WindowMarket, on_progress: Progress) -> SearchMarket:
    """Select the columns of every fold, once for all trials.

    Raises
    ------
    ConfigurationError, DataValidationError
        As `training.fit.fit_ensemble`; and where there are too few folds.
    """
    shared = SearchMarket(market, ())
    config, folds = shared.training, shared.folds()
    data = build_dataset(market.frames, market.table.read, market.table.columns, shared.units, config)
    columns = []
    on_progress(SELECT_STEP, 0.0)
    for number, (train, _) in enumerate(folds, start=1):
        earlier, _ = split_in_time(data.of_frames(train), config)
        columns.append(choose_columns(earlier, config))
        on_progress(SELECT_STEP, number / len(folds))
    return SearchMarket(market, tuple(columns))
