"""Microstructure columns agree with pandas, NumPy and SciPy on real bars, quotes and trades; the rest is by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
Series = pd.Series
Oracle = Callable[[pd.DataFrame], Series]
MakeMarket = Callable[..., FrameTensor]
Pairs = list[tuple[pd.DataFrame, pd.DataFrame]]


def log_return(b: pd.DataFrame) -> Series:
    return np.log(b.close / b.close.shift())


def _bulk_flow(b: pd.DataFrame) -> Series:
    r = log_return(b)
    deviation = r.rolling(60).apply(lambda x: np.std(x, ddof=1) if np.ptp(x) > 0 else 0.0, raw=True)
    bought = pd.Series(scipy.stats.norm.cdf(r / deviation.where(deviation > 0, np.inf)), index=b.index)
    return (b.volume * (2 * bought - 1)).where(deviation.notna())


def _bulk_imbalance(b: pd.DataFrame, window: int) -> Series:
    return _bulk_flow(b).rolling(window).apply(np.sum, raw=True) / b.volume.rolling(window).apply(np.sum, raw=True)


def _acceleration(b: pd.DataFrame) -> Series:
    mean = b.volume.rolling(5).mean()
    return (mean - 2 * mean.shift(5) + mean.shift(10)) / b.volume.rolling(20).mean()


def _surprise(b: pd.DataFrame) -> Series:
    before = b.volume.shift().rolling(60)
    return ((b.volume - before.mean()) / before.std()).clip(-20, 20)


def _volume_momentum(b: pd.DataFrame, window: int) -> Series:
    now = b.volume.rolling(window).sum()
    return (now - now.shift(window)) / (now + now.shift(window))


def _kyle(b: pd.DataFrame) -> Series:
    r = log_return(b).to_numpy()
    signed = np.sign(r) * b.volume.to_numpy()
    slopes = np.full(len(b), np.nan)
    for t in range(50, len(b)):
        x, y = signed[t - 49 : t + 1], r[t - 49 : t + 1]
        slopes[t] = np.linalg.lstsq(x[:, np.newaxis], y, rcond=None)[0][0]
    return pd.Series(slopes, index=b.index) * b.volume.rolling(50).mean()


def _amihud(b: pd.DataFrame) -> Series:
    illiquidity = (1e6 * log_return(b).abs() / (b.close * b.volume)).where(b.volume > 0, 0.0)
    return illiquidity.where(b.close.shift().notna()).rolling(20).apply(np.mean, raw=True)


def _amihud_zscore(b: pd.DataFrame) -> Series:
    return _amihud(b).rolling(252).apply(lambda x: (x[-1] - x.mean()) / x.std(ddof=1), raw=True)


def _roll(b: pd.DataFrame) -> Series:
    change = b.close.diff()
    covariance = change.rolling(20).cov(change.shift())
    return 2 * np.sqrt((-covariance).clip(lower=0)) / b.close


def _corwin_schultz(b: pd.DataFrame) -> Series:
    """Equations 14 and 18 of Corwin and Schultz (2012), with their adjustment for a gap."""
    last = b.close.shift()
    gap = (last - b.high).clip(lower=0) - (b.low - last).clip(lower=0)
    high, low = b.high + gap, b.low + gap
    beta = np.log(high / low) ** 2 + np.log(b.high / b.low).shift() ** 2
    gamma = np.log(np.maximum(high, b.high.shift()) / np.minimum(low, b.low.shift())) ** 2
    k = 3 - 2 * np.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / k - np.sqrt(gamma / k)
    spread = 2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))
    return spread.clip(lower=0).rolling(20).apply(np.mean, raw=True)


def _abdi_ranaldo(b: pd.DataFrame) -> Series:
    close, middle = np.log(b.close), (np.log(b.high) + np.log(b.low)) / 2
    squares = 4 * (close.shift() - middle.shift()) * (close.shift() - middle)
    return np.sqrt(squares.clip(lower=0)).rolling(20).apply(np.mean, raw=True)


BAR_ORACLES: dict[str, Oracle] = {
    "micro_imbalance_20_bulk": lambda b: _bulk_imbalance(b, 20),
    "micro_imbalance_60_bulk": lambda b: _bulk_imbalance(b, 60),
    "micro_volume_5_20_acceleration": _acceleration,
    "micro_volume_60_surprise": _surprise,
    "micro_volume_60_unusual": lambda b: (_surprise(b) > 3).astype(float).where(_surprise(b).notna()),
    "micro_volume_10_momentum": lambda b: _volume_momentum(b, 10),
    "micro_volume_20_momentum": lambda b: _volume_momentum(b, 20),
    "micro_kyle_50_lambda": _kyle,
    "micro_amihud_20_mean": _amihud,
    "micro_amihud_20_252_zscore": _amihud_zscore,
    "micro_amihud_20_252_percentile": lambda b: _amihud(b).rolling(252).rank(method="max", pct=True),
    "micro_roll_20_spread": _roll,
    "micro_corwin_schultz_20_spread": _corwin_schultz,
    "micro_abdi_ranaldo_20_spread": _abdi_ranaldo,
}
TOLERANCES = {
    # pandas carries its sums over the whole history and loses digits
    **dict.fromkeys(("micro_volume_5_20_acceleration", "micro_volume_60_surprise"), 1e-7),
    **dict.fromkeys(("micro_volume_10_momentum", "micro_volume_20_momentum"), 1e-7),
    "micro_roll_20_spread": 1e-6,
    "micro_abdi_ranaldo_20_spread": 1e-7,  # the root of a product that rounding makes 0 or not
    "micro_corwin_schultz_20_spread": 1e-8,
}


def compute(
    frames: FrameTensor, sessions: Sessions, windows: dict[str, object] | None = None, n_symbols: int = 3
) -> Pairs:
    """Return of each symbol the bars and the tape that it has, without gaps, and the columns after each bar."""
    features = build_feature_set(FeatureSetConfig(groups=("micro",), windows=windows or {}), MINUTE_NS)
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(min(n_symbols, frames.n_symbols)):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        if frames.tape is not None:
            bars[list(TAPE_FIELDS)] = frames.tape[has, i]
        pairs.append((bars, pd.DataFrame(values[has, i], columns=features.names)))
    return pairs


def held(expected: Series, bars: int) -> Series:
    """Keep every so many-th value from the first in place of those after it."""
    first = int(np.argmax(np.isfinite(expected)))
    return expected.where((np.arange(len(expected)) - first) % bars == 0).ffill()


def agree(values: Series, expected: Series, tolerance: float) -> None:
    has = np.isfinite(expected)
    assert has.sum() > 300
    scale = float(expected[has].abs().median())
    np.testing.assert_allclose(values[has], expected[has], rtol=tolerance, atol=tolerance * max(scale, 1e-6))


@pytest.fixture(scope="module", params=["daily", "intraday"])
def on_bars(request: pytest.FixtureRequest) -> Pairs:
    return compute(request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_sessions"))


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(BAR_ORACLES))
def test_a_column_of_bars_agrees_with_its_oracle(name: str, on_bars: Pairs) -> None:
    for bars, values in on_bars:
        expected = BAR_ORACLES[name](bars)
        expected = held(expected, 5) if "_252_" in name else expected  # computed every 5 bars
        agree(values[name], expected, TOLERANCES.get(name, 1e-9))


@pytest.mark.realdata
def test_columns_of_the_tape_are_nan_without_one(on_bars: Pairs) -> None:
    for _, values in on_bars:
        assert values[[*QUOTE_ORACLES, *TRADE_ORACLES]].isna().all(axis=None)


def _quoted(b: pd.DataFrame) -> pd.DataFrame:
    quoted = b.where((b.bid > 0) & (b.ask >= b.bid))
    return quoted.assign(mid=(quoted.bid + quoted.ask) / 2, depth=quoted.bid_size + quoted.ask_size)


def _over(b: pd.DataFrame, x: Series, window: int) -> Series:
    """Average what is known of the last `window` bars."""
    return x.rolling(window, min_periods=1).mean().where(np.arange(len(b)) >= window - 1)


def _microprice(b: pd.DataFrame) -> Series:
    q = _quoted(b)
    return (q.bid * q.ask_size + q.ask * q.bid_size) / q.depth / q.mid - 1


def _spread(b: pd.DataFrame) -> Series:
    q = _quoted(b)
    return (q.ask - q.bid) / q.mid


def _effective(b: pd.DataFrame) -> Series:
    return 2 * (b.close - _quoted(b).mid).abs() / _quoted(b).mid


def _depth(b: pd.DataFrame) -> Series:
    return _quoted(b).depth / _over(b, _quoted(b).depth, 20)


QUOTE_ORACLES: dict[str, Oracle] = {
    "micro_quote_1_spread": _spread,
    "micro_quote_1_mid": lambda b: b.close / _quoted(b).mid - 1,
    "micro_quote_1_effective": _effective,
    "micro_quote_1_imbalance": lambda b: (_quoted(b).bid_size - _quoted(b).ask_size) / _quoted(b).depth,
    "micro_quote_1_microprice": _microprice,
    "micro_quote_20_spread": lambda b: _over(b, _spread(b), 20),
    "micro_quote_20_effective": lambda b: _over(b, _effective(b), 20),
    "micro_quote_20_depth": _depth,
}


def _trade_imbalance(b: pd.DataFrame, window: int) -> Series:
    known = b.volume.where(b.buy_volume.notna())
    return _over(b, 2 * b.buy_volume - b.volume, window) / _over(b, known, window)


def _trade_size(b: pd.DataFrame, window: int) -> Series:
    return _over(b, b.volume.where(b.trades.notna()), window) / _over(b, b.trades, window)


def _trade_kyle(b: pd.DataFrame, window: int) -> Series:
    flow = 2 * b.buy_volume - b.volume
    slope = _over(b, log_return(b) * flow, window) / _over(b, flow**2, window)
    slope = slope.where(_over(b, flow**2, window) != 0, 0.0)  # the only known bar may be balanced
    return (slope * _over(b, b.volume.where(flow.notna()), window)).where(np.arange(len(b)) >= window)


TRADE_ORACLES: dict[str, Oracle] = {
    **{f"micro_imbalance_{w}_trades": lambda b, w=w: _trade_imbalance(b, w) for w in (20, 60)},
    **{f"micro_trade_{w}_size": lambda b, w=w: _trade_size(b, w) for w in (20, 60)},
    **{f"micro_trade_{w}_ratio": lambda b, w=w: b.volume / b.trades / _trade_size(b, w) for w in (20, 60)},
    **{f"micro_kyle_{w}_trades": lambda b, w=w: _trade_kyle(b, w) for w in (20, 60)},
}


@pytest.fixture(scope="module")
def tape(market_data_dir: Path) -> FrameTensor:
    """Minute bars of BAC in October 2013 with its quotes, and its trades on three days; buyers by the tick rule."""
    is_bac = pl.col("symbol") == "BAC"
    bars = pl.read_parquet(market_data_dir / "us_equities_1min_lean.parquet").filter(is_bac)
    quotes = pl.read_parquet(market_data_dir / "us_equities_1min_quotes_lean.parquet").filter(is_bac)
    ticks = pl.read_parquet(market_data_dir / "us_equities_trades_lean.parquet").filter(is_bac)
    sign = pl.col("price").diff().sign().replace(0, None).forward_fill().fill_null(0)
    a_minute = (
        ticks.with_columns(ts=pl.col("ts").dt.truncate("1m"), bought=pl.col("size") * (sign > 0))
        .group_by("ts")
        .agg(trades=pl.len().cast(float), total=pl.col("size").sum(), bought=pl.col("bought").sum())
    )
    table = (
        bars.join(quotes.select("ts", "bid_close", "ask_close", "bid_size", "ask_size"), on="ts", how="left")
        .join(a_minute, on="ts", how="left")
        .sort("ts")
        .with_columns(buy_volume=pl.col("volume") * pl.col("bought") / pl.col("total"), vwap=pl.col("close"))
    )
    values = {name: table[name].to_numpy()[:, np.newaxis] for name in BAR_FIELDS}
    columns = ("bid_close", "ask_close", "bid_size", "ask_size", "trades", "buy_volume")
    recorded = np.stack([table[name].cast(float).fill_null(np.nan).to_numpy() for name in columns], axis=-1)
    close_ns = table["ts"].dt.epoch("ns").to_numpy() + MINUTE_NS
    present = np.ones((len(table), 1), dtype=bool)
    return FrameTensor(0, close_ns, **values, present=present, tape=recorded[:, np.newaxis])


@pytest.fixture(scope="module")
def on_tape(tape: FrameTensor) -> tuple[pd.DataFrame, pd.DataFrame]:
    closes = tape.ts_close_ns[-1:]
    return compute(tape, Sessions(closes - 390 * MINUTE_NS, closes, closes - 960 * MINUTE_NS, np.array([0])))[0]


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(QUOTE_ORACLES | TRADE_ORACLES))
def test_a_column_of_the_tape_agrees_with_pandas(name: str, on_tape: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    bars, values = on_tape
    expected = (QUOTE_ORACLES | TRADE_ORACLES)[name](bars)
    # pandas carries its sums over the whole history and loses digits.
    agree(values[name], expected, 1e-6)
    np.testing.assert_array_equal(values[name].isna(), expected.isna())


def test_every_column_but_pin_has_an_oracle() -> None:
    names = set(build_feature_set(FeatureSetConfig(groups=("micro",)), MINUTE_NS).names)
    assert names == {*BAR_ORACLES, *QUOTE_ORACLES, *TRADE_ORACLES, "micro_pin_60_value"}


NAN = np.nan
QUOTE = ("micro_quote_1_spread", "micro_quote_1_mid", "micro_quote_1_imbalance", "micro_quote_1_microprice")


@pytest.mark.parametrize(
    ("bid", "ask", "bid_size", "ask_size", "expected"),
    [
        (9.9, 10.1, 300.0, 100.0, (0.02, 0.01, 0.5, 0.005)),
        (10.1, 10.1, 300.0, 100.0, (0.0, 0.0, 0.5, 0.0)),  # locked
        (10.2, 10.1, 300.0, 100.0, (NAN, NAN, NAN, NAN)),  # crossed
        (NAN, 10.1, 300.0, 100.0, (NAN, NAN, NAN, NAN)),  # one side
        (0.0, 10.1, 300.0, 100.0, (NAN, NAN, NAN, NAN)),
        (9.9, 10.1, NAN, 100.0, (0.02, 0.01, NAN, NAN)),
        (9.9, 10.1, 0.0, 0.0, (0.02, 0.01, 0.0, 0.0)),
    ],
)
def test_a_quote_counts_where_it_is_whole(
    make_market: MakeMarket,
    around_the_clock: Sessions,
    bid: float,
    ask: float,
    bid_size: float,
    ask_size: float,
    expected: tuple[float, ...],
) -> None:
    frames = make_market(1, 2, 1, absent_frac=0.0)
    tape = np.array([[9.0, 9.5, 1.0, 1.0, NAN, NAN], [bid, ask, bid_size, ask_size, NAN, NAN]])[:, np.newaxis]
    price = np.full((2, 1), 10.1)
    marked = replace(frames, close=price, open=price, high=price, low=price, tape=tape)
    values = compute(marked, around_the_clock)[0][1].iloc[-1]
    np.testing.assert_allclose(values[list(QUOTE)].to_numpy(), expected, atol=1e-15)


@pytest.mark.realdata
def test_pin_is_the_share_of_one_sided_volume_of_the_sessions_that_are_over(
    intraday: FrameTensor, intraday_sessions: Sessions
) -> None:
    frames = replace(intraday, tape=np.full((*intraday.present.shape, 6), NAN))
    frames.tape[..., 5] = 0.25 * intraday.volume  # type: ignore[index]
    frames.tape[::3, :, 5] = NAN  # type: ignore[index]
    pairs = compute(frames, intraday_sessions, {"pin": [20]})
    for i, (bars, values) in enumerate(pairs):
        ts = intraday.ts_close_ns[intraday.present[:, i]]
        session = pd.Series(np.searchsorted(intraday_sessions.close_ns, ts))
        is_open = ts > intraday_sessions.open_ns[session]
        r = log_return(bars)
        deviation = r.rolling(60, min_periods=2).apply(lambda x: np.nanstd(x, ddof=1) if np.nanstd(x) > 0 else np.inf)
        bulk = bars.volume * (2 * scipy.stats.norm.cdf(r / deviation) - 1)
        flow = (2 * bars.buy_volume - bars.volume).where(bars.buy_volume.notna(), bulk.fillna(0.0))
        over = pd.DataFrame({"flow": flow, "volume": bars.volume})[is_open].groupby(session[is_open]).sum()
        pin = (over.flow.abs().rolling(20).sum() / over.volume.rolling(20).sum()).shift()
        expected = session.map(pin).where(is_open).ffill()
        agree(values["micro_pin_20_value"], expected, 1e-9)
        np.testing.assert_array_equal(values["micro_pin_20_value"].isna(), expected.isna())


def test_a_market_without_volume_and_change_has_the_documented_values(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    frames = make_market(1, 400, 1, absent_frac=0.0)
    price = np.full(frames.present.shape, 12.34)
    still = replace(frames, open=price, high=price, low=price, close=price, volume=0.0 * price)
    values = compute(still, around_the_clock, {"pin": [5]})[0][1].iloc[-1]
    for name in (*BAR_ORACLES, "micro_pin_5_value"):
        assert values[name] == (1.0 if name.endswith("_percentile") else 0.0), name
    burst = replace(still, volume=np.where(np.arange(400)[:, np.newaxis] == 399, 500.0, 100.0))
    assert compute(burst, around_the_clock)[0][1]["micro_volume_60_surprise"].iloc[-1] == 20.0


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_flow_that_is_all_bought_is_an_imbalance_of_one(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int
) -> None:
    frames = make_market(seed, 120, 1)
    tape = np.full((120, 1, 6), NAN)
    tape[..., 4], tape[..., 5] = 10.0, frames.volume
    values = compute(replace(frames, tape=tape), around_the_clock)[0][1]
    last = values.iloc[-1]
    volume = frames.volume[frames.present[:, 0], 0]
    assert last["micro_imbalance_20_trades"] == pytest.approx(1.0)
    assert last["micro_trade_20_size"] == pytest.approx(volume[-20:].mean() / 10.0)


def test_windows_in_the_wrong_order_are_refused() -> None:
    config = FeatureSetConfig(groups=("micro",), windows={"bulk_imbalance": [[60, 20]]})
    with pytest.raises(ConfigurationError, match=r"windows\.bulk_imbalance: short must be at most long, 20, was 60"):
        build_feature_set(config, MINUTE_NS)
