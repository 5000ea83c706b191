"""Bundles by what they were trained on: the same training is not done twice."""

from pathlib import Path


def find_trained(directory: Path, key: str) -> Path | None:
    """Return the bundle that a training with this key wrote, or None."""
    pointer = _pointer(directory, key)
    version = pointer.read_text() if pointer.is_file() else ""
    return directory / version if version and (directory / version).is_dir() else None


def remember_trained(directory: Path, key: str, bundle: Path) -> None:
    """Note which bundle of `directory` the training with this key wrote; at once, so that a note is never half."""
    pointer = _pointer(directory, key)
    pointer.parent.mkdir(parents=True, exist_ok=True)
    unfinished = pointer.with_suffix(".new")
    unfinished.write_text(bundle.name)
    unfinished.replace(pointer)


def _pointer(directory: Path, key: str) -> Path:
    return directory / "by_training" / key
