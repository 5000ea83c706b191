"""What the ensemble answers to the rows of a frame; apart from it, for a desk that loads nothing of a web server."""

from dataclasses import dataclass

from outcry.market.frame import FloatArray
from outcry.models.decisions import DecisionSpec


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnswer:
    """The probabilities of a frame, float64 (n_rows, 3), or (n_members, n_rows, 3) where those of the members were
    asked for; or, as None, what to ask the model in service with.

    That is the columns it reads, and of how many bars, and how it makes one answer of those of its members.
    `shadow_version` comes with a champion's probabilities: the model that may be asked beside it, empty where none is.
    """

    model_version: str
    feature_names: tuple[str, ...]
    probability: FloatArray | None
    lookback_bars: int = 1
    decision_spec: DecisionSpec | None = None
    shadow_version: str = ""
