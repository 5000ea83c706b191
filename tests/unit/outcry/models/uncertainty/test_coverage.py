"""The monitor hears what is off, and does not take overlapping labels for so many draws."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binomtest

from outcry.errors import BundleError, ConfigurationError, DataValidationError
from outcry.models.uncertainty.coverage import CoverageMonitor

ALPHA, HORIZON, WINDOW, SYMBOLS = 0.1, 5, 400, 20


def _counts(seed: int, miss_frac: float) -> np.ndarray:
    """Return covered and known outcomes a frame: misses are joint ones of a market whose moves overlap."""
    rng = np.random.default_rng(seed)
    common = np.convolve(rng.normal(size=WINDOW + HORIZON - 1), np.ones(HORIZON), "valid") / np.sqrt(HORIZON)
    own = rng.normal(size=(WINDOW, SYMBOLS))
    move = np.sqrt(0.4) * common[:, np.newaxis] + np.sqrt(0.6) * own
    covered = (move <= ndtri(1 - miss_frac)).sum(axis=1)
    return np.column_stack((covered, np.full(WINDOW, SYMBOLS)))


def _watch(counts: np.ndarray, level_frac: float = 0.05) -> CoverageMonitor:
    monitor = CoverageMonitor(ALPHA, HORIZON, WINDOW, level_frac)
    for n_covered, n_known in counts:
        monitor.update(int(n_covered), int(n_known))
    return monitor


def test_false_alarms_are_as_rare_as_stated_where_independent_draws_would_cry_wolf() -> None:
    n_off, n_naive, n_runs = 0, 0, 300
    for seed in range(n_runs):
        counts = _counts(seed, ALPHA)
        n_off += _watch(counts).report.is_off
        covered, known = counts.sum(axis=0).tolist()
        n_naive += binomtest(covered, known, 1 - ALPHA).proportion_ci(0.95).low > 1 - ALPHA
        n_naive += binomtest(covered, known, 1 - ALPHA).proportion_ci(0.95).high < 1 - ALPHA
    assert n_off / n_runs < 0.11  # blocks that touch are not quite independent, nor are their means normal
    assert n_naive / n_runs > 0.5


def test_a_coverage_that_is_off_is_heard() -> None:
    assert np.mean([_watch(_counts(seed, 0.25)).report.is_off for seed in range(40)]) > 0.9
    report = _watch(_counts(0, 0.25)).report
    assert report.coverage_frac == pytest.approx(0.75, abs=0.08)
    assert report.low_frac < report.coverage_frac < report.high_frac < 0.9


def test_sets_that_hold_everything_are_off_and_a_few_outcomes_say_nothing() -> None:
    everything = np.tile([SYMBOLS, SYMBOLS], (WINDOW, 1))
    report = _watch(everything).report
    assert (report.coverage_frac, report.is_off, report.n_rows) == (1.0, True, WINDOW * SYMBOLS)
    few = np.zeros((WINDOW, 2), dtype=np.int64)
    few[-84::10] = 1
    assert not _watch(few).report.is_off  # nine of nine covered: nothing strange at 90 %
    few[-90:-20] = 0
    assert _watch(few).report is None


def test_the_window_rolls_and_a_restart_changes_nothing() -> None:
    early, late = _counts(1, 0.5), _counts(2, ALPHA)
    rolled, fresh = _watch(np.concatenate((early, late))), _watch(late)
    assert rolled.report == fresh.report
    again = CoverageMonitor(ALPHA, HORIZON, WINDOW, 0.05)
    again.restore(rolled.snapshot())
    rolled.update(3, 20)
    again.update(3, 20)
    assert again.report == rolled.report != fresh.report


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        ((1.0, 5), BundleError, r"alpha must be in \(0, 1\), was 1\.0"),
        ((0.1, 0), ConfigurationError, r"horizon_bars must be positive, was 0"),
        ((0.1, 20), ConfigurationError, r"window_bars must be at least 320, was 252"),
        ((0.1, 5, 252, 0.0), ConfigurationError, r"level_frac must be in \(0, 1\), was 0\.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments, error, rule) -> None:
    with pytest.raises(error, match=rule):
        CoverageMonitor(*arguments)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(DataValidationError, match=r"n_covered must be in \[0, 2\], was 3"):
        CoverageMonitor(0.1, 1).update(3, 2)
    with pytest.raises(DataValidationError, match=r"counts must have shape \(252, 2\), was \(9, 2\)"):
        CoverageMonitor(0.1, 1).restore(np.zeros((9, 2), dtype=np.int64))
