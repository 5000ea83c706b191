"""The section of settings that chooses columns; apart from the kernels, which take half a second to import."""

from pydantic import Field, field_validator

from outcry.config import FrozenConfig
from outcry.features.cross.config import CrossConfig


class FeatureSetConfig(FrozenConfig):
    """Choose groups, windows and columns.

    Attributes
    ----------
    groups : tuple of str
        Families to compute, and ``cross`` for the second stage over the universe; empty for all.
    windows : dict
        Of a kind of indicator, in place of its defaults: ``rsi: [7, 14]``, ``macd: [[12, 26, 9], [5, 35, 5]]``; an
        empty list leaves it out.
    columns : tuple of str
        Names, aliases or patterns (``tech_rsi_*``) of the columns to keep; empty for all.
    exclude : tuple of str
        Names, aliases or patterns of columns to leave out.
    cross : CrossConfig
        Windows of the second stage.
    """

    groups: tuple[str, ...] = ()
    windows: dict[str, tuple[tuple[int, ...], ...]] = Field(default_factory=dict)
    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    cross: CrossConfig = CrossConfig()

    @field_validator("windows", mode="before")
    @classmethod
    def _wrap_single_windows(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            kind: [[item] if isinstance(item, int) else item for item in items] if isinstance(items, list) else items
            for kind, items in value.items()
        }
