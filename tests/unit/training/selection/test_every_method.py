"""Every method, found in the registry, is held to the same checks."""

from typing import get_args

import numpy as np
import pytest

from configs.selection import StepConfig
from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.models.dataset import Dataset
from training.selection.choice import Selection
from training.selection.pipeline import SELECTORS, select_columns

UNSUPERVISED = {"variance", "correlation"}


@pytest.fixture(params=SELECTORS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def select(method, make_step, config):
    """Return a function that runs the method for the three best columns."""
    step = make_step(method, n_columns=3, min_gain_nats=0.005)

    def run(data: Dataset, config: TrainingConfig = config) -> Selection:
        (done,) = select_columns(data, config.model_copy(update={"selection": (step,)}))
        return done

    return run


def test_every_method_that_can_be_configured_is_in_the_registry() -> None:
    union, _ = get_args(StepConfig)
    assert [kind.model_fields["method"].default for kind in get_args(union)] == list(SELECTORS)


def test_what_the_label_follows_is_chosen(method, select, data) -> None:
    names = set(select(data).names)
    assert "second" in names
    assert names & {"first", "twin_of_first"}
    if method not in UNSUPERVISED:
        assert names <= {"first", "second", "twin_of_first"}


def test_a_column_that_never_changes_or_is_never_known_is_not_chosen(method, select, data) -> None:
    if method == "correlation":  # which compares columns, and these are like no other
        assert {"constant", "never_known"} < set(select(data).names)
    else:
        assert not {"constant", "never_known"} & set(select(data).names)


def test_the_best_are_named_first_and_every_column_has_a_finite_score(method, select, data) -> None:
    found = select(data)
    assert found.method == method
    assert tuple(found.scores) == data.feature_names
    assert np.isfinite(list(found.scores.values())).all()
    chosen = [found.scores[name] for name in found.names]
    assert chosen == sorted(chosen, reverse=True)
    assert len(set(found.names)) == len(found.names)


def test_the_same_rows_give_the_same_answer_and_stay_as_they_were(select, data) -> None:
    before = data.rows.copy()
    assert select(data) == select(data)
    np.testing.assert_array_equal(data.rows, before)


def test_the_answer_to_thinned_rows_is_decided_by_the_seed(method, make_step, data, config) -> None:
    step = make_step(method, max_rows=1000, n_columns=3)
    if "max_rows" not in type(step).model_fields:
        return
    one, again, other = (SELECTORS[method](data, step, config.model_copy(update={"seed": s})) for s in (1, 1, 2))
    assert one == again
    assert one.scores != other.scores


def test_a_column_in_another_unit_is_as_good(method, select, data) -> None:
    unit = 2.0 ** np.arange(-4, 5)  # exact in binary: not a bit of what was found may change
    scaled = Dataset(data.rows * unit, data.labels, data.frame, data.feature_names)
    if method == "variance":
        variances = np.array(list(select(data).scores.values()))
        assert list(select(scaled).scores.values()) == list(variances * unit**2)
    else:
        assert select(scaled) == select(data)


def test_a_column_that_is_often_unknown_is_chosen_for_what_it_says_elsewhere(select, data) -> None:
    data.rows[np.random.default_rng(1).random(len(data)) < 0.3, data.feature_names.index("second")] = np.nan
    assert "second" in select(data).names


def test_two_classes_are_enough(method, select, data) -> None:
    names = select(Dataset(data.rows, np.minimum(data.labels, 1), data.frame, data.feature_names)).names
    assert "second" in names
    if method not in UNSUPERVISED:
        assert not {"noise_a", "noise_b", "noise_c", "noise_late"} & set(names)


def test_labels_of_one_class_are_refused_where_labels_are_asked(method, select, data) -> None:
    constant = Dataset(data.rows, np.ones_like(data.labels), data.frame, data.feature_names)
    if method in UNSUPERVISED:
        assert len(select(constant).names) >= 7
    else:
        with pytest.raises(DataValidationError, match=r"labels must be of two classes or more, all \d+ were 1"):
            select(constant)


def test_a_single_column_can_be_judged(select, data) -> None:
    column = data.feature_names.index("second")
    alone = Dataset(data.rows[:, [column]], data.labels, data.frame, ("second",))
    assert select(alone).names == ("second",)


def test_rows_in_which_nothing_is_known_are_refused_by_variance_and_give_the_others_nothing_to_choose_by(
    method, select, data
) -> None:
    unknown = Dataset(np.full_like(data.rows, np.nan), data.labels, data.frame, data.feature_names)
    if method == "variance":
        with pytest.raises(DataValidationError, match="variance must keep a column, kept none of 9"):
            select(unknown)
    else:
        assert set(select(unknown).names) == set(data.feature_names)


def test_trees_of_too_few_rows_to_split_leave_every_column(method, select, data) -> None:
    if method in {"elimination", "gain", "shap"}:
        assert set(select(data.take(np.arange(8))).names) == set(data.feature_names)


def test_no_rows_are_refused(select, data) -> None:
    none = Dataset(data.rows[:0], data.labels[:0], data.frame[:0], data.feature_names)
    with pytest.raises(DataValidationError, match="a selection must have rows, had none"):
        select(none)
