"""What a bundle says about itself: the schema of ``manifest.json``."""

import hashlib
import json
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from outcry.errors import BundleError
from outcry.models.member import Member

SCHEMA_VERSION: Final = 5
COMBINER_FILE: Final = "combiner.json"
CALIBRATION_FILE: Final = "calibration.json"
CONFORMAL_FILE: Final = "conformal.json"
GOLDEN_FILE: Final = "golden.npz"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[a-z0-9_]+(@[0-9]+)?\.(json|txt|npz)$")]
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


class CoverageRecord(_Record):
    """How many outcomes of the test fold the prediction sets held that were to hold `stated_frac` of them.

    `covered_frac` of the rows, `n_classes` in a set on average, `single_frac` of the sets with one class alone.
    """

    stated_frac: Fraction
    covered_frac: Fraction
    n_classes: float = Field(ge=0.0, le=3.0)
    single_frac: Fraction


class SelectionRecord(_Record):
    """How the columns were chosen: on the training rows of a fold alone.

    Attributes
    ----------
    methods : tuple of str
        Of the steps, in order; empty where every column was kept.
    n_candidates : int
        Columns there were to choose from.
    chosen : tuple of tuple of str
        By each fold that chose, oldest first, the best column first; the last choice is what the members read. One
        where the first fold chose for all.
    jaccard, nogueira : float or None
        How much the folds agree: the mean overlap of two of them, and the agreement beyond chance (1 where all chose
        the same, 0 on average at random), None where every fold chose every column. Both None for one choice.
    """

    methods: tuple[str, ...]
    n_candidates: int = Field(gt=0)
    chosen: tuple[tuple[str, ...], ...]
    jaccard: Fraction | None
    nogueira: float | None


class BundleFacts(_Record):
    """Where a bundle comes from, and what it was measured to do.

    Attributes
    ----------
    feature_names : tuple of str
        The columns the members read, in order; some of a feature set. What the combiner reads besides, it says itself.
    features_hash : str
        Of the feature set the columns were computed with.
    bar_ns : int
        Bar size, nanoseconds.
    first_ts_ns, last_ts_ns : int
        Closes of the first and last frame that was given to training, nanoseconds UTC. Those of `test` may lie after.
    folds : tuple of FoldRecord
        Walk-forward, oldest first.
    test : FoldRecord
        The last fold: used once, for this figure only.
    coverage : tuple of CoverageRecord
        Of the prediction sets on that fold, at some levels that do not move; none where there are no sets.
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
    coverage: tuple[CoverageRecord, ...] = ()
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
    """One model of the ensemble, the rows it reads, and the weight it begins with where the combiner gives one.

    `horizon_bars` is over how many bars it learnt, where these are not those of the label.
    """

    family: str
    horizon_bars: int | None = Field(default=None, gt=0, exclude_if=lambda bars: bars is None)
    files: tuple[FileName, ...] = Field(min_length=1)
    weight_frac: Fraction | None
    lookback_bars: int = Field(default=1, gt=0)

    @property
    def member(self) -> Member:
        return Member(self.family, self.horizon_bars)

    @property
    def name(self) -> str:
        """What tells it from the other members."""
        return self.member.name


class BundleManifest(BundleFacts):
    """Everything in ``manifest.json``. `version` is the digest of all the rest, checksums included."""

    schema_version: Literal[5] = SCHEMA_VERSION
    members: tuple[MemberRecord, ...] = Field(min_length=1)
    files: dict[FileName, Sha256]
    version: str = ""

    @model_validator(mode="after")
    def _check_members(self) -> "BundleManifest":
        own = [COMBINER_FILE, CALIBRATION_FILE, GOLDEN_FILE]
        if CONFORMAL_FILE in self.files:
            own.append(CONFORMAL_FILE)
        named = [*own, *(name for member in self.members for name in member.files)]
        if sorted(named) != sorted(self.files):
            raise ValueError(f"files must be exactly {sorted(named)}, were {sorted(self.files)}")
        return self

    @property
    def lookback_bars(self) -> int:
        """The most rows a member reads, that of the decision bar included."""
        return max(member.lookback_bars for member in self.members)

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
