"""The base of every configuration class.

A configuration class lives beside the component it configures; ``configs/schema.py`` composes them.
"""

from pydantic import BaseModel, ConfigDict


class FrozenConfig(BaseModel):
    """A configuration section: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
