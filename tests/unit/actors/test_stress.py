"""A stress test through the compiled loop: what is joined, where the shock falls, what it costs."""

from pathlib import Path

import numpy as np
import pytest

from actors.stress import join_frames, stress_run
from configs.loader import load_settings
from configs.plan import RunPlan
from outcry.backtest.strategy import AnyStrategy, load_strategy
from outcry.backtest.stress.scenario import StressScenario
from outcry.errors import ConfigurationError
from outcry.market.frame import FrameTensor
from training.prepare import prepare_strategy

HOLD_AFTER_A_WHILE = """
import numpy as np

from outcry.backtest.strategy import MarketView, Strategy


class Late(Strategy):
    columns = ()

    def weights(self, view: MarketView) -> np.ndarray:
        known = view.ts_close_ns[:, None] >= 1_265_000_000 * 10**9
        return np.where(known, 0.05, 0.0) * np.ones(view.close.shape)
"""
CALM = StressScenario(name="calm", shock_sessions=10)
CRASH = StressScenario(name="crash", market_shock_frac=-0.3, shock_sessions=10)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunPlan, AnyStrategy, FrameTensor]:
    folder = tmp_path_factory.mktemp("stress")
    (folder / "late.py").write_text(HOLD_AFTER_A_WHILE)
    strategy = load_strategy(Path(folder / "late.py"), {})
    market = {"source": "sample", "start": "2010-01-04", "end": "2010-06-30"}
    settings = load_settings(assignments=[f"floor.state_dir={folder}"], options={"market": market})
    plan, frames = prepare_strategy(settings, strategy, lambda step, done: None)
    return plan, strategy, frames


def test_a_shock_falls_on_what_is_held(prepared: tuple[RunPlan, AnyStrategy, FrameTensor]) -> None:
    plan, strategy, frames = prepared
    calm, crash = stress_run(plan, None, strategy, frames.rows(0, 0, first_seq=0), frames, (CALM, CRASH))
    assert calm.outcome is not None
    assert crash.outcome is not None
    decided = int(np.searchsorted(frames.ts_close_ns, 1_265_000_000 * 10**9))
    assert crash.outcome.span.start_row == decided + 1
    np.testing.assert_array_equal(calm.outcome.equity, calm.outcome.stressed_equity)
    assert 0.02 < crash.outcome.resilience.shock_loss_frac < 0.3
    assert crash.outcome.resilience.score < 1


def test_the_start_of_a_shock_can_be_chosen(prepared: tuple[RunPlan, AnyStrategy, FrameTensor]) -> None:
    plan, strategy, frames = prepared
    none = frames.rows(0, 0, first_seq=0)
    (crash,) = stress_run(plan, None, strategy, none, frames, (CRASH,), starts_after_ns=int(frames.ts_close_ns[50]))
    assert crash.outcome is not None
    assert crash.outcome.span.start_row == 50
    with pytest.raises(ConfigurationError, match="a shock must start after a traded frame"):
        stress_run(plan, None, strategy, none, frames, (CRASH,), starts_after_ns=0)


def test_warm_up_frames_come_first(prepared: tuple[RunPlan, AnyStrategy, FrameTensor]) -> None:
    frames = prepared[2]
    warmup, traded = frames.rows(0, 30, first_seq=-30), frames.rows(30, len(frames), first_seq=0)
    joined = join_frames(warmup, traded)
    assert joined.first_seq == -30
    np.testing.assert_array_equal(joined.close, frames.close)
    np.testing.assert_array_equal(joined.ts_close_ns, frames.ts_close_ns)
