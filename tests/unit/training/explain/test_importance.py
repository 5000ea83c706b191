"""A column that tells is missed, noise is not, and a constant costs exactly nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.market.frame import FloatArray
from training.explain.importance import draw_donors, measure_importance
from training.explain.sample import Sample

NAMES = ("own", "noise", "constant", "market", "copy", "rare")
ALONE = [np.array([column]) for column in range(len(NAMES))]


def ask(sample: Sample) -> FloatArray:
    """Stand for a model that reads every column but the copy; no known column, no answer."""
    known = np.nan_to_num(sample.rows)
    score = known[:, 0] + known[:, 3] + 0.01 * known[:, [1, 2, 5]].sum(axis=1)
    margins = np.column_stack((score, np.full(len(score), 0.3), -score))
    if sample.windows is not None:
        margins[:, 0] += sample.windows[:, :, 1].mean(axis=1)
    odds = np.exp(margins - margins.max(axis=1, keepdims=True))
    probability = odds / odds.sum(axis=1, keepdims=True)
    probability[np.isnan(sample.rows).all(axis=1)] = np.nan
    return probability


def measure(panel: Sample, groups=ALONE, n_repeats=3, seed=0):
    found = measure_importance(ask, panel, NAMES, groups, n_repeats, np.random.default_rng(seed))
    return {each.columns: each for each in found}


def test_what_tells_is_missed_and_what_does_not_is_not(panel: Sample):
    found = measure(panel)
    assert [columns[0] for columns in found][:2] in (["own", "market"], ["market", "own"])
    assert found["own",].rise_nats > 0.2
    assert found["own",].across_nats > 0.2
    assert abs(found["noise",].rise_nats) < 0.01
    assert found["noise",].rise_deviation_nats > 0.0
    for columns in (("constant",), ("copy",)):  # the second is not read
        same = found[columns]
        assert (same.rise_nats, same.rise_deviation_nats, same.across_nats, same.across_deviation_nats) == (0, 0, 0, 0)


def test_a_column_of_the_market_counts_over_time_and_not_among_symbols(panel: Sample):
    of_market = measure(panel)["market",]
    assert of_market.rise_nats > 0.2
    assert (of_market.across_nats, of_market.across_deviation_nats) == (0.0, 0.0)


def test_columns_of_a_group_are_given_the_values_of_the_same_row(panel: Sample):
    rows = panel.rows.copy()
    rows[:, 1] = -rows[:, 3]

    def ask_the_sum(sample: Sample) -> FloatArray:
        total = np.abs(sample.rows[:, 1] + sample.rows[:, 3])
        return np.column_stack((0.4 + np.minimum(total, 0.5), 0.3 - total / 9, 0.3 - total / 9)).clip(0.01)

    sample = Sample(rows, None, panel.frame, panel.labels)
    pair = measure_importance(ask_the_sum, sample, NAMES, [np.array([1, 3])], 2, np.random.default_rng(0))[0]
    assert (pair.rise_nats, pair.across_nats) == (0.0, 0.0)
    assert pair.columns == ("noise", "market")
    alone = measure_importance(ask_the_sum, sample, NAMES, [np.array([1])], 2, np.random.default_rng(0))[0]
    assert alone.rise_nats != 0.0


def test_windows_are_given_whole(panel: Sample):
    windows = np.zeros((len(panel), 4, len(NAMES)), dtype=np.float32)
    windows[:, :, 1] = 3.0 * (panel.labels == 0)[:, np.newaxis]
    found = measure(Sample(panel.rows, windows, panel.frame, panel.labels))
    assert found["noise",].rise_nats > 0.1
    assert not np.shares_memory(panel.rows, Sample(panel.rows, windows, panel.frame, panel.labels).rows[:0])


def test_a_row_without_a_known_column_says_nothing():
    rows = np.array([[np.nan], [1.0], [np.nan], [1.0]])
    sample = Sample(rows, None, np.array([0, 0, 1, 1]), np.zeros(4, dtype=np.int8))

    def say(asked: Sample) -> FloatArray:
        return np.where(np.isnan(asked.rows[:, [0] * 3]), np.nan, [0.5, 0.25, 0.25])

    (found,) = measure_importance(say, sample, ("a",), [np.array([0])], 2, np.random.default_rng(0))
    assert abs(found.rise_nats) < 1e-12  # as many rows are without it as before


def test_the_same_seed_gives_the_same_figures(panel: Sample):
    assert measure(panel, seed=1) == measure(panel, seed=1)
    assert measure(panel, seed=1) != measure(panel, seed=2)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=30), st.integers(0, 2**32), st.booleans())
def test_rows_are_given_those_of_one_other_frame_or_of_their_own(frames: list[int], seed: int, is_within: bool):
    frame = np.sort(np.array(frames))
    donors = draw_donors(frame, np.random.default_rng(seed), is_within=is_within)
    n_frames = len(np.unique(frame))
    for each in np.unique(frame):
        of_frame = np.flatnonzero(frame == each)
        given_by = frame[donors[of_frame]]
        assert len(set(given_by)) == 1
        if is_within:
            assert sorted(donors[of_frame]) == of_frame.tolist()
            assert len(of_frame) == 1 or not (donors[of_frame] == of_frame).any()
        else:
            assert (given_by[0] != each) == (n_frames > 1)


@pytest.mark.parametrize("is_within", [True, False])
def test_every_row_of_frames_of_one_size_gives_its_values_once(is_within: bool):
    frame = np.repeat(np.arange(7), 4)
    assert sorted(draw_donors(frame, np.random.default_rng(0), is_within=is_within)) == list(range(28))
