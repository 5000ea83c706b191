from decimal import Decimal

import pytest
from pydantic import ValidationError

from outcry.execution.config import BrokerConfig

COSTS = {
    "slippage_bps": 6.0,
    "slippage_volume_bps": 11.0,
    "max_slippage_bps": 40.0,
    "spread_factor": 1.5,
    "impact_factor": 0.5,
    "permanent_factor": 0.2,
    "commission_per_share": 0.01,
    "commission_bps": 2.0,
    "min_commission": 1.5,
    "max_volume_frac": 0.2,
    "commission_tiers": ((100.0, 0.004), (500.0, 0.002)),
    "latency_ms": (70.0, 310.0),
    "latency_frames": 2,
    "borrow_bps_per_year": 40.0,
    "financing_bps_per_year": 500.0,
}
"""None of them is a default."""
OTHERS = {
    "initial_cash": Decimal(5),
    "allow_short": True,
    "max_leverage": 2.0,
    "slippage": "volume",
    "impact": "square_root",
    "window_bars": 7,
    "commission_step": Decimal(0),
    "cash_bps_per_year": 100.0,
}


def assumed(word):
    return dict(BrokerConfig(assumptions=word, **COSTS, **OTHERS).assumed())


def test_the_numbers_here_are_all_that_a_broker_assumes_and_none_is_a_default():
    assert set(BrokerConfig.model_fields) == {"assumptions", *COSTS, *OTHERS}
    defaults = dict(BrokerConfig())
    assert [name for name, value in (COSTS | OTHERS).items() if defaults[name] == value] == []


def test_a_realist_changes_nothing():
    assert assumed("realistic") == {"assumptions": "realistic", **COSTS, **OTHERS}


def test_an_optimist_pays_nothing_waits_for_nothing_and_takes_the_whole_volume():
    nothing = dict.fromkeys(COSTS, 0.0) | {"commission_tiers": (), "latency_ms": (0.0, 0.0), "latency_frames": 0}
    assert assumed("optimistic") == {"assumptions": "realistic", **nothing, "max_volume_frac": 1.0, **OTHERS}


def test_a_pessimist_has_dearer_costs_and_less_volume_and_the_same_latency():
    expected = COSTS | {
        "slippage_bps": 18.0,
        "slippage_volume_bps": 33.0,
        "max_slippage_bps": 120.0,
        "spread_factor": 4.5,
        "impact_factor": 1.5,
        "permanent_factor": pytest.approx(0.6),
        "commission_per_share": 0.02,
        "commission_bps": 4.0,
        "min_commission": 3.0,
        "borrow_bps_per_year": 80.0,
        "financing_bps_per_year": 1_000.0,
        "max_volume_frac": 0.05,
        "commission_tiers": ((100.0, 0.008), (500.0, 0.004)),
    }
    assert assumed("pessimistic") == {"assumptions": "realistic", **expected, **OTHERS}


@pytest.mark.parametrize("word", ["optimistic", "pessimistic"])
def test_what_was_assumed_once_is_not_assumed_again(word):
    once = BrokerConfig(assumptions=word, **COSTS).assumed()
    assert once.assumed() == once


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"latency_ms": (2.0, 1.0)}, r"latency_ms must be two numbers, 0 <= least <= most, was \(2\.0, 1\.0\)"),
        ({"latency_ms": (-1.0, 1.0)}, r"latency_ms must be .*, was \(-1\.0, 1\.0\)"),
        ({"commission_tiers": ((0.0, 0.1),)}, r"commission_tiers must rise from above 0 .*, was \(\(0\.0, 0\.1\),\)"),
        ({"commission_tiers": ((5.0, 0.1), (5.0, 0.2))}, "commission_tiers must rise"),
        ({"commission_tiers": ((5.0, -0.1),)}, "at no negative cost"),
        ({"slippage": "volume", "slippage_bps": 60.0}, r"max_slippage_bps must be at least slippage_bps 60\.0, was 50"),
        ({"assumptions": "pessimistic", "impact_factor": 12.0}, "impact_factor"),
        ({"max_volume_frac": 0.0}, "max_volume_frac"),
        ({"max_volume_frac": 1.01}, "max_volume_frac"),
        ({"window_bars": 1}, "window_bars"),
        ({"initial_cash": 0}, "initial_cash"),
        ({"slippage": "none"}, "slippage"),
        ({"slipage": "fixed"}, "slipage"),
    ],
)
def test_numbers_that_make_no_market_are_refused_by_name(fields, message):
    with pytest.raises(ValidationError, match=message):
        BrokerConfig(**fields)


def test_a_fixed_slippage_needs_no_most():
    assert BrokerConfig(slippage="fixed", slippage_bps=60.0, max_slippage_bps=50.0).slippage_bps == 60
