"""How a sweep looks for better points: section ``search``."""

from enum import StrEnum

from pydantic import Field, model_validator

from outcry.config import FrozenConfig


class SearchName(StrEnum):
    """How points are chosen."""

    GRID = "grid"
    RANDOM = "random"
    BAYES = "bayes"
    GENETIC = "genetic"


class Acquisition(StrEnum):
    """What bayes takes a point to be worth: its expected improvement, or an upper confidence bound."""

    EI = "ei"
    UCB = "ucb"


class SearchConfig(FrozenConfig):
    """Settings of ``--search bayes`` and ``--search genetic``.

    Attributes
    ----------
    batch : int or None
        Points that bayes asks for at a time; None for as many as this machine has cores.
    n_initial : int or None
        Points before the first surrogate, spread over the space; None for 2 (d + 1) of d axes, a batch at least.
    ucb_deviations : float
        By how many deviations ``--acquisition ucb`` believes in what it does not know.
    population : int
        Points of a generation.
    n_elite : int
        The best points ever traded that stay parents.
    n_tournament : int
        Points drawn for each parent, of which the best is taken.
    crossover_frac : float
        Children of two parents; the others are mutated copies of one.
    mutation_width_frac : float
        Deviation of a mutation as a fraction of the range of an axis.
    """

    batch: int | None = Field(default=None, ge=1)
    n_initial: int | None = Field(default=None, ge=2)
    ucb_deviations: float = Field(default=2.0, gt=0)
    population: int = Field(default=12, ge=4)
    n_elite: int = Field(default=3, ge=1)
    n_tournament: int = Field(default=3, ge=2)
    crossover_frac: float = Field(default=0.9, ge=0, le=1)
    mutation_width_frac: float = Field(default=0.1, gt=0, le=1)

    @model_validator(mode="after")
    def _check_elite(self) -> "SearchConfig":
        if self.n_elite >= self.population:
            raise ValueError(f"n_elite must be below population {self.population}, was {self.n_elite}")
        return self
