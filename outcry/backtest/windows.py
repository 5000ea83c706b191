"""The windows of a walk-forward: which frames a model learns from, and which ones it then trades unseen."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field, model_validator

from outcry.config import FrozenConfig
from outcry.errors import ConfigurationError
from outcry.labels.splits.windows import Scheme, cut_spans
from outcry.market.frame import IntArray


class WalkForwardConfig(FrozenConfig):
    """Section ``walk_forward``: how a history is cut into windows.

    Attributes
    ----------
    scheme : str
        ``rolling``: each model learns from the last ``train_sessions``. ``anchored``: from all sessions so far, of
        which there are ``train_sessions`` before the first test span. ``fixed``: one model, of the first
        ``train_sessions``, trades every test span.
    train_sessions, test_sessions : int
        Lengths of the two spans, purged frames included.
    step_sessions : int or None
        From the start of one test span to that of the next; None is their length. A shorter step makes them overlap,
        which only ``fixed`` may: there the same model trades them all, and a session is still traded once.
    purge_bars, embargo_bars : int
        Frames between the last one a label of the training span looks at and the test span: for what neighbouring
        labels share, and for what features share. The label's own horizon is purged besides.
    inner_folds : int
        Folds within a training span, whose forecasts weights and calibration are fitted to; ``training.n_folds`` is not
        read. The model itself learns from the whole span, and its test span judges it.
    """

    scheme: Scheme = "rolling"
    train_sessions: int = Field(default=252, ge=2)
    test_sessions: int = Field(default=63, ge=1)
    step_sessions: int | None = Field(default=None, ge=1)
    purge_bars: int = Field(default=5, ge=0)
    embargo_bars: int = Field(default=0, ge=0)
    inner_folds: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _check_step(self) -> "WalkForwardConfig":
        step, test = self.step_sessions, self.test_sessions
        if step is not None and step > test:
            raise ValueError(
                f"step_sessions must be at most test_sessions {test}, was {step}: sessions between two test spans "
                "would not be traded"
            )
        if step is not None and step < test and self.scheme != "fixed":
            raise ValueError(
                f"step_sessions must equal test_sessions {test} where scheme is {self.scheme}, was {step}: test spans "
                "would overlap, which only scheme fixed may"
            )
        return self

    @property
    def step(self) -> int:
        """Sessions from the start of one test span to that of the next."""
        return self.step_sessions or self.test_sessions


@dataclass(frozen=True, slots=True)
class Window:
    """One training span and the test span after it, as rows of the market's frames; a stop is not included.

    Attributes
    ----------
    number : int
        From 0, oldest first.
    train_start, train_stop : int
        Frames that are given to training. The labels of their last rows are not known within them, so no label
        reaches ``train_stop``.
    test_start, test_stop : int
        Whole sessions.
    """

    number: int
    train_start: int
    train_stop: int
    test_start: int
    test_stop: int


def cut_windows(
    ts_close_ns: IntArray, session_close_ns: IntArray, config: WalkForwardConfig, horizon_bars: int
) -> tuple[Window, ...]:
    """Cut frames into windows of whole sessions, oldest first.

    Parameters
    ----------
    ts_close_ns : int64 (n_frames,)
        Closes of the frames, increasing.
    session_close_ns : int64 (n_sessions,)
        Closes of the sessions of their exchange, increasing; those without a frame count for nothing.
    config : WalkForwardConfig
    horizon_bars : int
        A label of row t depends on rows t..t + horizon_bars.

    Returns
    -------
    tuple of Window
        Test spans follow each other without a gap, and overlap where the step is shorter than they are. Sessions at
        the end that do not fill a test span are in none.

    Raises
    ------
    ConfigurationError
        Where there are too few sessions for one window, or a training span has no row with a label.

    References
    ----------
    Pardo, "The Evaluation and Optimization of Trading Strategies", 2008, chapter 11 (walk-forward analysis).
    López de Prado, "Advances in Financial Machine Learning", 2018, section 7.4 (purging, embargo).
    """
    session = np.searchsorted(session_close_ns, ts_close_ns, side="left")
    starts = np.flatnonzero(np.diff(session, prepend=-1) != 0)
    edges = np.append(starts, len(ts_close_ns))
    n_sessions, n_first = len(starts), config.train_sessions
    if n_sessions < n_first + config.test_sessions:
        raise ConfigurationError(
            f"a walk-forward needs walk_forward.train_sessions {n_first} and test_sessions {config.test_sessions}, "
            f"{n_first + config.test_sessions} sessions in all; the data has {n_sessions}"
        )
    gap_bars = config.purge_bars + config.embargo_bars
    spans = cut_spans(n_sessions, config.scheme, n_first, config.test_sessions, config.step)
    windows = []
    for number, sessions in enumerate(spans):
        train_start, train_stop, test_start, test_stop = edges[list(sessions)].tolist()
        if train_stop - gap_bars - train_start <= horizon_bars:
            raise ConfigurationError(
                f"a training span must keep a row with a label: {train_stop - train_start} frames, of which "
                f"{gap_bars} are purged and {horizon_bars} (the longest horizon of training) have no label"
            )
        windows.append(Window(number, train_start, train_stop - gap_bars, test_start, test_stop))
    return tuple(windows)


def window_of_rows(windows: tuple[Window, ...]) -> IntArray:
    """Return, for every row from the first test span to the end of the last one, the newest window that tests it."""
    rows = np.arange(windows[0].test_start, windows[-1].test_stop)
    return np.searchsorted([window.test_start for window in windows], rows, side="right") - 1
