"""The loop of a sweep: ask for points, take those the journal has, trade the rest, tell, until there are none."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from actors.trials import Point, TrialOutcome, objective_of
from training.objective import Objective
from training.search.asking import Search
from training.sweep import TrialList

Trade = Callable[[Sequence[tuple[int, Point]]], Iterable[list[TrialOutcome]]]


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """Outcomes as they come, with the value of the objective among their metrics."""

    outcomes: list[TrialOutcome]
    is_reused: bool


@dataclass(frozen=True, slots=True, eq=False)
class SearchLoop:
    """Trade what a search asks for.

    A batch is told when all of it is known, its values in the order it was asked in: the order in which trials end
    changes nothing, and neither does which of them the journal had.

    Attributes
    ----------
    search : Search
    trials : TrialList
        Takes up the points.
    objective : Objective
    known : mapping of str to TrialOutcome
        Of the journal, by trial key; whatever their index is.
    trade : callable
        Yields an outcome for every numbered point, in any order.
    """

    search: Search
    trials: TrialList
    objective: Objective
    known: Mapping[str, TrialOutcome]
    trade: Trade

    def __iter__(self) -> Iterator[Traded]:
        done: dict[int, TrialOutcome] = {}
        while points := self.search.ask():
            asked = self.trials.add(points)
            new = {trial.index: trial for trial in asked if trial.index not in done}
            reused = [
                self._judged(replace(self.known[trial.key], index=index))
                for index, trial in new.items()
                if trial.key in self.known
            ]
            done |= {outcome.index: outcome for outcome in reused}
            if reused:
                yield Traded(reused, is_reused=True)
            todo = [(index, trial.point) for index, trial in new.items() if index not in done]
            for outcomes in self.trade(todo) if todo else ():
                judged = [self._judged(outcome) for outcome in outcomes]
                done |= {outcome.index: outcome for outcome in judged}
                yield Traded(judged, is_reused=False)
            self.search.tell(objective_of([done[trial.index] for trial in asked], self.objective.name))

    def _judged(self, outcome: TrialOutcome) -> TrialOutcome:
        return self.objective.judge(outcome, self.trials[outcome.index].point)
