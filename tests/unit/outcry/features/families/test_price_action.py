"""The levels of the session before are checked with pandas; swings and chart patterns with a slow text-book version.

The text-book version looks at each prefix of the bars by itself, and the shapes of the books are drawn by hand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.market.frame import BAR_FIELDS, FloatArray, Frame, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
SPAN, LOOKBACK, ATR = 5, 60, 14
FIRST = SPAN + LOOKBACK + 1

Trade = Callable[..., dict[str, float]]


def build(n_symbols: int = 1) -> FeatureSet:
    config = FeatureSetConfig(groups=("price_action",))
    return build_feature_set(config, 5 * MINUTE_NS, [f"S{i}" for i in range(n_symbols)])


def compute(frames: FrameTensor, sessions: Sessions) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return of each symbol the bars that it has, without gaps, and the columns after each of them."""
    features = build(frames.n_symbols)
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        at = np.searchsorted(sessions.close_ns, frames.ts_close_ns[has])
        bars["session"] = np.where(frames.ts_close_ns[has] > sessions.open_ns[at], at, -1)
        pairs.append((bars, pd.DataFrame(values[has, i], columns=features.names)))
    return pairs


def levels(h: pd.Series, l: pd.Series, c: pd.Series) -> dict[str, pd.Series]:  # noqa: E741 - the low
    p, width = (h + l + c) / 3, h - l
    return {
        "pivot_session_p": p,
        "pivot_session_r1": 2 * p - l,
        "pivot_session_r2": p + width,
        "pivot_session_s1": 2 * p - h,
        "pivot_session_s2": p - width,
        **{f"fibonacci_session_r{n}": p + ratio * width for n, ratio in ((1, 0.382), (2, 0.618))},
        **{f"fibonacci_session_s{n}": p - ratio * width for n, ratio in ((1, 0.382), (2, 0.618))},
        **{f"camarilla_session_r{n}": c + 1.1 * width / part for n, part in ((1, 12), (2, 6), (3, 4), (4, 2))},
        **{f"camarilla_session_s{n}": c - 1.1 * width / part for n, part in ((1, 12), (2, 6), (3, 4), (4, 2))},
    }


@pytest.mark.realdata
def test_pivot_points_are_of_the_session_before(real_market: tuple[FrameTensor, Sessions]) -> None:
    for bars, values in compute(*real_market):
        inside = bars[bars.session >= 0]
        days = inside.groupby("session").agg(h=("high", "max"), l=("low", "min"), c=("close", "last")).shift()
        for name, level in levels(days.h, days.l, days.c).items():
            expected = 1 - inside.session.map(level) / inside.close
            given = values[f"tech_{name}"]
            np.testing.assert_array_equal(given[inside.index].isna(), expected.isna())
            np.testing.assert_allclose(given[inside.index], expected, rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(given, given.where(bars.session >= 0).ffill())


@pytest.fixture
def trade() -> Trade:
    """Return a function that closes a bar of one symbol at a minute of a day; sessions are 09:30 to 16:00."""
    midnight = np.arange(19_723, 19_726, dtype=np.int64) * 1440 * MINUTE_NS
    sessions = Sessions(midnight + 570 * MINUTE_NS, midnight + 960 * MINUTE_NS, midnight, np.array([0, 1, 2]))
    engine = FeatureEngine(build(), 1, sessions, 252.0)

    def trade(day: int, minute: int, high: float, low: float, close: float) -> dict[str, float]:
        fields = (np.array([x]) for x in (close, high, low, close, 100.0, close))
        seq = 0 if engine.last_seq is None else engine.last_seq + 1
        engine.update(Frame(seq, int(midnight[day]) + minute * MINUTE_NS, *fields, np.array([True])))
        row = dict(zip(engine.names, engine.values[0], strict=True))
        return {name: value for name, value in row.items() if "_session_" in name}

    return trade


def test_a_bar_outside_the_session_does_not_move_the_levels(trade: Trade) -> None:
    trade(0, 600, 110, 95, 100)
    assert np.isnan(trade(0, 960, 105, 90, 102)["tech_pivot_session_p"])
    assert np.isnan(trade(1, 500, 500, 1, 400)["tech_pivot_session_p"])  # before the open
    row = trade(1, 575, 104, 100, 100)
    p = (110 + 90 + 102) / 3
    assert row["tech_pivot_session_p"] == pytest.approx((100 - p) / 100)
    assert row["tech_pivot_session_s2"] == pytest.approx((100 - (p - 20)) / 100)
    assert row["tech_camarilla_session_r3"] == pytest.approx((100 - (102 + 1.1 * 20 / 4)) / 100)
    assert trade(1, 1000, 300, 50, 60) == row  # after the close
    assert trade(2, 575, 100, 99, 100)["tech_pivot_session_r2"] == pytest.approx((100 - (304 / 3 + 4)) / 100)


@dataclass
class Turn:
    is_high: bool
    at: int
    price: float


def swings(high: FloatArray, low: FloatArray) -> list[Turn]:
    """Swings in the order they are known; of one bar the high first."""
    found = []
    for at in range(SPAN, len(high) - SPAN):
        before, after = slice(at - SPAN, at), slice(at + 1, at + SPAN + 1)
        if high[at] > high[before].max() and high[at] >= high[after].max():
            found.append(Turn(True, at, high[at]))
        if low[at] < low[before].min() and low[at] <= low[after].min():
            found.append(Turn(False, at, low[at]))
    return found


def zigzag(found: list[Turn]) -> list[Turn]:
    kept: list[Turn] = []
    for turn in found:
        if not kept or kept[-1].is_high != turn.is_high:
            kept.append(turn)
        elif (turn.price > kept[-1].price) if turn.is_high else (turn.price < kept[-1].price):
            kept[-1] = turn
    return kept


def line(t: int, turns: list[Turn]) -> float:
    return float(np.polyval(np.polyfit([t - turn.at for turn in turns], [turn.price for turn in turns], 1), 0))


def side_of(c: float, level: float) -> float:
    """NaN where the close is on the line: rounding then decides."""
    return np.nan if abs(c - level) < 1e-9 * c else float(np.sign(c - level))


def patterns(t: int, c: float, e: float, turns: list[Turn]) -> dict[str, float]:
    """The flags at bar t, as the formulas of the catalogue say."""
    flags = dict.fromkeys(
        (f"{name}_{part}" for name in ("double", "shoulders") for part in ("top", "bottom", "signal")), 0.0
    )
    flags |= dict.fromkeys((f"triangle_{part}" for part in ("ascending", "descending", "symmetric", "signal")), 0.0)
    ends_high = turns[:-1] if turns and not turns[-1].is_high else turns
    ends_low = turns[:-1] if turns and turns[-1].is_high else turns
    for group in (ends_high[-3:], ends_low[-3:]):
        if len(group) == 3 and t - group[0].at <= LOOKBACK:
            _double(group, c, e, flags)
    for group in (ends_high[-5:], ends_low[-5:]):
        if len(group) == 5 and t - group[0].at <= LOOKBACK:
            _shoulders(group, t, c, e, flags)
    if len(turns) >= 4 and t - turns[-4].at <= LOOKBACK:
        _triangle(turns[-4:], t, c, e, flags)
    return flags


def _double(group: list[Turn], c: float, e: float, flags: dict[str, float]) -> None:
    first, middle, last = (turn.price for turn in group)
    low, high = min(first, last), max(first, last)
    if group[0].is_high and high - low <= e and middle < low - 2 * e and c <= high + e:
        flags["double_top"], flags["double_signal"] = 1.0, -1.0 if c < middle else flags["double_signal"]
    if not group[0].is_high and high - low <= e and middle > high + 2 * e and c >= low - e:
        flags["double_bottom"], flags["double_signal"] = 1.0, 1.0 if c > middle else flags["double_signal"]


def _shoulders(group: list[Turn], t: int, c: float, e: float, flags: dict[str, float]) -> None:
    left, neck_1, head, neck_2, right = (turn.price for turn in group)
    neck = line(t, [group[1], group[3]])
    if abs(left - right) > e:
        return
    if group[0].is_high and head > max(left, right) + e and max(neck_1, neck_2) < min(left, right) and c <= head:
        flags["shoulders_top"] = 1.0
        flags["shoulders_signal"] += min(side_of(c, neck), 0.0)
    if not group[0].is_high and head < min(left, right) - e and min(neck_1, neck_2) > max(left, right) and c >= head:
        flags["shoulders_bottom"] = 1.0
        flags["shoulders_signal"] += max(side_of(c, neck), 0.0)


def _triangle(group: list[Turn], t: int, c: float, e: float, flags: dict[str, float]) -> None:
    highs, lows = [turn for turn in group if turn.is_high], [turn for turn in group if not turn.is_high]
    upper, lower = line(t, highs), line(t, lows)
    fall, rise = highs[0].price - highs[1].price, lows[1].price - lows[0].price
    if upper <= lower:
        return
    if abs(fall) <= e and rise > e:
        flags["triangle_ascending"] = 1.0
    elif fall > e and abs(rise) <= e:
        flags["triangle_descending"] = 1.0
    elif fall > e and rise > e:
        flags["triangle_symmetric"] = 1.0
    else:
        return
    above, below = side_of(c, upper), side_of(c, lower)
    flags["triangle_signal"] = 1.0 if above == 1 else -1.0 if below == -1 else 0.0 * (above + below)


def textbook(bars: pd.DataFrame) -> Iterator[tuple[int, dict[str, float]]]:
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    atr = talib.ATR(high, low, close, ATR)
    found = swings(high, low)
    known: list[Turn] = []
    turns: list[Turn] = []
    for t in range(len(bars)):
        if n_new := sum(turn.at + SPAN == t for turn in found[len(known) : len(known) + 2]):
            known = found[: len(known) + n_new]
            turns = zigzag(known)
        if t < FIRST - 1:
            continue
        row = patterns(t, close[t], 0.5 * atr[t], turns)
        for side, is_high in (("high", True), ("low", False)):
            near = [turn for turn in known[-40:] if turn.is_high == is_high and t - turn.at <= LOOKBACK]
            row[f"swing_since_{side}"] = t - near[-1].at if near else LOOKBACK
            row[f"swing_{side}"] = (close[t] - near[-1].price) / close[t] if near else 0.0
        yield t, row


def name_of(key: str) -> str:
    kind, part = key.split("_", 1)
    return f"tech_{kind}_{SPAN}_{LOOKBACK}_{part}"


@pytest.mark.realdata
@pytest.mark.parametrize("market", ["daily", "intraday"])
def test_swings_and_patterns_are_those_of_the_textbook(market: str, request: pytest.FixtureRequest) -> None:
    frames, sessions = (
        request.getfixturevalue(market).select(np.arange(4)),
        request.getfixturevalue(f"{market}_sessions"),
    )
    seen: dict[str, float] = {}
    for bars, values in compute(frames, sessions):
        assert values[name_of("swing_high")].first_valid_index() == FIRST - 1
        rows = dict(textbook(bars))
        expected = pd.DataFrame.from_dict(rows, orient="index").rename(columns=name_of)
        given = values.loc[expected.index, list(expected.columns)].where(expected.notna())
        assert expected.isna().sum().sum() < 5
        np.testing.assert_allclose(given, expected, rtol=1e-9, atol=1e-12)
        for column in expected:
            seen[column] = seen.get(column, 0.0) + expected[column].abs().sum()
    assert len(seen) == 14
    assert min(seen.values()) >= 10


def draw(*turns: tuple[int, float]) -> FloatArray:
    """Straight lines between turns (bar, price); the lead has no swings and is long enough for the warm-up."""
    at, price = zip(*turns, strict=True)
    lead = price[0] - 0.25 * np.arange(FIRST, 0, -1)
    return np.concatenate([lead, np.interp(np.arange(at[-1] + 1), at, price)])


def watch(closes: FloatArray) -> pd.DataFrame:
    """The patterns after each bar of the drawing, from its first turn on."""
    price = closes.reshape(-1, 1)
    frames = FrameTensor(
        first_seq=0,
        ts_close_ns=np.arange(1, len(closes) + 1) * MINUTE_NS,
        open=price,
        high=price + 0.125,
        low=price - 0.125,
        close=price,
        volume=np.ones_like(price),
        vwap=price,
        present=np.ones(price.shape, dtype=np.bool_),
    )
    one_session = Sessions(*(np.array([value]) for value in (0, 10_000 * MINUTE_NS, 0, 0)))
    ((_, values),) = compute(frames, one_session)
    return values.iloc[FIRST:].reset_index(drop=True).rename(columns=lambda name: name.replace("_5_60_", "_"))


SHAPES = {
    "double": ((0, 100), (10, 110), (20, 100), (30, 110.25), (45, 95)),
    "shoulders": ((0, 100), (10, 110), (18, 102), (28, 116), (38, 102), (46, 110.25), (60, 96)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_reversal_is_known_when_its_last_swing_is_and_breaks_at_the_neck(shape: str, is_mirrored: bool) -> None:
    turns = SHAPES[shape]
    closes = draw(*turns)
    rows = watch(220 - closes if is_mirrored else closes)
    side, sign = ("bottom", 1) if is_mirrored else ("top", -1)
    flag, signal = rows[f"tech_{shape}_{side}"], rows[f"tech_{shape}_signal"]
    last = turns[-2][0]
    assert not flag[: last + SPAN].any()
    assert flag[last + SPAN : last + 12].all()
    neck = 100 if shape == "double" else 102
    below = closes[FIRST:] < neck
    np.testing.assert_array_equal(signal[last + SPAN :], sign * below[last + SPAN :])
    assert below[last + SPAN :].any()
    other = "top" if is_mirrored else "bottom"
    assert not rows[f"tech_{shape}_{other}"].any()


TRIANGLES = {
    "ascending": ((0, 100), (8, 110), (18, 100), (27, 110), (34, 104), (46, 116)),
    "symmetric": ((0, 110), (8, 120), (18, 104), (27, 116), (35, 108), (49, 122)),
}


@pytest.mark.parametrize("shape", ["ascending", "descending", "symmetric"])
def test_a_triangle_is_known_when_its_fourth_swing_is_and_breaks_where_the_close_leaves_it(shape: str) -> None:
    turns = TRIANGLES["ascending" if shape == "descending" else shape]
    closes = draw(*turns)
    rows = watch(220 - closes if shape == "descending" else closes)
    last = turns[-2][0]
    flag, signal = rows[f"tech_triangle_{shape}"], rows["tech_triangle_signal"]
    assert not flag[: last + SPAN].any()
    assert flag[last + SPAN] == 1
    sign = -1 if shape == "descending" else 1
    assert set(signal[flag == 1]) <= {0, sign}
    assert sign in set(signal[flag == 1])
    for other in {"ascending", "descending", "symmetric"} - {shape}:
        assert not rows[f"tech_triangle_{other}"].any()


def test_an_old_pattern_is_forgotten() -> None:
    closes = draw((0, 100), (10, 110), (20, 100), (30, 110), (36, 105), (120, 104.9))
    flag = watch(closes)["tech_double_top"]
    assert flag[10 + LOOKBACK] == 1
    assert flag[10 + LOOKBACK + 1] == 0
    assert watch(closes)["tech_swing_since_high"].iloc[-1] == LOOKBACK
    assert watch(closes)["tech_swing_high"].iloc[-1] == 0


def test_a_still_market_has_no_swings() -> None:
    rows = watch(np.full(150, 100.0))
    assert (rows[["tech_swing_since_high", "tech_swing_since_low"]] == LOOKBACK).all(axis=None)
    rest = [name for name in rows if "since" not in name and "session" not in name]
    assert (rows[rest] == 0).all(axis=None)
