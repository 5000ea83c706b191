"""Every target reads what it says it reads, and nothing after its last row."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.catalogue import TARGETS, compute_targets, parse_target
from outcry.labels.config import TargetConfig
from outcry.labels.direction import direction_labels, volatility_band
from outcry.labels.target import TargetColumn
from outcry.market.frame import BAR_FIELDS, FrameTensor

KINDS = pytest.mark.parametrize("kind", list(TARGETS))
SHORT = TargetConfig(volatility_window_bars=5, atr_window_bars=4, trend_window_bars=7, kelly_limit_frac=5.0)
HORIZONS = st.integers(2, 9)


def compute(frames: FrameTensor, kind: str, horizon_bars: int, config: TargetConfig = SHORT) -> TargetColumn:
    name = f"target_{kind}_{horizon_bars}"
    return compute_targets(frames, [name], config)[name]


def with_other_prices(frames: FrameTensor, rows: slice, other: FrameTensor) -> FrameTensor:
    """Return `frames` with the bars of `rows` taken from `other`, missing ones included."""
    changed = {name: getattr(frames, name).copy() for name in (*BAR_FIELDS, "present")}
    for name, values in changed.items():
        values[rows] = getattr(other, name)[rows]
    return replace(frames, **changed)


@KINDS
@given(seed=st.integers(0, 10_000), horizon_bars=HORIZONS, cut=st.integers(0, 59))
def test_no_value_depends_on_a_row_after_its_last(
    make_market: Callable[..., FrameTensor], kind: str, seed: int, horizon_bars: int, cut: int
) -> None:
    frames = make_market(seed)
    whole = compute(frames, kind, horizon_bars)
    changed = with_other_prices(frames, slice(cut + 1, None), make_market(seed + 1))
    found = compute(changed, kind, horizon_bars)
    is_settled = (whole.last_row >= 0) & (whole.last_row <= cut)
    assert found.values[is_settled].tobytes() == whole.values[is_settled].tobytes()
    assert found.last_row[is_settled].tolist() == whole.last_row[is_settled].tolist()
    # what is not known once the horizon has passed stays so
    n_passed = max(cut + 1 - horizon_bars, 0)
    assert found.last_row[:n_passed].tolist() == whole.last_row[:n_passed].tolist()


@KINDS
@given(seed=st.integers(0, 10_000), horizon_bars=HORIZONS, cut=st.integers(0, 59))
def test_no_value_depends_on_a_row_before_its_windows(
    make_market: Callable[..., FrameTensor], kind: str, seed: int, horizon_bars: int, cut: int
) -> None:
    frames = make_market(seed)
    changed = with_other_prices(frames, slice(0, cut), make_market(seed + 1))
    lookback_bars = max((getattr(SHORT, name) for name in TARGETS[kind].windows), default=0)
    first = cut + lookback_bars
    expected, found = compute(frames, kind, horizon_bars), compute(changed, kind, horizon_bars)
    assert found.values[first:].tobytes() == expected.values[first:].tobytes()


@KINDS
@given(seed=st.integers(0, 10_000), horizon_bars=HORIZONS)
def test_no_value_depends_on_a_column_that_is_not_named(
    make_market: Callable[..., FrameTensor], kind: str, seed: int, horizon_bars: int
) -> None:
    frames, other = make_market(seed), make_market(seed + 1)
    unread = {name: getattr(other, name) for name in BAR_FIELDS if name not in TARGETS[kind].reads}
    expected = compute(frames, kind, horizon_bars)
    assert compute(replace(frames, **unread), kind, horizon_bars).values.tobytes() == expected.values.tobytes()


@KINDS
@given(seed=st.integers(0, 10_000), horizon_bars=st.integers(2, 80))
def test_a_value_is_known_where_it_has_a_last_row_and_never_in_the_last_rows(
    make_market: Callable[..., FrameTensor], kind: str, seed: int, horizon_bars: int
) -> None:
    frames = make_market(seed)
    column = compute(frames, kind, horizon_bars)
    is_class = bool(TARGETS[kind].classes)
    assert column.values.dtype == (np.int8 if is_class else np.float64)
    assert column.values.shape == column.last_row.shape == frames.close.shape
    is_known = column.values != -1 if is_class else np.isfinite(column.values)
    assert (is_known == (column.last_row >= 0)).all()
    assert not is_known[-horizon_bars:].any()
    assert not is_known[~frames.present].any()
    ahead = (column.last_row - np.arange(len(frames))[:, None])[is_known]
    assert ((ahead >= 1) & (ahead <= horizon_bars)).all()
    if is_class:
        assert (column.values[is_known] < len(TARGETS[kind].classes)).all()
    if "barrier" not in kind:
        assert (ahead == horizon_bars).all()


@KINDS
@pytest.mark.realdata
def test_real_prices_give_every_class_and_finite_values(real_market: FrameTensor, kind: str) -> None:
    column = compute(real_market, kind, 12, TargetConfig())
    values = column.values[column.last_row >= 0]
    assert len(values) > 0.3 * real_market.present.sum()
    if TARGETS[kind].classes:
        frac = np.bincount(values, minlength=len(TARGETS[kind].classes)) / len(values)
        assert (frac > 0.05).all()
    else:
        assert np.isfinite(values).all()
        assert values.std() > 0.0


@KINDS
def test_a_target_names_columns_and_settings_that_exist(kind: str) -> None:
    target = TARGETS[kind]
    assert target.kind == kind
    assert target.formula
    assert target.horizon
    assert (target.unit == "class") == bool(target.classes)
    assert set(target.reads) <= set(BAR_FIELDS)
    assert set(target.windows) <= set(TargetConfig.model_fields)


@pytest.mark.realdata
def test_the_direction_target_is_the_label_the_ensemble_learns(daily: FrameTensor) -> None:
    config = TargetConfig(band_multiple=0.7)
    band_frac = volatility_band(daily.close, 5, 0.7, config.volatility_window_bars)
    found = compute(daily, "direction", 5, config).values
    np.testing.assert_array_equal(found, direction_labels(daily.close, 5, band_frac))


def test_a_symbol_that_is_not_present_has_no_price(make_market: Callable[..., FrameTensor]) -> None:
    frames = make_market(5, absent_frac=0.0)
    present = np.random.default_rng(5).random(frames.present.shape) > 0.2
    hidden = replace(frames, present=present)
    blank = {name: np.where(present, getattr(frames, name), np.nan) for name in BAR_FIELDS}
    for kind in TARGETS:
        expected = compute(replace(frames, present=present, **blank), kind, 4)
        assert compute(hidden, kind, 4).values.tobytes() == expected.values.tobytes()


def test_columns_come_in_the_order_of_the_names(make_market: Callable[..., FrameTensor]) -> None:
    names = ["target_volatility_5", "target_up_1", "target_barrier_return_10"]
    columns = compute_targets(make_market(1), names)
    assert list(columns) == names
    target, horizon_bars = parse_target(names[2])
    assert (target.kind, horizon_bars) == ("barrier_return", 10)


@pytest.mark.parametrize("name", ["up_5", "target_up", "target_up_0", "target_up_05", "target_price_5", "future_up_5"])
def test_a_name_of_another_form_is_refused(make_market: Callable[..., FrameTensor], name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"target must be target_KIND_BARS with a kind of .*, was '{name}'"):
        compute_targets(make_market(1), [name])
