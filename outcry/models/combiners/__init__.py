"""Combiners: one probability of each class out of those of the members.

Holds: a kind a file, all of one protocol, and the registry that reads them from JSON. Those that move their weights
with the frames are deterministic functions of frames and outcomes.
Must not import: portfolio and later stages, adapters, what fits them. Fitting lives in ``training.ensembles``.
Start reading at: `outcry.models.combiners.combiner`, then `outcry.models.combiners.online`.

`Combiner`, `CombinerState`, `OnlineCombiner`, `build_combiner`, `parse_combiner`, `settle_labels`
"""

from outcry.models.combiners.combiner import Combiner
from outcry.models.combiners.online import CombinerState, OnlineCombiner, settle_labels
from outcry.models.combiners.registry import build_combiner, parse_combiner

__all__ = ["Combiner", "CombinerState", "OnlineCombiner", "build_combiner", "parse_combiner", "settle_labels"]
