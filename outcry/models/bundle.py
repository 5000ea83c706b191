"""A trained ensemble on disk: a directory that is verified when read, and never unpickled.

    manifest.json      what it is, what it was measured to do, and the SHA-256 of every other file
    xgboost.json       native models
    lightgbm.txt
    calibration.json   knots of the probability map
    golden.npz         ``rows``, and the ``probability`` the ensemble must give for them

The version of a bundle is a digest of its content, and the name of its directory when written. The trees of native
models are read and predicted here: neither booster library is needed to load and to predict.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import FloatArray, IntArray
from outcry.models.calibration import Calibration
from outcry.models.ensemble import SoftVote
from outcry.models.lightgbm_trees import parse_lightgbm
from outcry.models.manifest import BundleFacts, BundleManifest, MemberRecord, parse_manifest
from outcry.models.xgboost_trees import parse_xgboost

MANIFEST_FILE = "manifest.json"
CALIBRATION_FILE = "calibration.json"
GOLDEN_FILE = "golden.npz"
MEMBER_FILES = {"xgboost": "xgboost.json", "lightgbm": "lightgbm.txt"}
PARSERS = {"xgboost": parse_xgboost, "lightgbm": parse_lightgbm}
GOLDEN_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class ModelBundle:
    """A verified ensemble, ready to predict.

    Attributes
    ----------
    path : Path
        The directory it was read from.
    manifest : BundleManifest
    """

    path: Path
    manifest: BundleManifest
    _vote: SoftVote
    _golden_rows: FloatArray
    _golden_probability: FloatArray

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of the rows it predicts for, in order."""
        return self.manifest.feature_names

    @property
    def features_hash(self) -> str:
        return self.manifest.features_hash

    @property
    def horizon_bars(self) -> int:
        return self.manifest.label.horizon_bars

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        """Return calibrated float64 (n_rows, 3) for float64 (n_rows, n_features); see `SoftVote.predict_proba`."""
        return self._vote.predict_proba(rows, columns)

    def columns_in(self, feature_names: Sequence[str]) -> IntArray:
        """Return int64 (n_features,): where each feature of the bundle stands in `feature_names`.

        ``bundle.predict_proba(values, bundle.columns_in(names))`` predicts from a matrix with columns `names`.

        Raises
        ------
        BundleError
            Where one is not there.
        """
        position = {name: column for column, name in enumerate(feature_names)}
        missing = [name for name in self.feature_names if name not in position]
        if missing:
            raise BundleError(
                f"bundle {self.version}: {len(missing)} of its {len(self.feature_names)} features are not computed: "
                f"{', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}"
            )
        return np.array([position[name] for name in self.feature_names], dtype=np.int64)

    def check_golden(self) -> None:
        """Predict the golden rows again; raise `BundleError` where an answer is off by more than 1e-12."""
        found = self.predict_proba(self._golden_rows)
        if found.shape != self._golden_probability.shape:
            raise BundleError(f"{GOLDEN_FILE}: probability must have shape {found.shape}")
        if not np.allclose(found, self._golden_probability, rtol=0.0, atol=GOLDEN_TOLERANCE, equal_nan=True):
            error = np.nanmax(np.abs(found - self._golden_probability))
            raise BundleError(
                f"bundle {self.version} must answer its golden inputs to {GOLDEN_TOLERANCE}, was off by {error}; "
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
    rows, probability = _parse_golden(content[GOLDEN_FILE], str(path / GOLDEN_FILE))
    try:
        bundle = ModelBundle(path, manifest, _build_vote(manifest, content), rows, probability)
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
    members: Mapping[str, tuple[float, bytes]],
    calibration: Calibration,
    golden_rows: FloatArray,
) -> Path:
    """Write a bundle as a new directory, whole or not at all, and return its path.

    Parameters
    ----------
    directory : Path
        Where bundles are kept; the new one is named after its version. One that is there already and sound is left
        alone.
    facts : BundleFacts
    members : mapping of family to (weight_frac, model)
        ``xgboost`` and ``lightgbm``; the model in its native format.
    calibration : Calibration
    golden_rows : float64 (n_rows, n_features)
        Inputs whose answers are stored, and compared at each load.
    """
    content = {MEMBER_FILES[family]: model for family, (_, model) in members.items()}
    content[CALIBRATION_FILE] = calibration.to_json()
    records = tuple(
        MemberRecord.model_validate({"family": family, "file": MEMBER_FILES[family], "weight_frac": weight_frac})
        for family, (weight_frac, _) in members.items()
    )
    draft = BundleManifest.model_construct(**dict(facts), members=records)
    probability = _build_vote(draft, content).predict_proba(golden_rows)
    content[GOLDEN_FILE] = _golden_bytes(golden_rows, probability)
    files = {name: hashlib.sha256(text).hexdigest() for name, text in sorted(content.items())}
    manifest = BundleManifest(**dict(facts), members=records, files=files)
    manifest = manifest.model_copy(update={"version": manifest.content_version})
    content[MANIFEST_FILE] = manifest.to_json()
    return _publish(content, directory / manifest.version)


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


def _build_vote(manifest: BundleManifest, content: Mapping[str, bytes]) -> SoftVote:
    n_features = len(manifest.feature_names)
    members = [PARSERS[record.family](content[record.file], n_features=n_features) for record in manifest.members]
    weights_frac = [record.weight_frac for record in manifest.members]
    calibration = Calibration.from_json(content[CALIBRATION_FILE])
    return SoftVote(members, weights_frac, calibration, manifest.feature_names)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} must be a readable file of a bundle: {error.strerror}") from None


def _golden_bytes(rows: FloatArray, probability: FloatArray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, rows=rows, probability=probability)
    return buffer.getvalue()


def _parse_golden(text: bytes, where: str) -> tuple[FloatArray, FloatArray]:
    try:
        with np.load(io.BytesIO(text), allow_pickle=False) as arrays:
            return arrays["rows"], arrays["probability"]
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise BundleError(f"{where} must hold the arrays rows and probability: {error}") from None
