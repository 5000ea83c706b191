"""The model registry, and what a model must show before it trades: section ``registry``."""

from pydantic import Field

from outcry.config import FrozenConfig


class RegistryConfig(FrozenConfig):
    """Section ``registry``.

    Attributes
    ----------
    model_name : str or None
        What versions are registered under. None names models after what they forecast, as
        ``outcry-direction-5bars-1d``.
    keep_versions : int
        Versions without an alias that are kept, the newest; older ones leave the registry. Their bundles stay on disk.
    min_frames, max_frames : int
        Frames neither model was trained on that a promotion needs, and the most it looks at, the newest.
    max_p_value : float
        Of the test that the model is no better than the champion.
    min_gain_nats : float
        By how much its log loss must be lower, nats a row.
    max_ece_frac : float
        Expected calibration error on those frames.
    max_row_ms, max_frame_ms : float
        Median time to predict one row, and every symbol of a frame, in one process.
    max_size_mb : float
        Of the files of the bundle, megabytes of 10^6 bytes.
    """

    model_name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    keep_versions: int = Field(default=5, ge=1)
    min_frames: int = Field(default=100, ge=20)
    max_frames: int = Field(default=2_000, ge=20)
    max_p_value: float = Field(default=0.05, gt=0, lt=1)
    min_gain_nats: float = Field(default=0.0, ge=0)
    max_ece_frac: float = Field(default=0.10, gt=0, le=1)
    max_row_ms: float = Field(default=10.0, gt=0)
    max_frame_ms: float = Field(default=120.0, gt=0)
    max_size_mb: float = Field(default=100.0, gt=0)
