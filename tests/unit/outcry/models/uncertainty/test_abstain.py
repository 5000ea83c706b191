"""A forecast asks for new risk only where nothing speaks against it."""

import numpy as np
import pytest

from outcry.messages import AbstainReason
from outcry.models.uncertainty.abstain import AbstainRule, abstain_reasons, count_reasons
from outcry.models.uncertainty.spread import measure_spread

UP, FLAT, DOWN, UNKNOWN = [0.6, 0.3, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6], [np.nan] * 3


@pytest.mark.parametrize(
    ("row", "held", "is_certain"),
    [
        (UP, [True, False, False], True),
        (DOWN, [False, False, True], True),
        (FLAT, [False, True, False], False),  # no direction
        (UP, [True, True, False], False),
        (UP, [True, True, True], False),
        (UP, [False, False, False], False),  # nothing fits: stranger than all that was seen
        (DOWN, [True, False, False], False),  # the portfolio would sell what the set calls a rise
        (UNKNOWN, [True, True, True], True),  # no forecast: nothing to withhold
    ],
)
def test_a_set_is_certain_where_it_is_the_direction_of_the_edge(row, held, is_certain) -> None:
    (reason,) = abstain_reasons(np.array([row]), AbstainRule(single_direction=True), np.array([held]))
    assert reason == (AbstainReason.NONE if is_certain else AbstainReason.PREDICTION_SET)


def test_members_that_differ_or_name_another_class_are_reasons_and_the_set_goes_first() -> None:
    members = np.array([[UP, UP, UP, UNKNOWN], [UP, FLAT, DOWN, UP], [UP, UP, FLAT, UP]])
    spread, probability = measure_spread(members), members[0]
    rule = AbstainRule(True, max_disagreement=0.1, min_agreement_frac=0.9)
    assert abstain_reasons(probability, rule, spread=spread).tolist() == [0, 3, 2, 0]
    sets = np.array([[True, False, False]] * 2 + [[True, True, False]] * 2)
    assert abstain_reasons(probability, rule, sets, spread).tolist() == [0, 3, 1, 0]
    assert not abstain_reasons(probability, AbstainRule(), sets, spread).any()


def test_reasons_are_counted_by_name() -> None:
    assert count_reasons(np.array([[0, 1], [1, 2]], dtype=np.int8)) == {"prediction_set": 2, "disagreement": 1}
    assert count_reasons(None) == {}
