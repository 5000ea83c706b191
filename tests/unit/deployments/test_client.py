"""What the desk gets when the served ensemble answers, dies, hangs or refuses."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ray.exceptions import ActorDiedError, RayTaskError
from ray.serve.exceptions import DeploymentUnavailableError

from deployments.client import EnsembleClient
from deployments.frame_answer import FrameAnswer
from outcry.errors import PredictionError
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import build_feature_set
from outcry.market.bar_size import DAY_NS
from outcry.messages import FeatureFrame, Forecast, InputKind, WindowPart

FEATURE_NAMES = build_feature_set(FeatureSetConfig(), DAY_NS, ("SPY",)).names
N_SYMBOLS = 3
PROBABILITY = np.tile([0.5, 0.3, 0.2], (N_SYMBOLS, 1))


class Model:
    """A model in service that reads some of the columns."""

    def __init__(self, version: str, *columns: int, lookback_bars: int = 1) -> None:
        self.version = version
        self.columns = columns
        self.lookback_bars = lookback_bars
        self.rows = np.empty(0)
        self.windows: tuple[Any, ...] = ()

    def answer(self, model_version: str, rows: np.ndarray, *windows: Any) -> FrameAnswer:
        if model_version != self.version:
            return FrameAnswer(self.version, tuple(FEATURE_NAMES[k] for k in self.columns), None, self.lookback_bars)
        self.rows, self.windows = rows, windows
        return FrameAnswer(self.version, (), PROBABILITY)


V1, V2 = Model("v1", 4, 2), Model("v2", 3, 5, 1)
V3 = Model("v3", 6, 0, lookback_bars=7)


class ScriptedHandle:
    """A deployment handle that plays one step of a script a call: a model that answers, an error, or silence (None)."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.n_calls = 0

    def options(self, **_: Any) -> "ScriptedHandle":
        return self

    @property
    def predict_frame(self) -> "ScriptedHandle":
        return self

    @property
    def predict_windows(self) -> "ScriptedHandle":
        return self

    @property
    def remote(self) -> Callable[..., Any]:
        async def call(model_version: str, rows: np.ndarray, *windows: Any, wants_members: bool = False) -> Any:
            self.n_calls += 1
            step = self.script.pop(0)
            if isinstance(step, Model):
                return step.answer(model_version, rows, *windows)
            if step is None:
                await asyncio.Event().wait()
            if isinstance(step, Exception):
                raise step
            return step

        return call


def frame(seq: int = 0) -> FeatureFrame:
    values = np.arange(N_SYMBOLS * len(FEATURE_NAMES), dtype=float).reshape(N_SYMBOLS, -1) + seq
    return FeatureFrame(seq, seq, values, np.zeros(N_SYMBOLS, dtype=np.bool_))


def is_fallback(forecast: Forecast) -> bool:
    return bool(np.isnan(forecast.probability).all()) and not forecast.confidence.any()


@pytest.mark.parametrize("death", [ActorDiedError(), DeploymentUnavailableError(None)])
async def test_replica_that_is_being_replaced_is_asked_again(death: Exception) -> None:
    handle = ScriptedHandle(death, V1, death, V1)
    forecast = await EnsembleClient(handle.options, FEATURE_NAMES, deadline_s=30.0).predict(frame())
    assert np.array_equal(forecast.probability, PROBABILITY)
    assert handle.n_calls == 4


async def test_silence_past_the_deadline_gives_the_fallback_and_its_reason() -> None:
    forecast = await EnsembleClient(ScriptedHandle(None).options, FEATURE_NAMES, deadline_s=0.01).predict(frame())
    assert is_fallback(forecast)
    (fallback,) = forecast.inputs
    assert fallback.kind is InputKind.FORECAST_FALLBACK
    assert fallback.payload["reason"] == "deadline of 0.01 s passed: no answer"


async def test_refusal_by_the_model_gives_the_fallback_at_once() -> None:
    cause = PredictionError("feature tech_x must be finite or NaN, was inf in row 2")
    for refusal in (cause, RayTaskError("predict_frame", "traceback", cause).as_instanceof_cause()):
        handle = ScriptedHandle(refusal)
        client = EnsembleClient(handle.options, FEATURE_NAMES, deadline_s=30.0)
        forecast = await client.predict(frame())
        assert is_fallback(forecast)
        assert forecast.inputs[0].payload["reason"] == str(cause)
        assert handle.n_calls == 1


async def test_swap_is_an_input_of_the_frame_that_saw_it_first() -> None:
    handle = ScriptedHandle(V1, V1, V2, V2, V2)
    client = EnsembleClient(handle.options, FEATURE_NAMES, deadline_s=30.0, model_version="v1")
    inputs = [(await client.predict(frame(seq))).inputs for seq in range(3)]
    assert [[(item.seq, item.kind, dict(item.payload)) for item in each] for each in inputs] == [
        [],
        [(1, InputKind.MODEL_SWAPPED, {"model_version": "v2"})],
        [],
    ]


async def test_the_columns_of_the_model_in_service_are_sent_and_asked_for_once() -> None:
    handle = ScriptedHandle(V1, V1, V1, V2, V2, V2)
    client = EnsembleClient(handle.options, FEATURE_NAMES, deadline_s=30.0)
    for seq, model in enumerate((V1, V1, V2, V2)):
        forecast = await client.predict(frame(seq))
        assert forecast.model_version == model.version
        np.testing.assert_array_equal(model.rows, frame(seq).values[:, model.columns])
    assert handle.script == []


async def test_a_model_that_reads_windows_gets_the_parts_that_the_frame_gives() -> None:
    asked = []
    symbols = np.array([0, 2]), np.array([1])
    parts = tuple(WindowPart(each, np.arange(2), f"reference to {each}") for each in symbols)

    async def read_windows(columns: np.ndarray, n_bars: int) -> tuple[WindowPart, ...]:
        asked.append((columns.tolist(), n_bars))
        return parts

    handle = ScriptedHandle(V1, V1, V3, V3, V3, V1, V1)
    client = EnsembleClient(handle.options, FEATURE_NAMES, deadline_s=30.0)
    frames = [replace(frame(seq), windows=read_windows) for seq in range(4)]
    forecasts = [await client.predict(each) for each in frames]
    assert [forecast.model_version for forecast in forecasts] == ["v1", "v3", "v3", "v1"]
    np.testing.assert_array_equal(V3.rows, frames[2].values[:, V3.columns])
    places, *values = V3.windows
    assert values == [part.values for part in parts]
    assert [each.tolist() for each, _ in places] == [each.tolist() for each in symbols]
    assert asked == [([6, 0], 7)] * 3  # the third was for a model that had gone
    assert handle.script == []


async def test_windows_that_are_not_kept_give_the_fallback_that_says_so() -> None:
    handle = ScriptedHandle(V3)
    forecast = await EnsembleClient(handle.options, FEATURE_NAMES, deadline_s=30.0).predict(frame())
    assert is_fallback(forecast)
    assert "windows of 7 rows must be kept, none are" in forecast.inputs[0].payload["reason"]
