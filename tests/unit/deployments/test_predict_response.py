"""Both forms of an answer say the same of its doubts, and nothing where there are none to tell."""

import numpy as np
import orjson
import pyarrow as pa

from deployments.predict_response import Prediction, write_arrow, write_json
from outcry.messages import AbstainReason

PROBABILITY = np.array([[0.7, 0.2, 0.1], [0.4, 0.2, 0.4], [np.nan] * 3])


def test_an_answer_names_set_and_reason_of_each_row_in_both_forms() -> None:
    prediction = Prediction(
        "v", 5, PROBABILITY, ("A", "B", "C"), 1.0,
        sets=np.array([[True, False, False], [True, False, True], [True] * 3]),
        abstain=np.array([0, AbstainReason.PREDICTION_SET, 0], dtype=np.int8),
    )  # fmt: skip
    entries = orjson.loads(write_json(prediction))["predictions"]
    assert [entry["prediction_set"] for entry in entries] == [["up"], ["up", "down"], ["up", "neutral", "down"]]
    assert [entry["abstain"] for entry in entries] == [False, True, False]
    assert [entry["abstain_reason"] for entry in entries] == [None, "prediction_set", None]
    table = pa.ipc.open_stream(write_arrow(prediction)).read_all()
    for name in ("prediction_set", "abstain", "abstain_reason"):
        assert table[name].to_pylist() == [entry[name] for entry in entries]


def test_an_answer_without_sets_and_rules_does_not_speak_of_them() -> None:
    prediction = Prediction("v", 5, PROBABILITY, None, 1.0)
    assert not {"prediction_set", "abstain", "abstain_reason"} & set(
        orjson.loads(write_json(prediction))["predictions"][0]
    )
    assert "abstain" not in pa.ipc.open_stream(write_arrow(prediction)).read_all().column_names
