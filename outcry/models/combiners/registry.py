"""Combiners by kind, and the way back from JSON."""

import json

from pydantic import ValidationError

from outcry.errors import BundleError
from outcry.models.combiners.adaptive import Adaptive
from outcry.models.combiners.combiner import Combiner, CombinerSpec
from outcry.models.combiners.hard_vote import HardVote
from outcry.models.combiners.hidden_markov import HiddenMarkov
from outcry.models.combiners.multi_horizon import MultiHorizon
from outcry.models.combiners.regime_thresholds import RegimeThresholds
from outcry.models.combiners.selection import Selection
from outcry.models.combiners.soft_vote import SoftVote
from outcry.models.combiners.stacking import Stacking
from outcry.models.combiners.thompson import Thompson
from outcry.models.combiners.trimmed_mean import TrimmedMean

_TYPES: tuple[type[Combiner], ...] = (
    SoftVote,
    HardVote,
    TrimmedMean,
    MultiHorizon,
    Stacking,
    RegimeThresholds,
    HiddenMarkov,
    Adaptive,
    Selection,
    Thompson,
)

COMBINERS: dict[str, type[Combiner]] = {each.spec_type.model_fields["kind"].default: each for each in _TYPES}
"""The class of each kind."""


def parse_combiner(text: bytes) -> Combiner:
    """Read what `Combiner.to_json` wrote.

    Raises
    ------
    BundleError
        Names the field that is wrong.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"combiner must be JSON: {error}") from None
    kind = content.get("kind") if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in COMBINERS:
        raise BundleError(f"combiner: kind must be one of {', '.join(COMBINERS)}, was {kind!r}")
    try:
        spec = COMBINERS[kind].spec_type.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "content"
        raise BundleError(f"combiner {kind}: {field}: {first['msg']}") from None
    return build_combiner(spec)


def build_combiner(spec: CombinerSpec) -> Combiner:
    """Return the combiner that a specification describes."""
    return COMBINERS[spec.kind](spec)
