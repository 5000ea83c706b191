"""What a bundle pays attention to, as it is kept beside the bundles: ``explanations/VERSION.json``.

It is measured by `training.explain` on rows that no member was trained on, and read by the pages that show it.
"""

import os
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from outcry.models.reliability import ReliabilityCurve

SCHEMA_VERSION: Final = 1
ENSEMBLE: Final = "ensemble"
"""Stands among the explained for the vote of all members, calibrated: what trades."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Contributions(_Record):
    """Shapley values of the log-odds: how far each column moves a forecast from the mean one.

    The log-odds of a class are ``ln p`` less the mean of ``ln p`` over the classes, in nats; those of one class against
    another are the difference of two.

    Attributes
    ----------
    whom : str
        A member, or `ENSEMBLE`.
    is_exact : bool
        Of the model as it is stored; False where it was asked with columns of other rows, in drawn orders.
    base_nats : tuple of float (3,)
        What the contributions begin with, in the order of `Direction`; None for a class the model does not know.
    mean_abs_nats : tuple of tuple of float (3, n_features)
        Mean over rows of the absolute contribution of each column.
    """

    whom: str
    is_exact: bool
    base_nats: tuple[float | None, ...]
    mean_abs_nats: tuple[tuple[float, ...], ...]


class Importance(_Record):
    """How much worse the ensemble forecasts when columns carry the values of other rows.

    Attributes
    ----------
    columns : tuple of str
        Given the values of the same other rows at once; one, or those that rise and fall together.
    rise_nats, rise_deviation_nats : float
        Of the log loss a row: mean and standard deviation over the repeats. The other row is of another frame and of
        another symbol there.
    across_nats, across_deviation_nats : float
        The same where it is another symbol of the same frame: what the column says of one symbol against another.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    rise_nats: float
    rise_deviation_nats: float = Field(ge=0.0)
    across_nats: float
    across_deviation_nats: float = Field(ge=0.0)


class AttentionProfile(_Record):
    """The mean over rows of how much a member attends to each bar of its window, the oldest first; it sums to 1."""

    family: str
    mean_frac: tuple[float, ...] = Field(min_length=2)


class Drift(_Record):
    """The population stability index of each column between the rows before the test fold and later ones.

    Attributes
    ----------
    first_ts_ns, last_ts_ns : int
        Of the later rows.
    index : tuple of float (n_features,)
        0 where a column is spread as before.
    """

    first_ts_ns: int
    last_ts_ns: int
    index: tuple[float, ...]


class Explanation(_Record):
    """What was found of a bundle.

    Attributes
    ----------
    bundle_version, code_version : str
    seed : int
        Of every draw.
    feature_names : tuple of str
        Of the bundle, in order.
    first_ts_ns, last_ts_ns, n_frames, n_rows : int
        The rows of the test fold that were looked at.
    n_explained_rows, n_repeats : int
        Of these rows, how many have contributions; how often each column was given other values.
    log_loss : float
        Of the ensemble on these rows, nats.
    reliability : tuple of ReliabilityCurve (3,)
    contributions : tuple of Contributions
        Of the ensemble, then of each member with a vote.
    importance : tuple of Importance
        The largest rise first.
    attention : tuple of AttentionProfile
        Of the members that have any.
    drift : tuple of Drift
        In the test fold; then in the frames after all that the bundle looked at, where there are some.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    bundle_version: str
    code_version: str
    seed: int
    feature_names: tuple[str, ...]
    first_ts_ns: int
    last_ts_ns: int
    n_frames: int
    n_rows: int
    n_explained_rows: int
    n_repeats: int
    log_loss: float
    reliability: tuple[ReliabilityCurve, ...]
    contributions: tuple[Contributions, ...]
    importance: tuple[Importance, ...]
    attention: tuple[AttentionProfile, ...]
    drift: tuple[Drift, ...]


def explanation_path(state_dir: Path, bundle_version: str) -> Path:
    """Return where the explanation of a bundle is kept."""
    return state_dir / "explanations" / f"{bundle_version}.json"


def write_explanation(path: Path, explanation: Explanation) -> None:
    """Write it, in place of another at once; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(explanation.model_dump_json(indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def read_explanation(path: Path) -> Explanation | None:
    """Return what `write_explanation` wrote; None where there is no file, or one of another version of this code."""
    try:
        return Explanation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
