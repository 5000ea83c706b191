"""Every neural family learns what is in the order of the rows alone."""

from typing import Any

import numpy as np
import pytest

from outcry.models.dataset import Dataset
from outcry.models.evaluation import score
from outcry.models.families import FAMILY_NAMES, find_family
from outcry.models.family import FitSettings
from outcry.models.neural.family import NeuralFamily

N_BARS = 14
QUICK = {"lookback_bars": N_BARS, "max_epochs": 12, "batch_rows": 32, "learning_rate": 5e-3, "dropout_frac": 0.05}
SMALL: dict[str, dict[str, Any]] = {
    "autoencoder": {"n_code": 32, "n_hidden": 64},
    "cnn": {"n_filters": 8, "kernels_bars": (3, 11)},
    "cnn_lstm": {"n_filters": 6, "n_hidden": 12, "n_layers": 1, "width": 16, "n_heads": 2, "n_members": 1},
    "deepar": {"n_hidden": 24, "n_layers": 1},
    "gru": {"n_hidden": 24, "n_layers": 1},
    "informer": {"width": 16, "feedforward_width": 32, "n_heads": 2},
    "lstm": {"n_hidden": 24, "n_layers": 1, "has_attention": True},
    "nbeats": {"n_hidden": 32},
    "tcn": {"n_filters": 16, "n_blocks": 3},
    "tft": {"width": 16, "n_heads": 2},
    "transformer": {"width": 16, "feedforward_width": 32, "n_layers": 2, "n_heads": 2, "positions": "learned"},
    "variational_autoencoder": {"n_code": 32, "n_hidden": 64},
}
NEURAL_NAMES = [name for name in FAMILY_NAMES if isinstance(find_family(name), NeuralFamily)]


@pytest.mark.parametrize("name", NEURAL_NAMES)
def test_it_learns_the_order_of_two_events(name: str, parts: tuple[Dataset, Dataset, Dataset]) -> None:
    train, validation, test = parts
    family = find_family(name)
    params = family.params(**(QUICK | SMALL[name]))
    model = family.fit(train, validation, train, params, FitSettings(seed=1))
    probability = model.predict_windows(test.windows_at(slice(None), N_BARS))  # type: ignore[union-attr]
    counts = np.bincount(train.labels, minlength=3) / len(train)
    base = score(np.tile(counts, (len(test), 1)), test.labels).log_loss
    found = score(probability, test.labels)
    assert found.log_loss < 0.6 * base
    assert found.accuracy > 0.75


def test_no_row_shows_it(parts: tuple[Dataset, Dataset, Dataset]) -> None:
    train, validation, test = parts
    family = find_family("xgboost")
    model = family.fit(train, validation, train, family.params(max_rounds=20), FitSettings(seed=1))
    counts = np.bincount(train.labels, minlength=3) / len(train)
    base = score(np.tile(counts, (len(test), 1)), test.labels).log_loss
    assert score(model.predict_proba(test.rows), test.labels).log_loss > 0.95 * base  # type: ignore[union-attr]
