"""Searches over the space that a grid spans: which points a sweep trades, and in what order.

Holds: lists of points, proposals by a surrogate and by a genetic algorithm, the loop that trades them batch by batch.
Must not import: cli, deployments, Ray.
Start reading at: `training.search.asking`, then `training.search.loop`.

`AdaptiveSearch`, `ListedSearch`, `Search` in ``asking``; `build_search` in ``build``; `GeneticProposer` in ``genetic``;
`SearchLoop` in ``loop``; `SearchSpace` in ``space``; `SurrogateProposer` in ``surrogate``
"""
