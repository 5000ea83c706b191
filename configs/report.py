"""What the figures of a report are measured against: section ``report``."""

from pydantic import Field

from outcry.config import FrozenConfig


class ReportConfig(FrozenConfig):
    """``risk_free_per_year`` is the simple annual rate that cash would have earned: ratios count what is above it."""

    risk_free_per_year: float = Field(default=0.02, ge=-0.05, le=0.5)
