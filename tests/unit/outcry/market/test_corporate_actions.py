"""Splits and dividends: where they take effect, and what they make of real prices."""

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from outcry.adapters.sources.load import load_market
from outcry.errors import DataNotFoundError, DataValidationError
from outcry.market.calendar import TradingCalendar
from outcry.market.corporate_actions import CorporateAction, attach_actions, total_return
from outcry.market.frame import NO_ACTION, FrameTensor, stack_frames
from outcry.market.source import SourceConfig
from outcry.market.universe import Universe

DAY_NS = 24 * 3600 * 10**9
UNIVERSE = Universe(("AAA", "BBB"), ("Tech", "Tech"))
AROUND_THE_CLOCK = TradingCalendar("24/7")


def frames_of(close, first=dt.date(2020, 1, 1)) -> FrameTensor:
    """Return daily bars of two symbols around the clock; a NaN is a bar that is missing."""
    close = np.asarray(close, float)
    midnight = AROUND_THE_CLOCK.midnight_ns(first)
    columns = dict.fromkeys(("open", "high", "low", "close", "vwap"), close)
    closes_ns = midnight + (1 + np.arange(len(close))) * DAY_NS
    tape = np.tile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], (*close.shape, 1))
    return FrameTensor(0, closes_ns, volume=close * 0 + 100, present=~np.isnan(close), tape=tape, **columns)


def attach(frames, *actions):
    return attach_actions(frames, actions, UNIVERSE, AROUND_THE_CLOCK)


def test_an_action_takes_effect_at_the_bar_of_its_ex_date():
    frames = attach(frames_of([[8, 1], [4, 1], [4, 1]]), CorporateAction("AAA", dt.date(2020, 1, 2), 2.0, 0.5))
    np.testing.assert_array_equal(frames.actions[:, 0], [NO_ACTION, (2.0, 0.5, 2.0), (1.0, 0.0, 2.0)])
    np.testing.assert_array_equal(frames.actions[:, 1], [NO_ACTION] * 3)
    whole = frames.continuous()
    np.testing.assert_array_equal(whole.close[:, 0], [8, 8, 8])
    np.testing.assert_array_equal(whole.volume[:, 0], [100, 50, 50])
    np.testing.assert_array_equal(whole.tape[1, 0], [2, 4, 1.5, 2, 5, 3])
    np.testing.assert_array_equal(whole.actions[1, 0], (1.0, 1.0, 1.0))


def test_an_action_waits_for_a_bar_and_meets_the_next_one_there():
    gap = frames_of([[8, 1], [np.nan, 1], [np.nan, 1], [2, 1]])
    days = [dt.date(2020, 1, day) for day in (2, 3, 4)]
    frames = attach(
        gap,
        CorporateAction("AAA", days[0], 1.0, 0.6),
        CorporateAction("AAA", days[1], 2.0),
        CorporateAction("AAA", days[2], 2.0, 0.1),
    )
    np.testing.assert_allclose(frames.actions[3, 0], (4.0, 0.25, 4.0))
    np.testing.assert_array_equal(frames.actions[1:3, 0], [NO_ACTION, NO_ACTION])


@pytest.mark.parametrize("day", [dt.date(2019, 12, 31), dt.date(2020, 1, 1), dt.date(2020, 1, 9)])
def test_what_happened_before_the_first_bar_or_after_the_last_is_left_out(day):
    assert attach(frames_of([[8, 1], [8, 1]]), CorporateAction("AAA", day, 2.0)).actions is None
    assert attach(frames_of([[8, 1], [8, 1]]), CorporateAction("ZZZ", dt.date(2020, 1, 2), 2.0)).actions is None


def test_frames_are_the_same_one_by_one_and_together():
    frames = attach(frames_of([[8, 1], [4, 1], [4, 2]]), CorporateAction("AAA", dt.date(2020, 1, 2), 2.0))
    assert frames.frame(0).actions is None
    stacked = stack_frames(list(frames))
    np.testing.assert_array_equal(stacked.actions, frames.actions)
    np.testing.assert_array_equal(stack_frames([f.continuous() for f in frames]).close, frames.continuous().close)
    part = frames.select(np.array([1, 0])).rows(1, 3, first_seq=0)
    np.testing.assert_array_equal(part.actions, frames.actions[1:, ::-1])


@pytest.mark.parametrize(
    ("close", "actions", "message"),
    [
        (
            [[8, 1], [8, 1]],
            [("AAA", 2.0, 0.0)],
            r"price of AAA must step by about 0\.5 .* 2020-01-02, stepped by 1: it is adj",
        ),
        ([[8, 1], [4, 1]], [("AAA", 2.0, 0.0)] * 2, "AAA must have one row of 2020-01-02"),
        (
            [[8, 1], [4, 1]],
            [("AAA", 0.0, 0.0)],
            "split_ratio of AAA on 2020-01-02 must be positive and finite, was 0.0",
        ),
        ([[8, 1], [4, 1]], [("AAA", 1.0, -1.0)], "dividend of AAA on 2020-01-02 must not be negative"),
    ],
)
def test_actions_that_contradict_prices_or_one_another_are_refused(close, actions, message):
    with pytest.raises(DataValidationError, match=message):
        attach(frames_of(close), *(CorporateAction(s, dt.date(2020, 1, 2), r, d) for s, r, d in actions))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (None, DataNotFoundError, "market.corporate_actions must be"),
        ("symbol,date,dividend\nAAPL,2010-01-05,1", DataValidationError, "must have the columns symbol, ex_date"),
        ("symbol,ex_date\nAAPL,2010-01-05", DataValidationError, "split_ratio or dividend"),
        ("symbol,ex_date,dividend\nAAPL,5 May,1", DataValidationError, "must be a table of corporate actions"),
        ("symbol,ex_date,dividend\n,2010-01-05,1", DataValidationError, "symbol must be in every row"),
        ("symbol,ex_date,split_ratio\nAAPL,2010-01-05,-2", DataValidationError, "split_ratio of AAPL on 2010-01-05"),
    ],
)
def test_a_file_that_holds_no_corporate_actions_is_refused(tmp_path, text, error, message):
    path = tmp_path / "actions.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=message):
        load_market(SourceConfig(corporate_actions=str(path)))


@pytest.mark.realdata
def test_raw_prices_and_their_actions_give_the_prices_that_are_published_adjusted(market_data_dir, lean_actions):
    source = str(market_data_dir / "us_equities_1d_lean.parquet")
    loaded = load_market(
        SourceConfig(source=source, symbols=("AAPL",), corporate_actions=str(lean_actions), tick=Decimal("0.01"))
    )
    frames, closes = loaded.frames, loaded.frames.continuous().close[:, 0]
    factors = pl.read_parquet(market_data_dir / "corporate_actions_lean.parquet").filter(symbol="AAPL").sort("date")
    day = pl.Series((frames.ts_close_ns - DAY_NS // 2).astype("datetime64[ns]")).cast(pl.Date)
    known = pl.DataFrame({"day": day, "raw": frames.close[:, 0]}).join_asof(
        factors.with_columns(day=pl.col("date").cast(pl.Date)), on="day", strategy="forward"
    )
    published = (known["raw"] * known["split_factor"]).to_numpy()
    assert frames.actions[-1, 0, 2] == pytest.approx(2 * 2 * 7 * 4, rel=1e-4)  # 2000, 2005, 2014 and 2020
    np.testing.assert_allclose(closes / closes[-1], published / published[-1], rtol=1e-4)  # factors have six digits
    whole = frames.continuous()
    grown = total_return(whole.close, whole.actions[..., 1])[:, 0]
    published = published * known["price_factor"].to_numpy()
    np.testing.assert_allclose(grown / grown[-1], published / published[-1], rtol=3e-3)  # at the close, not before it
