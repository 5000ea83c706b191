"""What a bundle says about itself: the schema of ``manifest.json``."""

import hashlib
import json
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from outcry.errors import BundleError

SCHEMA_VERSION: Final = 3

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[a-z0-9_]+\.(json|txt|npz)$")]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LabelSpec(_Record):
    """The target: see `outcry.labels.direction`.

    `band_value` is a multiple of trailing volatility (``volatility``) or a fraction of price (``fixed``);
    `volatility_window_bars` is None for a fixed band.
    """

    horizon_bars: int = Field(gt=0)
    band_kind: Literal["volatility", "fixed"]
    band_value: float = Field(ge=0.0)
    volatility_window_bars: int | None = Field(default=None, gt=1)


class FoldRecord(_Record):
    """How the ensemble did on one fold that neither its members, weights nor calibration had seen.

    Times are the closes of the first and last frame; `train_last_ts_ns` is that of the last row trained on.
    `log_loss` in nats, `brier` in [0, 2] (squared error summed over the classes), `ece_frac` the expected calibration
    error of the most likely class; `base_log_loss` is what the class frequencies of the training rows alone achieve.
    """

    train_last_ts_ns: int
    first_ts_ns: int
    last_ts_ns: int
    n: int = Field(gt=0)
    log_loss: float = Field(ge=0.0)
    base_log_loss: float = Field(ge=0.0)
    brier: float = Field(ge=0.0, le=2.0)
    ece_frac: Fraction
    accuracy: Fraction


class SelectionRecord(_Record):
    """How the columns were chosen: in every fold, on its training rows alone.

    Attributes
    ----------
    methods : tuple of str
        Of the steps, in order; empty where every column was kept.
    n_candidates : int
        Columns there were to choose from.
    chosen : tuple of tuple of str
        By each fold, oldest first and the test fold last; the best column first.
    jaccard, nogueira : float
        How much the folds agree: the mean overlap of two of them, and the agreement beyond chance (1 where all chose
        the same, 0 on average at random), None where every fold chose every column.
    """

    methods: tuple[str, ...]
    n_candidates: int = Field(gt=0)
    chosen: tuple[tuple[str, ...], ...]
    jaccard: Fraction
    nogueira: float | None


class BundleFacts(_Record):
    """Where a bundle comes from, and what it was measured to do.

    Attributes
    ----------
    feature_names : tuple of str
        The columns the members read, in order; some of a feature set.
    features_hash : str
        Of the feature set the columns were computed with.
    bar_ns : int
        Bar size, nanoseconds.
    first_ts_ns, last_ts_ns : int
        Closes of the first and last frame that was looked at, nanoseconds UTC.
    folds : tuple of FoldRecord
        Walk-forward, oldest first.
    test : FoldRecord
        The last fold: used once, for this figure only.
    selection : SelectionRecord
        Where the columns come from.
    libraries : dict
        Versions of the libraries that trained the members.
    code_version : str
        Of this project.
    """

    feature_names: tuple[str, ...] = Field(min_length=1)
    features_hash: str
    label: LabelSpec
    bar_ns: int = Field(gt=0)
    symbols: tuple[str, ...] = Field(min_length=1)
    first_ts_ns: int
    last_ts_ns: int
    folds: tuple[FoldRecord, ...]
    test: FoldRecord
    selection: SelectionRecord
    libraries: dict[str, str]
    code_version: str
    seed: int

    @model_validator(mode="after")
    def _check_names(self) -> "BundleFacts":
        if len(set(self.feature_names)) != len(self.feature_names):
            raise ValueError("feature_names must be unique")
        return self


class MemberRecord(_Record):
    """One model of the ensemble and its share of the vote."""

    family: Literal["xgboost", "lightgbm"]
    file: FileName
    weight_frac: Fraction


class BundleManifest(BundleFacts):
    """Everything in ``manifest.json``. `version` is the digest of all the rest, checksums included."""

    schema_version: Literal[3] = SCHEMA_VERSION
    members: tuple[MemberRecord, ...] = Field(min_length=1)
    files: dict[FileName, Sha256]
    version: str = ""

    @model_validator(mode="after")
    def _check_members(self) -> "BundleManifest":
        total_frac = sum(member.weight_frac for member in self.members)
        if abs(total_frac - 1.0) > 1e-9:
            raise ValueError(f"member weights must sum to 1, summed to {total_frac}")
        listed = {member.file for member in self.members} | {"calibration.json", "golden.npz"}
        if listed != set(self.files):
            raise ValueError(f"files must be exactly {sorted(listed)}, were {sorted(self.files)}")
        return self

    @property
    def content_version(self) -> str:
        """The version that the content asks for: 16 hexadecimal digits of its SHA-256."""
        content = self.model_dump(mode="json", exclude={"version"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> bytes:
        return (self.model_dump_json(indent=2) + "\n").encode()


def parse_manifest(text: bytes, where: str) -> BundleManifest:
    """Check and return a manifest.

    Raises
    ------
    BundleError
        Where it is no JSON, has another schema, breaks a rule, or is not the text its version was made from.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BundleError(f"{where} must be JSON: {error}") from None
    found = content.get("schema_version") if isinstance(content, dict) else None
    if found != SCHEMA_VERSION:
        raise BundleError(f"{where}: schema_version must be {SCHEMA_VERSION}, was {found!r}")
    try:
        manifest = BundleManifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "content"
        raise BundleError(f"{where}: {field}: {first['msg']}") from None
    if manifest.version != manifest.content_version:
        raise BundleError(
            f"{where}: version must be {manifest.content_version}, the digest of the content, was {manifest.version!r}"
        )
    return manifest
