"""A trained ensemble on disk: a directory that is verified when read, and never unpickled.

    manifest.json      what it is, what it was measured to do, and the SHA-256 of every other file
    xgboost.json       the members, each in the files of its family
    lightgbm.txt
    lightgbm@20.txt    of a member with a horizon of its own
    combiner.json      what makes one answer of theirs
    calibration.json   knots of the probability map
    conformal.json     what its prediction sets are made of, where it has any
    golden.npz         ``rows`` (and ``windows``), and the ``probability`` the ensemble must give for them

The version of a bundle is a digest of its content, and the name of its directory when written. The trees of native
models are read and predicted here: no library that trained them is needed to load and to predict.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import Float32Array, FloatArray, IntArray
from outcry.models.calibration import Calibration
from outcry.models.combiners import Combiner, parse_combiner
from outcry.models.combiners.combiner import WeightedSpec
from outcry.models.decisions import DecisionSpec
from outcry.models.ensemble import Ensemble
from outcry.models.families import FAMILY_NAMES, find_family
from outcry.models.family import Model, WindowModel
from outcry.models.manifest import (
    CALIBRATION_FILE,
    COMBINER_FILE,
    CONFORMAL_FILE,
    GOLDEN_FILE,
    BundleFacts,
    BundleManifest,
    MemberRecord,
    parse_manifest,
)
from outcry.models.member import parse_member
from outcry.models.uncertainty.prediction_sets import PredictionSets

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True, eq=False)
class GoldenInputs:
    """What an ensemble is asked at each load: float64 (n, n_features), and float32 (n, lookback_bars, n_features)."""

    rows: FloatArray
    windows: Float32Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModelBundle:
    """A verified ensemble, ready to predict.

    Attributes
    ----------
    path : Path
        The directory it was read from.
    manifest : BundleManifest
    prediction_sets : PredictionSets, optional
    """

    path: Path
    manifest: BundleManifest
    _ensemble: Ensemble
    _golden: "GoldenInputs"
    _golden_probability: FloatArray
    prediction_sets: PredictionSets | None = None

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of the rows it predicts for, in order."""
        return self._ensemble.feature_names

    @property
    def features_hash(self) -> str:
        return self.manifest.features_hash

    @property
    def horizon_bars(self) -> int:
        return self.manifest.label.horizon_bars

    @property
    def lookback_bars(self) -> int:
        """Rows of a window, that of the decision bar last; 1 where no member reads one."""
        return self._ensemble.lookback_bars

    @property
    def decision_spec(self) -> DecisionSpec:
        """How it makes a forecast of what its members say."""
        return self._ensemble.decision_spec(self.manifest.label, self.prediction_sets)

    def predict_proba(
        self, rows: FloatArray, columns: IntArray | None = None, windows: Float32Array | None = None
    ) -> FloatArray:
        """Return calibrated float64 (n_rows, 3) for float64 (n_rows, n_features); see `Ensemble.predict_proba`."""
        return self._ensemble.predict_proba(rows, columns, windows)

    def predict_members(
        self, rows: FloatArray, columns: IntArray | None = None, windows: Float32Array | None = None
    ) -> FloatArray:
        """Return what each member says, float64 (n_members, n_rows, 3); see `Ensemble.predict_members`."""
        return self._ensemble.predict_members(rows, columns, windows)

    def columns_in(self, feature_names: Sequence[str]) -> IntArray:
        """Return int64 (n_features,): where each feature of the bundle stands in `feature_names`.

        ``bundle.predict_proba(values, bundle.columns_in(names))`` predicts from a matrix with columns `names`.

        Raises
        ------
        BundleError
            Where one is not there.
        """
        try:
            return self._ensemble.columns_in(feature_names)
        except BundleError as error:
            raise BundleError(f"bundle {self.version}: {error}") from None

    def check_golden(self) -> None:
        """Predict the golden rows again; raise `BundleError` where an answer is off by more than its members may be."""
        tolerance = max(find_family(member.family).answer_tolerance for member in self.manifest.members)
        found = self.predict_proba(self._golden.rows, windows=self._golden.windows)
        if found.shape != self._golden_probability.shape:
            raise BundleError(f"{GOLDEN_FILE}: probability must have shape {found.shape}")
        if not np.allclose(found, self._golden_probability, rtol=0.0, atol=tolerance, equal_nan=True):
            error = np.nanmax(np.abs(found - self._golden_probability))
            raise BundleError(
                f"bundle {self.version} must answer its golden inputs to {tolerance}, was off by {error}; "
                f"it was trained with {self.manifest.libraries}"
            )


def load_bundle(
    path: Path,
    feature_names: Sequence[str] | None = None,
    features_hash: str | None = None,
) -> ModelBundle:
    """Read a bundle, verifying everything that can be.

    Parameters
    ----------
    path : Path
        The directory.
    feature_names : sequence of str, optional
        The columns the caller computes; every feature of the bundle must be among them.
    features_hash : str, optional
        Of the feature set the caller computes; must be that of the bundle.

    Raises
    ------
    BundleError
        Names the file or the field that is missing, corrupt, or does not match.
    """
    manifest = parse_manifest(_read(path / MANIFEST_FILE), str(path / MANIFEST_FILE))
    if features_hash is not None and features_hash != manifest.features_hash:
        raise BundleError(f"{path}: features_hash must be {features_hash}, was {manifest.features_hash}")
    content = {}
    for name, expected in manifest.files.items():
        content[name] = _read(path / name)
        found = hashlib.sha256(content[name]).hexdigest()
        if found != expected:
            raise BundleError(f"{path / name}: sha256 must be {expected}, was {found}")
    golden, probability = _parse_golden(content[GOLDEN_FILE], str(path / GOLDEN_FILE))
    try:
        sets = PredictionSets.from_json(content[CONFORMAL_FILE]) if CONFORMAL_FILE in content else None
        bundle = ModelBundle(path, manifest, _build_ensemble(manifest, content), golden, probability, sets)
        if feature_names is not None:
            bundle.columns_in(feature_names)
        bundle.check_golden()
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from None
    return bundle


def write_bundle(
    directory: Path,
    *,
    facts: BundleFacts,
    members: Mapping[str, Model],
    combiner: Combiner,
    calibration: Calibration,
    golden: GoldenInputs,
    prediction_sets: PredictionSets | None = None,
) -> Path:
    """Write a bundle as a new directory, whole or not at all, and return its path.

    Parameters
    ----------
    directory : Path
        Where bundles are kept; the new one is named after its version. One that is there already and sound is left
        alone.
    facts : BundleFacts
    members : mapping of name to Model
        Names are those of `outcry.models.member`.
    combiner : Combiner
        Of so many members, in their order.
    calibration : Calibration
    golden : GoldenInputs
        Whose answers are stored, and compared at each load.
    prediction_sets : PredictionSets, optional

    Raises
    ------
    BundleError
        Where it cannot be written: the disk is full, say. Nothing of it is left then.
    """
    content, records = {COMBINER_FILE: combiner.to_json(), CALIBRATION_FILE: calibration.to_json()}, []
    if prediction_sets is not None:
        content[CONFORMAL_FILE] = prediction_sets.to_json()
    weights_frac = combiner.spec.weights_frac if isinstance(combiner.spec, WeightedSpec) else (None,) * len(members)
    for (name, model), weight_frac in zip(members.items(), weights_frac, strict=True):
        files, member = _files_of(name, model), parse_member(name)
        content.update(files)
        records.append(
            MemberRecord(
                family=member.family,
                horizon_bars=member.horizon_bars,
                files=tuple(sorted(files)),
                weight_frac=weight_frac,
                lookback_bars=model.lookback_bars if isinstance(model, WindowModel) else 1,
            )
        )
    return _write(directory, BundleManifest.model_construct(**dict(facts), members=tuple(records)), content, golden)


def _write(directory: Path, draft: BundleManifest, content: dict[str, bytes], golden: GoldenInputs) -> Path:
    """Write files with their golden answers and a manifest like `draft`, which lacks what follows from them."""
    probability = _build_ensemble(draft, content).predict_proba(golden.rows, windows=golden.windows)
    content[GOLDEN_FILE] = _golden_bytes(golden, probability)
    digests = {name: hashlib.sha256(text).hexdigest() for name, text in sorted(content.items())}
    manifest = BundleManifest(**dict(draft) | {"files": digests, "version": ""})
    manifest = manifest.model_copy(update={"version": manifest.content_version})
    content[MANIFEST_FILE] = manifest.to_json()
    try:
        return _publish(content, directory / manifest.version)
    except OSError as error:
        raise BundleError(f"a bundle must be written to {directory}: {error.strerror}") from error


def load_members(bundle: ModelBundle) -> dict[str, Model]:
    """Read every member by its name, those without a vote too."""
    content, n_features = _content_with(bundle, {}), len(bundle.manifest.feature_names)
    return {record.name: _load_member(record, content, n_features) for record in bundle.manifest.members}


def with_members(bundle: ModelBundle, members: Mapping[str, Model]) -> ModelBundle:
    """Return what predicts as the bundle would with other members in the places of its own; nothing is written."""
    return replace(bundle, _ensemble=_build_ensemble(bundle.manifest, _content_with(bundle, members)))


def write_revision(
    directory: Path, bundle: ModelBundle, members: Mapping[str, Model], changes: Mapping[str, Any]
) -> Path:
    """Write a bundle with other members in the places of its own, and everything else as it is; return its path.

    Parameters
    ----------
    directory : Path
        As `write_bundle`.
    bundle : ModelBundle
    members : mapping of name to model
        Of some of its members.
    changes : mapping
        Facts that are others; see `BundleFacts`.
    """
    content = _content_with(bundle, members)
    golden, _ = _parse_golden(content[GOLDEN_FILE], str(bundle.path / GOLDEN_FILE))
    return _write(directory, bundle.manifest.model_copy(update=dict(changes)), content, golden)


def _content_with(bundle: ModelBundle, members: Mapping[str, Model]) -> dict[str, bytes]:
    content = {name: _read(bundle.path / name) for name in bundle.manifest.files}
    for name, model in members.items():
        content.update(_files_of(name, model))
    return content


def _files_of(name: str, model: Model) -> dict[str, bytes]:
    """Return the files of a member, by the names that they have in a bundle."""
    member = parse_member(name)
    return {member.file_name(file): text for file, text in model.save().items()}


def _publish(content: Mapping[str, bytes], target: Path) -> Path:
    """Put files into a directory that appears complete; a damaged one of that name makes room."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=target.parent) as workspace:
        draft = Path(workspace) / target.name
        draft.mkdir()
        for name, text in content.items():
            with (draft / name).open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        if target.exists() and not _is_sound(target):
            os.replace(target, Path(workspace) / "damaged")
        try:
            os.replace(draft, target)
        except OSError:  # it is there already, perhaps since a moment ago
            if not _is_sound(target):
                raise
    return target


def _is_sound(path: Path) -> bool:
    try:
        load_bundle(path)
    except BundleError:
        return False
    return True


def _build_ensemble(manifest: BundleManifest, content: Mapping[str, bytes]) -> Ensemble:
    n_features = len(manifest.feature_names)
    members = [_load_member(record, content, n_features) for record in manifest.members]
    combiner = parse_combiner(content[COMBINER_FILE])
    if combiner.spec.n_members not in {None, len(members)}:
        raise BundleError(f"{COMBINER_FILE} must combine {len(members)} members, combines {combiner.spec.n_members}")
    return Ensemble(members, combiner, Calibration.from_json(content[CALIBRATION_FILE]), manifest.feature_names)


def _load_member(record: MemberRecord, content: Mapping[str, bytes], n_features: int) -> Model:
    if record.family not in FAMILY_NAMES:
        raise BundleError(f"family of a member must be one of {', '.join(FAMILY_NAMES)}, was {record.family}")
    files = {record.member.file_of_family(name): content[name] for name in record.files}
    model = find_family(record.family).load(files, n_features)
    found = model.lookback_bars if isinstance(model, WindowModel) else 1
    if found != record.lookback_bars:
        raise BundleError(f"{record.name} must read {record.lookback_bars} rows, reads {found}")
    return model


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} must be a readable file of a bundle: {error.strerror}") from None


def _golden_bytes(golden: GoldenInputs, probability: FloatArray) -> bytes:
    buffer = io.BytesIO()
    arrays = {"rows": golden.rows, "probability": probability}
    np.savez(buffer, **arrays if golden.windows is None else arrays | {"windows": golden.windows})
    return buffer.getvalue()


def _parse_golden(text: bytes, where: str) -> tuple[GoldenInputs, FloatArray]:
    try:
        with np.load(io.BytesIO(text), allow_pickle=False) as arrays:
            golden = GoldenInputs(arrays["rows"], arrays.get("windows"))
            return golden, arrays["probability"]
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise BundleError(f"{where} must hold the arrays rows and probability: {error}") from None
