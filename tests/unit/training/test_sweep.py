"""What is the same trial has the same key, and nothing else has."""

from configs.loader import restore_settings
from training.sweep import TrialList

SETTINGS = restore_settings({})
FACTS = {"market": "m", "strategy": "s"}


def keys(points, facts=FACTS, parameters=None, settings=SETTINGS):
    return [trial.key for trial in TrialList(facts, settings, parameters or {}).add(points)]


def test_points_that_come_to_the_same_are_one_trial():
    points = [{"portfolio.max_positions": 20}, {"portfolio.max_positions": 10}, {"portfolio.rebalance_frac": 0.05}]
    trials = TrialList(FACTS, SETTINGS, {})
    assert [trial.index for trial in trials.add(points)] == [0, 1, 0]  # 20 and 0.05 are what the settings say anyway
    assert [(trial.index, dict(trial.point)) for trial in trials] == [(0, points[0]), (1, points[1])]


def test_key_does_not_depend_on_which_part_was_swept():
    by_grid = keys([{"param.edge": 0.1, "risk.max_positions": 5}])
    changed = restore_settings({"risk": {"max_positions": 5}})
    assert keys([{}], parameters={"edge": 0.1}, settings=changed) == by_grid


def test_other_market_strategy_or_value_is_another_trial():
    point = [{"param.edge": 0.1}]
    found = keys(point) + keys(point, {**FACTS, "market": "n"}) + keys(point, {**FACTS, "strategy": "t"})
    found += keys([{"param.edge": 0.2}]) + keys([{"portfolio.entry_edge": 0.01, "portfolio.exit_edge": 0.5}])
    assert len(set(found)) == 5
