"""A sweep that was stopped anywhere ends with the trials and values of one that was not, and trades none twice."""

import math
from pathlib import Path

import numpy as np
import pytest

from actors.trials import TrialOutcome
from configs.loader import restore_settings
from outcry.errors import StrategyError
from tests.unit.training.search.landscapes import LANDSCAPES, make_search
from training.objective import Objective, read_objective
from training.search.loop import SearchLoop
from training.sweep import TrialList

GRID, FUNCTION, _ = LANDSCAPES["mixed"]
N_TRIALS = 25
SHARPE = read_objective("sharpe")
SEARCHES = [("random", None), ("bayes", "ei"), ("genetic", None)]


class StoppedError(Exception):
    """What a kill looks like from inside."""


class Runner:
    """Trade in any order, in chunks of any size; keep a journal; stop after so many trials."""

    def __init__(self, order: int, journal: dict[str, TrialOutcome], stop_after: int | None = None) -> None:
        self.trials = TrialList({}, restore_settings({}), {})
        self.rng = np.random.default_rng(order)
        self.journal = journal
        self.traded: list[int] = []
        self.stop_after = stop_after

    def trade(self, points):
        waiting = [points[k] for k in self.rng.permutation(len(points))]
        while waiting:
            chunk, waiting = waiting[: (n := int(self.rng.integers(1, 4)))], waiting[n:]
            outcomes = []
            for index, point in chunk:
                if len(self.traded) == self.stop_after:
                    raise StoppedError
                self.traded.append(index)
                value = FUNCTION(point)
                metrics = None if value < -3.0 else {"sharpe": value, "max_drawdown": 0.1}
                returns = None if metrics is None else np.full(5, value)
                outcome = TrialOutcome(index, metrics, returns, "" if metrics else "fell", 1.0)
                if metrics is not None:
                    self.journal[self.trials[index].key] = outcome
                outcomes.append(outcome)
            yield outcomes

    def run(self, name: str, acquisition: str | None, objective: Objective = SHARPE):
        search = make_search(name, GRID, N_TRIALS, 7, acquisition, batch=5)
        found, n_reused = {}, 0
        for traded in SearchLoop(search, self.trials, objective, dict(self.journal), self.trade):
            found |= {outcome.index: outcome for outcome in traded.outcomes}
            n_reused += len(traded.outcomes) if traded.is_reused else 0
        points = [(trial.key, trial.point) for trial in self.trials]
        return points, {index: found[index].metrics for index in sorted(found)}, n_reused


@pytest.mark.parametrize(("name", "acquisition"), SEARCHES)
def test_order_in_which_trials_end_changes_nothing(name, acquisition):
    one, other = (Runner(order, {}).run(name, acquisition) for order in (1, 2))
    assert one == other
    assert len(one[0]) == N_TRIALS


@pytest.mark.parametrize("stop_after", [0, 11, 24])
@pytest.mark.parametrize(("name", "acquisition"), SEARCHES)
def test_stopped_sweep_goes_on_where_it_was(name, acquisition, stop_after):
    whole = Runner(1, {}).run(name, acquisition)
    journal: dict[str, TrialOutcome] = {}
    first = Runner(2, journal, stop_after)
    with pytest.raises(StoppedError):
        first.run(name, acquisition)
    n_kept = len(journal)
    second = Runner(3, journal)
    points, values, n_reused = second.run(name, acquisition)
    assert (points, values) == whole[:2]
    assert n_reused == n_kept
    assert len(second.traded) == N_TRIALS - n_kept  # what failed is tried again
    assert Runner(4, journal).run(name, acquisition)[:2] == whole[:2]


def test_objective_of_the_user_ranks_trials_and_is_not_what_the_journal_keeps(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text("def score(trial):\n    return trial.metrics['sharpe'] - 2 * trial.point['param.edge']\n")
    runner = Runner(1, {})
    points, values, _ = runner.run("genetic", None, read_objective(f"{path}:score"))
    for (_, point), metrics in zip(points, values.values(), strict=True):
        assert metrics is None or metrics["mine.py:score"] == metrics["sharpe"] - 2 * point["param.edge"]
    assert all("mine.py:score" not in outcome.metrics for outcome in runner.journal.values())
    by_sharpe = Runner(1, {}).run("genetic", None)
    assert points[:12] == by_sharpe[0][:12]
    assert points != by_sharpe[0]  # the search follows what it is told


def test_objective_that_raises_stops_the_sweep_and_what_was_traded_is_kept(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text("def score(trial):\n    return trial.metrics['shape']\n")
    runner = Runner(1, {})
    with pytest.raises(StrategyError, match=r"mine\.py:score at param\.kind=.* raised KeyError"):
        runner.run("bayes", "ei", read_objective(f"{path}:score"))
    assert 0 < len(runner.journal) <= len(runner.traded)


def test_trial_without_a_value_is_passed_over(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text("def score(trial):\n    return float('nan') if trial.point['param.is_long'] else 1.0\n")
    _, values, _ = Runner(1, {}).run("random", None, read_objective(f"{path}:score"))
    found = {metrics["mine.py:score"] for metrics in values.values() if metrics is not None}
    assert found == {None, 1.0}
    assert not any(isinstance(value, float) and math.isnan(value) for value in found)
