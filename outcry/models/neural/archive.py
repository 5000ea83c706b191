"""A network on disk: its arrays in ``<family>.npz``, all else in ``<family>.json``. Never a pickle."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from outcry.errors import BundleError

FORMAT = 1
Arrays = dict[str, "np.ndarray[Any, Any]"]


def pack(family: str, arrays: Mapping[str, "np.ndarray[Any, Any]"], facts: Mapping[str, Any]) -> dict[str, bytes]:
    """Return both files, by name; the same content gives the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(sorted(arrays.items())))
    content = {"format": FORMAT, "family": family, **facts}
    text = json.dumps(content, sort_keys=True, indent=1, allow_nan=False) + "\n"
    return {f"{family}.npz": buffer.getvalue(), f"{family}.json": text.encode()}


def unpack(family: str, files: Mapping[str, bytes], n_features: int) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and all else.

    Raises
    ------
    BundleError
        Where a file is missing or damaged, or of another family, format or number of features.
    """
    wanted = {f"{family}.npz", f"{family}.json"}
    if set(files) != wanted:
        raise BundleError(f"{family} must have the files {', '.join(sorted(wanted))}, had {', '.join(files) or 'none'}")
    try:
        facts = json.loads(files[f"{family}.json"])
    except ValueError as error:
        raise BundleError(f"{family}.json must be JSON: {error}") from None
    for name, expected in (("format", FORMAT), ("family", family)):
        found = facts.get(name) if isinstance(facts, dict) else None
        if found != expected:
            raise BundleError(f"{family}.json: {name} must be {expected!r}, was {found!r}")
    if facts.get("n_features") != n_features:
        raise BundleError(f"{family} must read {n_features} features, reads {facts.get('n_features')}")
    try:
        with np.load(io.BytesIO(files[f"{family}.npz"]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{family}.npz must be an archive of arrays: {error}") from None
    return arrays, facts
