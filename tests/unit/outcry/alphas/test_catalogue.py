"""An alpha is found by its kind and its windows; settings that cannot be are told."""

import pytest
from pydantic import ValidationError

from outcry.alphas.catalogue import ALPHAS, find_alpha
from outcry.alphas.config import AlphasConfig
from outcry.errors import ConfigurationError


def test_a_name_gives_the_alpha_that_bears_it() -> None:
    assert all(find_alpha(name).name == name for name in ALPHAS)
    assert find_alpha("momentum_120_5").reads == ("stat_return_120_close", "stat_return_5_close")
    assert tuple(f"alpha_{name}" for name in AlphasConfig().names) == tuple(ALPHAS)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("luck_3", "must be one of momentum"),
        ("reversal", "must have 1 windows"),
        ("momentum_1_2_3", "must have 1 or 2 windows"),
        ("reversal_x", "of whole bars"),
        ("reversal_0", "of whole bars"),
        ("momentum_5_5", "skip_bars must be below lookback_bars 5"),
    ],
)
def test_a_name_that_says_no_alpha_is_refused(name: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        find_alpha(name)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"names": ("rsi_2", "alpha_rsi_2")}, "different alphas"),
        ({"names": (), "forecast": False}, "must hold an alpha"),
        ({"names": ("rsi_2",), "max_weight": 0.4}, "must let 2 alphas sum"),
        ({"review_frames": 300}, "at most window_frames"),
        ({"winsor_frac": 0.5}, "less than 0.5"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        AlphasConfig(**values)
