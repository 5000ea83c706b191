"""Requests to a model that reads windows: as JSON and Arrow, and every way to be refused."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest

from deployments.http_app import ARROW
from deployments.model_slot import ModelSlot
from outcry.models.bundle import ModelBundle

NAMES = tuple(f"tech_column_{i}" for i in range(4))
N_ROWS, LOOKBACK_BARS = 5, 3


@pytest.fixture(scope="module")
def path(write_lag_bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lag_bundle(tmp_path_factory.mktemp("bundles"), NAMES, "catalogue", LOOKBACK_BARS)


@pytest.fixture
def bundle(slot: ModelSlot, path: Path) -> ModelBundle:
    slot.replace(path)
    return slot.loaded.bundle


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(7).standard_normal((N_ROWS, len(NAMES)))


@pytest.fixture
def windows(rows: np.ndarray) -> np.ndarray:
    windows = np.random.default_rng(8).standard_normal((N_ROWS, LOOKBACK_BARS, len(NAMES)))
    windows[1, 0] = np.nan
    windows[:, -1] = rows
    return windows.astype(np.float32)


def arrow_body(rows: np.ndarray, window: pa.Array, order: list[int] | None = None) -> bytes:
    columns = {NAMES[i]: rows[:, i] for i in order or range(len(NAMES))}
    table = pa.table({**columns, "window": window})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


def arrow_windows(windows: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(windows.ravel()), windows[0].size)


def probabilities(answer: dict[str, Any]) -> np.ndarray:
    return np.array(
        [[entry["probability"][name] for name in ("up", "neutral", "down")] for entry in answer["predictions"]]
    )


def as_json(**body: Any) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)  # NaN becomes null


async def test_every_form_gets_the_bits_of_the_bundle(call, bundle: ModelBundle, rows, windows) -> None:
    expected = bundle.predict_proba(rows, windows=windows)
    longer = np.concatenate((windows[:, :1] + 1.0, windows), axis=1)
    order = [2, 0, 3, 1]
    shuffled = np.ascontiguousarray(windows[..., order])
    answers = [
        await call("POST", "/v1/predict", as_json(rows=rows, windows=windows)),
        await call("POST", "/v1/predict", as_json(rows=rows, windows=longer)),
        await call(
            "POST",
            "/v1/predict",
            as_json(
                rows=np.ascontiguousarray(rows[:, order]), windows=shuffled, feature_names=[NAMES[i] for i in order]
            ),
        ),
        await call("POST", "/v1/predict", arrow_body(rows, arrow_windows(windows)), {"content-type": ARROW}),
        await call("POST", "/v1/predict", arrow_body(rows, arrow_windows(shuffled), order), {"content-type": ARROW}),
    ]
    for answer in answers:
        np.testing.assert_array_equal(probabilities(answer.json()), expected)
    assert (await call("GET", "/v1/models")).json()["models"][0]["lookback_bars"] == LOOKBACK_BARS


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize(
    ("change", "status_code", "told"),
    [
        (lambda body: body.pop("windows"), 422, "windows must hold the last 3 bars of each row, which the model reads"),
        (lambda body: body.update(windows=[w[1:] for w in body["windows"]]), 422, "last 3 bars of each row, held 2"),
        (lambda body: body.update(windows=body["windows"][1:]), 422, "for each of the 5 rows, held [3] for 4"),
        (lambda body: body["windows"][2].pop(), 422, "for each of the 5 rows, held [2, 3] for 5"),
        (lambda body: body.update(windows=[[]] * 5), 422, "held [0] for 5"),
        (lambda body: body.update(windows=[1.0] * 5), 422, "windows must be a list of lists of bars"),
        (lambda body: body["windows"][1][2].pop(), 422, "bar 5 must have 4 numbers, one a feature, had 3"),
        (lambda body: body["windows"][1].__setitem__(2, 0.5), 422, "bar 5 must be a list of numbers, was a number"),
        (lambda body: body["windows"][1][2].__setitem__(0, "x"), 422, "bar 5 must hold numbers or null, held a text"),
        (
            lambda body: body["windows"][1][2].__setitem__(3, 1e300),
            422,
            "feature tech_column_3 must be finite as float32 or null, was not in bar 2 of window 1",
        ),
        (lambda body: body.update(symbols=["A"]) or body.pop("rows"), 422, "windows must stand beside rows"),
        (lambda body: (body.clear(), body.update(symbols=["A"])), 409, "the one in service reads 3"),
    ],
)
async def test_windows_that_break_a_rule_are_told_which(call, rows, windows, change, status_code, told) -> None:
    body = orjson.loads(as_json(rows=rows, windows=windows))
    change(body)
    answer = await call("POST", "/v1/predict", body)
    assert (answer.status_code, told in answer.json()["detail"]) == (status_code, True), answer.json()


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize(
    ("window", "told"),
    [
        (pa.array([[0.0] * 12] * N_ROWS), "column window must be a fixed_size_list of float32, was list<item: double>"),
        (pa.array([[0.0] * 10] * N_ROWS, pa.list_(pa.float32(), 10)), "a multiple of 4 numbers a row, had 10"),
        (pa.array([None] + [[0.0] * 12] * 4, pa.list_(pa.float32(), 12)), "a list in each row, had null"),
        (pa.array([[0.0] * 8] * N_ROWS, pa.list_(pa.float32(), 8)), "last 3 bars of each row, held 2"),
        (pa.array([[np.inf] * 12] * N_ROWS, pa.list_(pa.float32(), 12)), "feature tech_column_0 must be finite"),
    ],
)
async def test_an_arrow_window_that_breaks_a_rule_is_told_which(call, rows, window: pa.Array, told: str) -> None:
    answer = await call("POST", "/v1/predict", arrow_body(rows, window), {"content-type": ARROW})
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.json()


async def test_a_model_of_rows_passes_over_windows(call, slot: ModelSlot) -> None:
    names, n_bars = slot.loaded.bundle.feature_names, 2
    rows = np.zeros((1, len(names)))
    answer = await call("POST", "/v1/predict", as_json(rows=rows, windows=np.ones((1, n_bars, len(names)))))
    np.testing.assert_array_equal(probabilities(answer.json()), slot.loaded.bundle.predict_proba(rows))
