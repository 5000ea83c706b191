"""Training windows are changed, the bar of the decision is left where it is."""

import pytest
import torch
from torch import Tensor

from outcry.models.families.lstm import LSTMParams
from outcry.models.neural.augment import augment, warp_magnitude, warp_time


@pytest.fixture
def windows() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(50, 12, 3)


def test_nothing_is_changed_unless_it_is_asked_for(windows: Tensor) -> None:
    assert augment(windows, LSTMParams()) is windows
    changed = augment(windows, LSTMParams(magnitude_warp_sigma=0.1, time_warp_sigma=0.1, noise_sigma=0.1))
    assert (changed != windows).any(dim=2).all()


def test_a_masked_row_is_never_that_of_the_decision(windows: Tensor) -> None:
    hidden = (augment(windows, LSTMParams(time_mask_frac=0.5)) == 0.0).all(dim=2)
    assert 0.4 < hidden[:, :-1].float().mean() < 0.6
    assert not hidden[:, -1].any()


def test_warped_time_keeps_both_ends_and_the_order() -> None:
    # the value of a row is its number: what comes out is where it was read
    ramp = torch.arange(12.0).reshape(1, 12, 1).expand(200, 12, 2)
    torch.manual_seed(2)
    place = warp_time(ramp, 0.5)
    torch.testing.assert_close(place[:, 0], ramp[:, 0], rtol=0.0, atol=0.0)
    torch.testing.assert_close(place[:, -1], ramp[:, -1], rtol=0.0, atol=1e-5)
    assert (place.diff(dim=1) > 0.0).all()
    assert (place[..., 0] == place[..., 1]).all()  # channels stay together
    assert 0.3 < (place - ramp).abs().amax(dim=1).mean() < 3.0
    torch.testing.assert_close(warp_time(ramp, 0.0), ramp)


def test_warped_magnitude_is_a_smooth_factor_around_one(windows: Tensor) -> None:
    factor = warp_magnitude(windows, 0.2) / windows
    assert 0.15 < factor[:, 0].std() < 0.25
    assert abs(float(factor.mean()) - 1.0) < 0.05
    # lines between four knots over twelve rows: the slope changes at few places
    bends = factor.diff(dim=1).diff(dim=1).abs() > 1e-3
    assert bends.sum(dim=1).max() <= 4
    assert not torch.equal(factor[..., 0], factor[..., 1])
