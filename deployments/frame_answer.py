"""What the ensemble answers to the rows of a frame; apart from it, for a desk that loads nothing of a web server."""

from dataclasses import dataclass

from outcry.market.frame import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnswer:
    """The probabilities of a frame, float64 (n_rows, 3); or, as None, the columns to ask the model in service with."""

    model_version: str
    feature_names: tuple[str, ...]
    probability: FloatArray | None
