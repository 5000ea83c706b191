"""How far a training is, as plain arrays: in memory, or in a file. Never a pickle."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from outcry.errors import DataValidationError
from outcry.models.neural.archive import Arrays

FILE = "training.npz"
_NUMBERS = {"best_epoch": int, "best_log_loss": float, "n_reductions": int, "reduced_at": int}


def to_arrays(state: dict[str, Any]) -> Arrays:
    """Return what `Trainer.state` gave as arrays by name: ``network/<weight>``, ``best/<weight>``,
    ``optimiser/<number>/<moment>``, ``records`` and a few numbers."""
    arrays = {name: np.array(state[name]) for name in _NUMBERS} | {"records": state["records"].numpy()}
    for part in ("network", "best"):
        arrays |= {f"{part}/{name}": value.cpu().numpy() for name, value in state[part].items()}
    for number, moments in state["optimiser"].items():
        arrays |= {f"optimiser/{number}/{name}": value.cpu().numpy() for name, value in moments.items()}
    return arrays


def from_arrays(arrays: Arrays) -> dict[str, Any]:
    """Return what `Trainer.restore` takes."""
    state: dict[str, Any] = {"network": {}, "best": {}, "optimiser": {}}
    for place, value in arrays.items():
        part, *names = place.split("/")
        if not names:
            state[part] = _NUMBERS[part](value) if part in _NUMBERS else torch.tensor(value)
        elif part == "optimiser":
            state[part].setdefault(int(names[0]), {})[names[1]] = torch.tensor(value)
        else:
            state[part][names[0]] = torch.tensor(value)
    return state


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write what `Trainer.state` gave."""
    np.savez(folder / FILE, allow_pickle=False, **to_arrays(state))


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """Read what `write_checkpoint` wrote.

    Raises
    ------
    DataValidationError
        Where it is anything else.
    """
    try:
        with np.load(folder / FILE, allow_pickle=False) as stored:
            return from_arrays({name: stored[name] for name in stored.files})
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataValidationError(f"{folder / FILE} must be a checkpoint of a training: {error}") from None
