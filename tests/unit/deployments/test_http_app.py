"""The HTTP API in process: every way to ask, every way to be refused."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bench.random_bundle import write_random_bundle
from deployments.http_app import ARROW
from deployments.model_slot import ModelSlot
from outcry.messages import Direction
from outcry.models.bundle import ModelBundle
from tests.unit.deployments.conftest import UNCERTAINTY
from training.conformal import fit_prediction_sets

N_FEATURES = 12


@pytest.fixture
def rows() -> np.ndarray:
    rows = np.random.default_rng(7).standard_normal((5, N_FEATURES))
    rows[0, 3] = np.nan
    return rows


def as_json(rows: np.ndarray) -> list[list[float | None]]:
    return [[None if np.isnan(value) else value for value in row] for row in rows.tolist()]


def as_arrow(columns: dict[str, Any]) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table(columns)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def probabilities(answer: dict[str, Any]) -> np.ndarray:
    return np.array(
        [[entry["probability"][name] for name in ("up", "neutral", "down")] for entry in answer["predictions"]]
    )


async def test_rows_are_answered_with_the_bits_of_the_bundle(call, bundle: ModelBundle, rows) -> None:
    answer = (await call("POST", "/v1/predict", {"rows": as_json(rows)})).json()
    expected = bundle.predict_proba(rows)
    assert np.array_equal(probabilities(answer), expected)
    assert answer["model_version"] == bundle.version
    assert answer["horizon_bars"] == bundle.horizon_bars
    assert answer["latency_ms"] >= 0.0
    positions = {Direction.UP: "long", Direction.NEUTRAL: "neutral", Direction.DOWN: "short"}
    for entry, row in zip(answer["predictions"], expected, strict=True):
        chosen = Direction(int(row.argmax()))
        assert (entry["direction"], entry["class"]) == (positions[chosen], chosen.name.lower())
        assert entry["confidence"] == pytest.approx((row.max() - 1 / 3) / (2 / 3), rel=1e-12)


async def test_every_form_of_a_request_gets_the_same_probabilities(call, bundle, features, rows) -> None:
    names = bundle.feature_names
    shuffled = np.random.default_rng(1).permutation(N_FEATURES)
    symbols = [f"S{i}" for i in range(len(rows))]
    named = [dict(zip(names, row, strict=True)) for row in as_json(rows)]
    features.values = dict(zip(symbols, named, strict=True))
    forms = [
        {"rows": as_json(rows[:, shuffled]), "feature_names": [names[i] for i in shuffled]},
        {"features": named, "symbols": symbols},
        {"symbols": symbols},
    ]
    for form in forms:
        answer = (await call("POST", "/v1/predict", form)).json()
        assert np.array_equal(probabilities(answer), bundle.predict_proba(rows)), form.keys()
        if "symbols" in form:
            assert [entry["symbol"] for entry in answer["predictions"]] == symbols


async def test_arrow_body_is_answered_in_arrow_or_json_as_asked(call, bundle, rows) -> None:
    columns = {name: rows[:, i] for i, name in enumerate(bundle.feature_names)}
    body = as_arrow({"symbol": [f"S{i}" for i in range(len(rows))], **columns})
    plain = await call("POST", "/v1/predict", body, {"content-type": ARROW})
    binary = await call("POST", "/v1/predict", body, {"content-type": ARROW, "accept": ARROW})
    assert plain.headers["content-type"] == "application/json"
    assert binary.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(binary.body).read_all()
    expected = bundle.predict_proba(rows)
    assert np.array_equal(probabilities(plain.json()), expected)
    assert np.array_equal(np.column_stack([table[name] for name in ("up", "neutral", "down")]), expected)
    assert table["symbol"].to_pylist() == [entry["symbol"] for entry in plain.json()["predictions"]]
    assert table["direction"].to_pylist() == [entry["direction"] for entry in plain.json()["predictions"]]
    assert table.schema.metadata[b"model_version"].decode() == bundle.version


async def test_row_without_a_known_feature_is_answered_with_null(call) -> None:
    answer = (await call("POST", "/v1/predict", {"rows": [[None] * N_FEATURES]})).json()
    assert answer["predictions"] == [
        {
            "direction": None,
            "class": None,
            "probability": {"up": None, "neutral": None, "down": None},
            "confidence": 0.0,
        }
    ]


ROW = [0.0] * N_FEATURES


@pytest.mark.parametrize(
    ("body", "status_code", "told"),
    [
        (b"{", 400, "body must be JSON"),
        (b'{"rows": [[NaN]]}', 400, "null for a feature not known yet"),
        ([ROW], 422, "body must be an object, was a list"),
        ({}, 422, "had none of them"),
        ({"rows": [ROW], "features": []}, 422, "had both"),
        ({"rows": [ROW], "row": 1}, 422, "had 'row'"),
        ({"rows": ROW}, 422, "row 0 must be a list of numbers, was a number"),
        ({"rows": []}, 422, "rows must hold at least one, was empty"),
        ({"rows": [ROW] * 51}, 413, "rows must hold at most 50, held 51"),
        ({"rows": [ROW, ROW[:-1]]}, 422, "row 1 must have 12 numbers, one a feature, had 11"),
        ({"rows": [[*ROW[:-1], "1.5"]]}, 422, "row 0 must hold numbers or null, held a text"),
        ({"rows": [[*ROW[:-1], True]]}, 422, "held a truth value"),
        (b'{"rows": [[1e999,0,0,0,0,0,0,0,0,0,0,0]]}', 400, "body must be JSON"),
        ({"rows": [ROW], "feature_names": ["a"] * 12}, 422, "feature names must be unique, 'a' repeats"),
        (
            {"rows": [[1.0]], "feature_names": ["a"]},
            422,
            "features must include the 12 that the model reads, had no 'tech_column_0'",
        ),
        ({"features": [{"a": 1.0}, {"b": 1.0}]}, 422, "features 1 must name the same as features 0, did not at 'a'"),
        ({"rows": [ROW], "symbols": ["A", "B"]}, 422, "symbols must name each of the 1 rows, had 2"),
        ({"symbols": "A"}, 422, "symbols must be a list, was a text"),
        ({"symbols": [""]}, 422, "symbols must be texts of 1 to 32 characters, held ''"),
        ({"symbols": ["A"] * 51}, 413, "symbols must hold at most 50, held 51"),
        ({"symbols": ["NOPE"]}, 404, "symbol 'NOPE' has no features"),
        (b" " * 100_001, 413, "body must have at most 100000 bytes, had 100001"),
    ],
)
async def test_request_that_breaks_a_rule_is_told_which(call, body, status_code: int, told: str) -> None:
    answer = await call("POST", "/v1/predict", body, {"x-request-id": "mine"})
    content = answer.json()
    assert told in content["detail"]
    assert answer.status_code == content["status_code"] == status_code
    assert content["timestamp"] == "2023-11-14T22:13:20.000000000Z"
    assert content["request_id"] == "mine"


async def test_body_longer_than_announced_is_refused(call) -> None:
    answer = await call("POST", "/v1/predict", b" " * 100_001, {"content-length": ""})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("columns", "status_code", "told"),
    [
        (None, 400, "body must be an Arrow IPC stream"),
        ({"tech_column_0": [1]}, 422, "column tech_column_0 must be float64, was int64"),
        ({"tech_column_0": [1.0]}, 422, "features must include the 12 that the model reads, had no 'tech_column_1'"),
        ({"tech_column_0": [float("inf")]}, 422, "feature tech_column_0 must be finite or null, was inf in row 0"),
        ({"symbol": ["A"]}, 422, "a column for each feature, had none"),
        ({"tech_column_0": np.zeros(51)}, 413, "rows must hold at most 50, held 51"),
    ],
)
async def test_arrow_body_that_breaks_a_rule_is_told_which(call, columns, status_code: int, told: str) -> None:
    body = b"no stream" if columns is None else as_arrow(columns)
    answer = await call("POST", "/v1/predict", body, {"content-type": ARROW})
    assert (answer.status_code, told in answer.json()["detail"]) == (status_code, True), answer.json()


async def test_another_content_type_method_or_path_gets_the_same_error_body(call) -> None:
    for request, status_code in [
        (("POST", "/v1/predict", b"a,b", {"content-type": "text/csv"}), 415),
        (("GET", "/v1/predict"), 405),
        (("GET", "/nowhere"), 404),
    ]:
        content = (await call(*request)).json()
        assert set(content) == {"detail", "status_code", "timestamp", "request_id"}
        assert content["status_code"] == status_code


async def test_feature_cache_that_cannot_be_reached_is_503_and_shown_by_health(call, features) -> None:
    assert (await call("GET", "/v1/health")).json()["redis"] == "reachable"
    features.reachable = False
    answer = await call("POST", "/v1/predict", {"symbols": ["A"]})
    assert answer.status_code == 503
    assert (await call("GET", "/v1/health")).json()["redis"] == "unreachable"


async def test_health_and_models_tell_of_a_refused_bundle_and_a_swap(
    call, slot: ModelSlot, bundle_paths, tmp_path
) -> None:
    slot.replace(tmp_path / "missing")
    health = (await call("GET", "/v1/health")).json()
    assert health["model_version"] == bundle_paths[0].name
    assert health["refused_bundle"]["path"] == str(tmp_path / "missing")
    assert "manifest.json" in health["refused_bundle"]["reason"]
    slot.replace(bundle_paths[1])
    health = (await call("GET", "/v1/health")).json()
    assert (health["model_version"], health["refused_bundle"]) == (bundle_paths[1].name, None)
    (model,) = (await call("GET", "/v1/models")).json()["models"]
    assert model["version"] == bundle_paths[1].name
    assert model["out_of_sample"]["log_loss"] == slot.loaded.bundle.manifest.test.log_loss
    assert model["label"]["horizon_bars"] == 5


async def test_openapi_describes_the_request_and_the_answer(call) -> None:
    document = (await call("GET", "/openapi.json")).json()
    operation = document["paths"]["/v1/predict"]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/json", ARROW}
    assert {"200", "400", "404", "413", "415", "422", "503"} <= set(operation["responses"])
    assert (await call("GET", "/docs")).status_code == 200


async def test_a_bundle_with_prediction_sets_answers_with_them_and_abstains(
    call, slot: ModelSlot, rows, tmp_path
) -> None:
    rng = np.random.default_rng(0)
    sets = fit_prediction_sets(rng.dirichlet((9, 9, 9), 300), rng.integers(0, 3, 300).astype(np.int8))
    path = write_random_bundle(
        tmp_path, slot.loaded.bundle.feature_names, "catalogue", n_rounds=5, prediction_sets=sets
    )
    slot.replace(path)
    answer = (await call("POST", "/v1/predict", {"rows": as_json(rows)})).json()
    expected = sets.sets(probabilities(answer), UNCERTAINTY.alpha)
    for entry, row in zip(answer["predictions"], expected, strict=True):
        assert entry["prediction_set"] == [
            name for name, is_in in zip(("up", "neutral", "down"), row, strict=True) if is_in
        ]
        assert (entry["abstain_reason"] == "prediction_set") == entry["abstain"]
    assert {entry["abstain"] for entry in answer["predictions"]} == {False, True}
    assert (await call("GET", "/v1/models")).json()["models"][0]["coverage"] == []
