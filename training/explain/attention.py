"""Which bars of a window a member attends to."""

from typing import Protocol, runtime_checkable

from outcry.errors import PredictionError
from outcry.market.frame import Float32Array, FloatArray
from outcry.models.explanation import AttentionProfile
from outcry.models.family import Model
from training.explain.sample import Sample


@runtime_checkable
class AttentionModel(Protocol):
    """A `WindowModel` that can say which rows of a window count."""

    @property
    def lookback_bars(self) -> int:
        """See `WindowModel`."""
        ...

    def attention(self, windows: Float32Array) -> FloatArray | Float32Array:
        """Return (n_rows, lookback_bars), rows summing to 1; `PredictionError` where this one has no attention."""
        ...


def attention_profile(family: str, model: Model, sample: Sample) -> AttentionProfile | None:
    """Return the mean attention of a member over rows; None where it has none."""
    if not isinstance(model, AttentionModel) or sample.windows is None:
        return None
    try:
        weights = model.attention(sample.windows[:, -model.lookback_bars :])
    except PredictionError:
        return None
    return AttentionProfile(family=family, mean_frac=tuple(weights.mean(axis=0, dtype=float).tolist()))
