"""One split in time: frames to train on, frames to choose by, and frames that are touched once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcry.errors import ConfigurationError
from outcry.labels.splits.splitter import Fold, check_least, purged_folds
from outcry.market.frame import IntArray


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Split frames in three spans, in this order: training, validation, test.

    `split` gives training and validation frames, as often as a choice needs them. `final_fold` gives the test frames
    with all before them: it is for the last word. A `outcry.labels.splits.splitter.Splitter`.

    Parameters
    ----------
    horizon_bars : int
        A label of frame t depends on frames t..t + horizon_bars.
    embargo_bars : int
        Frames left out between spans besides, for what features and labels share beyond the horizon.
    train_frac, validation_frac : float
        Parts of the frames, purged ones included; positive, and less than 1 together.

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule, and by both methods where there are too few frames.
    """

    horizon_bars: int
    embargo_bars: int = 0
    train_frac: float = 0.7
    validation_frac: float = 0.15

    def __post_init__(self) -> None:
        check_least(horizon_bars=(self.horizon_bars, 1), embargo_bars=(self.embargo_bars, 0))
        for name, value in (("train_frac", self.train_frac), ("validation_frac", self.validation_frac)):
            if not 0.0 < value < 1.0:
                raise ConfigurationError(f"{name} must be in (0, 1), was {value}")
        if not self.train_frac + self.validation_frac < 1.0:
            raise ConfigurationError(
                f"train_frac and validation_frac must be less than 1 together, were {self.train_frac} and "
                f"{self.validation_frac}"
            )

    def split(self, n_frames: int, last_row: IntArray | None = None) -> Iterator[Fold]:
        """Yield the one fold of training and validation frames."""
        train, validation, _ = self._spans(n_frames)
        yield from purged_folds([(train, validation)], n_frames, self.horizon_bars, self.embargo_bars, last_row)

    def final_fold(self, n_frames: int, last_row: IntArray | None = None) -> Fold:
        """Return the frames before the test span, purged, and those of the test span."""
        train, validation, test = self._spans(n_frames)
        earlier = np.concatenate((train, validation))
        (fold,) = purged_folds([(earlier, test)], n_frames, self.horizon_bars, self.embargo_bars, last_row)
        return fold

    def _spans(self, n_frames: int) -> list[IntArray]:
        edges = [round(n_frames * self.train_frac), round(n_frames * (self.train_frac + self.validation_frac))]
        spans = np.split(np.arange(n_frames, dtype=np.int64), edges)
        if not all(len(span) for span in spans):
            sizes = ", ".join(str(len(span)) for span in spans)
            raise ConfigurationError(f"{n_frames} rows are too few for three spans, which would have {sizes}")
        return spans
