"""From what the command line asks for to a search."""

from configs.grid import SweepGrid
from configs.search import Acquisition, SearchConfig, SearchName
from outcry.errors import ConfigurationError
from training.search.asking import AdaptiveSearch, ListedSearch, Search
from training.search.genetic import GeneticProposer
from training.search.surrogate import SurrogateProposer

MOST_SURROGATE_POINTS = 1_000


def build_search(  # noqa: PLR0917 - what the command line gives
    name: SearchName,
    grid: SweepGrid,
    n_trials: int | None,
    seed: int,
    acquisition: Acquisition | None,
    config: SearchConfig,
    n_workers: int,
) -> Search:
    """Return the search over a grid.

    Parameters
    ----------
    name : SearchName
    grid : SweepGrid
    n_trials : int or None
        To trade; None for the grid, which trades every point.
    seed : int
    acquisition : Acquisition or None
        Of bayes; None for the expected improvement.
    config : SearchConfig
    n_workers : int
        The batch of bayes, where the settings give none.

    Raises
    ------
    ConfigurationError
        Where these contradict each other, or there is nothing to search.
    """
    if acquisition is not None and name is not SearchName.BAYES:
        raise ConfigurationError(f"--acquisition must go with --search bayes, was with {name.value}")
    if name is SearchName.GRID:
        if n_trials is not None:
            raise ConfigurationError("--trials must go with --search random, bayes or genetic; grid trades every point")
        return ListedSearch(grid, grid.points(), {"search": name.value})
    if n_trials is None or n_trials < 1:
        given = "not given" if n_trials is None else n_trials
        raise ConfigurationError(f"--trials must be at least 1 with --search {name.value}, was {given}")
    if grid.n_points < 2:
        raise ConfigurationError(f"--grid must span at least two points with --search {name.value}, has one")
    if name is SearchName.RANDOM:
        return ListedSearch(grid, grid.points(n_trials, seed), {"search": name.value, "seed": seed})
    if name is SearchName.GENETIC:
        chosen = config.model_dump(exclude={"batch", "n_initial", "ucb_deviations"})
        return AdaptiveSearch(grid, GeneticProposer(seed, **chosen), n_trials)
    if n_trials > MOST_SURROGATE_POINTS:
        raise ConfigurationError(
            f"--trials must be at most {MOST_SURROGATE_POINTS:,} with --search bayes, whose time grows with their "
            f"cube, was {n_trials:,}"
        )
    batch = config.batch or n_workers
    n_initial = config.n_initial or max(2 * (len(grid.axes) + 1), batch)
    proposer = SurrogateProposer(seed, batch, n_initial, acquisition or Acquisition.EI, config.ucb_deviations)
    return AdaptiveSearch(grid, proposer, n_trials)
