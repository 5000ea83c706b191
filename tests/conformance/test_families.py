"""Every family of models keeps the same promises; a new file among them is found and held to these."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from configs.families import FamiliesConfig
from outcry.errors import BundleError, DataValidationError
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset, FeatureHistory
from outcry.models.evaluation import score
from outcry.models.families import FAMILY_NAMES, find_family
from outcry.models.family import Family, FitSettings, Model, Updatable, UpdateSettings, WindowModel
from outcry.models.parameter_space import Searchable, Span

N_FRAMES, N_SYMBOLS = 420, 5
FEATURES = ("noise_a", "signal", "noise_b", "trend", "noise_c")
HORIZON_BARS = 3
LEAST_GAIN_NATS = 0.05
"""Of the class frequencies' log loss, on rows after the training rows; about a third of what there is to gain."""

QUICK = {"lookback_bars": 6, "max_epochs": 6, "batch_rows": 32, "learning_rate": 4e-3, "dropout_frac": 0.1}
SMALL: dict[str, dict[str, Any]] = {
    "autoencoder": QUICK | {"n_code": 24, "n_hidden": 32, "n_dense": 16},
    "cnn": QUICK | {"n_filters": 4, "n_dense": 16, "kernels_bars": (1, 3)},
    "cnn_lstm": QUICK
    | {"n_filters": 4, "n_hidden": 8, "n_layers": 1, "width": 16, "n_heads": 2, "n_members": 1, "kernels_bars": (1, 3)},
    "deepar": QUICK | {"n_hidden": 12, "n_layers": 1},
    "gru": QUICK | {"n_hidden": 16, "n_dense": 16},
    "informer": QUICK | {"width": 16, "feedforward_width": 32, "n_layers": 2, "n_heads": 2},
    "lstm": QUICK | {"n_hidden": 16, "n_dense": 16},
    "nbeats": QUICK | {"n_hidden": 16, "n_blocks": 1, "n_terms": 3},
    "tcn": QUICK | {"n_filters": 12, "n_blocks": 2},
    "tft": QUICK | {"width": 8, "n_heads": 2},
    "transformer": QUICK | {"width": 16, "feedforward_width": 32, "n_layers": 1, "n_heads": 2},
    "variational_autoencoder": QUICK | {"n_code": 24, "n_hidden": 32, "n_dense": 16},
}
"""Parameters that make a fit a matter of seconds, by family; the defaults where there are none."""


def params_of(family: Family) -> Any:
    """Return parameters with which the family learns the rows below in seconds."""
    return family.params(**SMALL.get(family.name, {}))


@pytest.fixture(scope="module")
def data() -> Dataset:
    """2,100 rows whose class follows two columns, one of them with some delay, so that a window knows more."""
    rng = np.random.default_rng(8)
    values = rng.normal(size=(N_FRAMES, N_SYMBOLS, len(FEATURES)))
    for t in range(1, N_FRAMES):
        values[t, :, 3] = 0.95 * values[t - 1, :, 3] + 0.3 * values[t, :, 3]
    said = 1.3 * values[:, :, 1] + 1.3 * values[:, :, 3] + rng.normal(scale=0.8, size=values.shape[:2])
    labels = np.digitize(-said, (-0.8, 0.8)).astype(np.int8)  # up where it is large
    values[rng.random(values.shape) < 0.03] = np.nan
    frame, symbol = (axis.ravel() for axis in np.indices((N_FRAMES, N_SYMBOLS)))
    lookback_bars = max(find_family(name).lookback_bars(params_of(find_family(name))) for name in FAMILY_NAMES)
    return Dataset(
        rows=values.reshape(-1, len(FEATURES)),
        labels=labels.ravel(),
        frame=frame,
        feature_names=FEATURES,
        symbol=symbol,
        returns=0.01 * said.ravel(),
        history=FeatureHistory.of_frames(values, 0, lookback_bars),
    )


@pytest.fixture(scope="module")
def parts(data: Dataset) -> tuple[Dataset, Dataset, Dataset, Dataset]:
    """The rows before, the validation rows, all training rows, and the test rows."""
    whole_frames, test_frames = next(PurgedWalkForward(1, HORIZON_BARS, 2, 0.75).split(N_FRAMES))
    earlier, validation = next(PurgedWalkForward(1, HORIZON_BARS, 2, 0.8).split(len(whole_frames)))
    return tuple(data.of_frames(frames) for frames in (earlier, validation, whole_frames, test_frames))  # type: ignore[return-value]


@pytest.fixture(scope="module", params=FAMILY_NAMES)
def family(request: pytest.FixtureRequest) -> Family:
    return find_family(request.param)


@pytest.fixture(scope="module")
def model(family: Family, parts: tuple[Dataset, ...]) -> Model:
    return fit(family, *parts[:3])


def fit(family: Family, earlier: Dataset, validation: Dataset, whole: Dataset) -> Model:
    return family.fit(earlier, validation, whole, params_of(family), FitSettings(seed=3))


def predict(model: Model, data: Dataset) -> FloatArray:
    if isinstance(model, WindowModel):
        return model.predict_windows(data.windows_at(slice(None), model.lookback_bars))
    return model.predict_proba(data.rows)


def test_its_name_is_that_of_its_module_and_of_its_section(family: Family) -> None:
    assert family.name in FAMILY_NAMES
    assert FamiliesConfig.model_fields[family.name].annotation is family.params
    assert set(FamiliesConfig.model_fields) == set(FAMILY_NAMES)


def test_it_learns_what_can_be_learnt(model: Model, parts: tuple[Dataset, ...]) -> None:
    _, _, whole, test = parts
    counts = np.bincount(whole.labels, minlength=len(Direction)) / len(whole)
    base = score(np.tile(counts, (len(test), 1)), test.labels).log_loss
    probability = predict(model, test)
    assert probability.shape == (len(test), len(Direction))
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, rtol=0.0, atol=1e-6)  # XGBoost's are float32
    assert probability.min() >= 0.0
    assert score(probability, test.labels).log_loss < base - LEAST_GAIN_NATS


def test_a_row_gets_the_same_bits_whatever_rows_stand_beside_it(model: Model, parts: tuple[Dataset, ...]) -> None:
    test = parts[3]
    expected = predict(model, test)
    order = np.random.default_rng(1).permutation(len(test))
    np.testing.assert_array_equal(predict(model, test.take(order)), expected[order])
    edges = (0, 1, 2, 5, 20, 84, 85, 213, len(test))
    pieces = [predict(model, test.take(slice(start, stop))) for start, stop in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(pieces), expected)


def test_what_it_saves_is_what_it_is(family: Family, model: Model, parts: tuple[Dataset, ...]) -> None:
    files = model.save()
    assert all(name.startswith(family.name) and name.endswith((".json", ".txt", ".npz")) for name in files)
    again = family.load(dict(files), len(FEATURES))
    assert dict(again.save()) == dict(files)
    np.testing.assert_array_equal(predict(again, parts[3]), predict(model, parts[3]))


def test_the_same_rows_and_seed_give_the_same_files(family: Family, model: Model, parts: tuple[Dataset, ...]) -> None:
    assert dict(fit(family, *parts[:3]).save()) == dict(model.save())


def test_a_damaged_file_is_refused(family: Family, model: Model) -> None:
    files = dict(model.save())
    for name, text in files.items():
        with pytest.raises(BundleError, match=family.name):
            family.load(files | {name: text[: len(text) // 2]}, len(FEATURES))
        with pytest.raises(BundleError, match=family.name):
            family.load({other: files[other] for other in files if other != name}, len(FEATURES))
    with pytest.raises(BundleError, match=rf"{family.name}.*{len(FEATURES) + 1} features"):
        family.load(files, len(FEATURES) + 1)


def test_importance_names_what_the_class_follows(model: Model) -> None:
    importance = model.importance()
    assert importance.shape == (len(FEATURES),)
    assert math.isclose(importance.sum(), 1.0, rel_tol=1e-9)
    assert importance.min() >= 0.0
    assert set(np.argsort(importance)[-2:]) == {FEATURES.index("signal"), FEATURES.index("trend")}


def test_dull_columns_a_class_that_never_came_and_weights_are_taken_as_they_are(
    family: Family, parts: tuple[Dataset, ...]
) -> None:
    """One fit for all three: a column that is constant, one never known, no neutral row, and rows that count more."""

    def spoil(part: Dataset) -> Dataset:
        assert part.history is not None
        rows, values = part.rows.copy(), part.history.values.copy()
        for array in (rows, values):
            array[..., FEATURES.index("noise_a")] = 1.0
            array[..., FEATURES.index("noise_b")] = np.nan
        return replace(part, rows=rows, history=replace(part.history, values=values))

    def weigh(part: Dataset, up_weight: float) -> Dataset:
        weights = np.where(part.labels == Direction.UP, up_weight, 1.0)
        return replace(part, weights=weights / weights.mean())

    spoilt = [spoil(part) for part in parts]
    two = [part.take(np.flatnonzero(part.labels != Direction.NEUTRAL)) for part in spoilt[:3]]
    model = fit(family, *(weigh(part, 8.0) for part in two))
    probability = predict(model, spoilt[3])
    assert np.isfinite(probability).all()
    importance = model.importance()
    assert importance[[FEATURES.index("noise_a"), FEATURES.index("noise_b")]].max() < 0.05
    assert probability[:, Direction.NEUTRAL].mean() < 0.05
    assert probability[:, Direction.UP].mean() > 0.55  # as many went up as down


def test_an_update_learns_new_rows_from_where_the_model_is(
    family: Family, model: Model, parts: tuple[Dataset, ...]
) -> None:
    """Where up and down have changed places, a few rounds on few rows lose less; the old model stays what it was."""
    if not isinstance(family, Updatable):
        return
    turned = replace(parts[3], labels=(Direction.DOWN - parts[3].labels).astype(np.int8))
    half = len(turned) // 2
    learnt, seen = turned.take(slice(0, half)), turned.take(slice(half, None))
    settings = UpdateSettings(seed=1, n_rounds=3, learning_rate_frac=1.0)
    before = dict(model.save())
    updated = family.update(model, learnt, params_of(family), settings)
    assert dict(model.save()) == before
    old, new = (score(predict(each, seen), seen.labels).log_loss for each in (model, updated))
    assert new < old - LEAST_GAIN_NATS
    files = dict(updated.save())
    assert files.keys() == before.keys()
    assert dict(family.update(model, learnt, params_of(family), settings).save()) == files
    np.testing.assert_array_equal(predict(family.load(files, len(FEATURES)), seen), predict(updated, seen))


def test_an_update_takes_what_it_is_given(family: Family, model: Model, parts: tuple[Dataset, ...]) -> None:
    """Rows of one class, or a dozen rows: no error, and probabilities all the same."""
    if not isinstance(family, Updatable):
        return
    settings = UpdateSettings(seed=1, n_rounds=1, learning_rate_frac=0.5)
    for rows in (np.flatnonzero(parts[3].labels == Direction.UP)[:40], np.arange(12)):
        updated = family.update(model, parts[3].take(rows), params_of(family), settings)
        np.testing.assert_allclose(predict(updated, parts[3]).sum(axis=1), 1.0, rtol=0.0, atol=1e-6)


def test_a_search_looks_where_its_parameters_may_be(family: Family) -> None:
    assert isinstance(family, Searchable)
    assert "narrow" in family.search_spaces
    for space in family.search_spaces.values():
        for name, where in space.items():
            for value in (where.low, where.high) if isinstance(where, Span) else where.values:
                assert getattr(family.params(**{name: value}), name) == value
            if isinstance(where, Span):
                assert where.low < where.high
                assert where.low > 0.0 or not where.is_log


def test_labels_of_one_class_are_refused(family: Family, parts: tuple[Dataset, ...]) -> None:
    constant = [replace(part, labels=np.zeros_like(part.labels)) for part in parts[:3]]
    with pytest.raises(DataValidationError, match="labels must be of two classes or more"):
        fit(family, *constant)


@pytest.mark.parametrize(
    "family",
    [name for name in FAMILY_NAMES if find_family(name).lookback_bars(params_of(find_family(name))) > 1],
    indirect=True,
)
def test_windows_end_at_the_decision_bar(model: Model, parts: tuple[Dataset, ...]) -> None:
    """What a window model says of a row does not move with the frames after it, and does with those before."""
    test = parts[3]
    assert test.history is not None
    middle = test.frame[len(test) // 2]
    values = test.history.values.copy()
    values[test.history.n_padding + middle + 1 :] += 3.0
    later = replace(test, history=replace(test.history, values=values))
    known = test.frame <= middle
    np.testing.assert_array_equal(predict(model, later)[known], predict(model, test)[known])
    assert not np.array_equal(predict(model, later)[~known], predict(model, test)[~known])
