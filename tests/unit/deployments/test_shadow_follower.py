"""A shadow beside the desk: its forecasts are recorded in order, and nothing that becomes of it reaches the desk."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ray.exceptions import ActorDiedError, RayTaskError

from deployments.client import EnsembleClient
from deployments.frame_answer import FrameAnswer
from outcry.errors import PredictionError, ServiceError
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import build_feature_set
from outcry.market.bar_size import DAY_NS
from outcry.messages import FeatureFrame, Forecast, WindowPart

FEATURE_NAMES = build_feature_set(FeatureSetConfig(), DAY_NS, ("SPY",)).names
N_SYMBOLS = 3
SHADOW_COLUMNS = (4, 2)
CHAMPION, SHADOW = (np.tile(row, (N_SYMBOLS, 1)) for row in ([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]))


class Replica:
    """A handle to a replica with a champion of one column and a shadow, whose answers wait for `is_open`."""

    def __init__(self, *, lookback_bars: int = 1) -> None:
        self.shadow_version = "shadow"
        self.lookback_bars = lookback_bars
        self.is_champion_away = False
        self.failures: dict[int, Exception] = {}
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.asked: list[int] = []
        self.is_asked = asyncio.Event()

    def options(self, **_: Any) -> "Replica":
        return self

    @property
    def predict_frame(self) -> "Replica":
        return self

    @property
    def predict_windows(self) -> "Replica":
        return self

    async def remote(
        self, version: str, rows: np.ndarray, *windows: Any, wants_members: bool, of_shadow: bool = False
    ) -> FrameAnswer:
        if not of_shadow:
            if self.is_champion_away:
                raise PredictionError("away")
            if version != "champion":
                return FrameAnswer("champion", FEATURE_NAMES[:1], None)
            return FrameAnswer("champion", (), CHAMPION, shadow_version=self.shadow_version)
        if version != self.shadow_version:
            names = tuple(FEATURE_NAMES[column] for column in SHADOW_COLUMNS)
            return FrameAnswer(self.shadow_version, names, None, self.lookback_bars)
        seq = int(rows[0, 0]) - SHADOW_COLUMNS[0]
        self.asked.append(seq)
        self.is_asked.set()
        await self.is_open.wait()
        if seq in self.failures:
            raise self.failures[seq]
        np.testing.assert_array_equal(rows, frame(seq).values[:, SHADOW_COLUMNS])
        return FrameAnswer(self.shadow_version, (), SHADOW)


class Desk:
    """A client, and what was recorded of its shadow."""

    def __init__(self, replica: Replica) -> None:
        self.recorded: asyncio.Queue[Forecast] = asyncio.Queue()
        self.client = EnsembleClient(
            lambda: replica,
            FEATURE_NAMES,
            deadline_s=30.0,
            record_shadow=self.recorded.put,  # type: ignore[arg-type]
        )

    async def trade(self, *seqs: int) -> None:
        for seq in seqs:
            await self.client.predict(frame(seq))

    async def next_recorded(self, n: int) -> list[int]:
        found = [await asyncio.wait_for(self.recorded.get(), 30.0) for _ in range(n)]
        for forecast in found:
            np.testing.assert_array_equal(forecast.probability, SHADOW)
        return [forecast.seq for forecast in found]


def frame(seq: int) -> FeatureFrame:
    values = np.arange(N_SYMBOLS * len(FEATURE_NAMES), dtype=float).reshape(N_SYMBOLS, -1) + seq
    return FeatureFrame(seq, seq, values, np.zeros(N_SYMBOLS, dtype=np.bool_), close=np.ones(N_SYMBOLS))


async def test_the_champion_does_not_wait_for_a_shadow_and_says_what_it_says_alone() -> None:
    replica = Replica()
    alone = EnsembleClient(lambda: replica, FEATURE_NAMES, deadline_s=30.0)  # type: ignore[arg-type]
    desk = Desk(replica)
    replica.is_open.clear()
    for seq in range(4):
        found, expected = await desk.client.predict(frame(seq)), await alone.predict(frame(seq))
        assert found.probability.tobytes() == expected.probability.tobytes()
        assert (found.model_version, found.inputs) == (expected.model_version, expected.inputs)
    assert desk.recorded.empty()
    replica.is_open.set()
    assert await desk.next_recorded(4) == [0, 1, 2, 3]


async def test_frames_that_find_eight_others_waiting_are_not_asked_about() -> None:
    replica = Replica()
    desk = Desk(replica)
    replica.is_open.clear()
    await desk.trade(*range(3))
    await replica.is_asked.wait()  # the first is under way, and waits no longer
    await desk.trade(*range(3, 15))
    replica.is_open.set()
    assert await desk.next_recorded(9) == list(range(9))
    await desk.trade(15)
    assert await desk.next_recorded(1) == [15]
    assert replica.asked == [*range(9), 15]


@pytest.mark.parametrize(
    "failure",
    [
        ActorDiedError(),
        RuntimeError("of a library"),
        RayTaskError("predict_frame", "traceback", PredictionError("no")).as_instanceof_cause(),
    ],
)
async def test_a_shadow_that_fails_misses_its_frame_alone(failure: Exception) -> None:
    replica = Replica()
    replica.failures = {1: failure, 2: failure}
    desk = Desk(replica)
    await desk.trade(*range(5))
    assert await desk.next_recorded(3) == [0, 3, 4]


async def test_a_record_that_fails_is_lost_alone() -> None:
    replica = Replica()
    kept: asyncio.Queue[int] = asyncio.Queue()

    async def record(forecast: Forecast) -> None:
        if forecast.seq == 1:
            raise ServiceError("PostgreSQL is gone")
        await kept.put(forecast.seq)

    desk = EnsembleClient(lambda: replica, FEATURE_NAMES, deadline_s=30.0, record_shadow=record)  # type: ignore[arg-type]
    for seq in range(3):
        assert (await desk.predict(frame(seq))).model_version == "champion"
    assert [await asyncio.wait_for(kept.get(), 30.0) for _ in range(2)] == [0, 2]


async def test_frames_without_a_champion_or_a_shadow_are_not_asked_about_and_another_shadow_is_met() -> None:
    replica = Replica()
    desk = Desk(replica)
    await desk.trade(0)
    replica.is_champion_away = True
    await desk.trade(1)
    replica.is_champion_away = False
    await desk.trade(2)
    assert await desk.next_recorded(2) == [0, 2]
    replica.shadow_version = ""
    await desk.trade(3)
    replica.shadow_version = "another"
    await desk.trade(4)
    assert (await asyncio.wait_for(desk.recorded.get(), 30.0)).model_version == "another"
    assert replica.asked == [0, 2, 4]


async def test_windows_of_a_shadow_are_read_while_the_frame_is_under_way() -> None:
    replica = Replica(lookback_bars=7)
    desk = Desk(replica)
    is_read = asyncio.Event()

    async def read_windows(columns: np.ndarray, n_bars: int) -> tuple[WindowPart, ...]:
        is_read.set()
        return (WindowPart(np.arange(N_SYMBOLS), np.arange(2), "a reference"),)

    async def trade(seq: int) -> None:
        is_read.clear()
        await desk.client.predict(replace(frame(seq), windows=read_windows))

    await trade(0)
    assert await desk.next_recorded(1) == [0]
    replica.is_open.clear()
    for seq in (1, 2, 3):
        await trade(seq)
        await asyncio.wait_for(is_read.wait(), 30.0)  # though the shadow still answers an earlier one
    replica.is_open.set()
    assert await desk.next_recorded(3) == [1, 2, 3]
