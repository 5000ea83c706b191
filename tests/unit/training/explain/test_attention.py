"""Members that attend to bars of a window say which; others are passed over."""

import numpy as np
import pytest

from outcry.errors import PredictionError
from outcry.models.families.lstm import LSTMParams
from outcry.models.neural.model import NeuralModel, build_network
from outcry.models.neural.scaler import WindowScaler
from training.explain.attention import attention_profile
from training.explain.sample import Sample

WINDOWS = np.random.default_rng(0).normal(size=(7, 5, 2)).astype(np.float32)


class Attending:
    """Stand for a network with attention: the more, the larger the first column is."""

    lookback_bars = 3

    def attention(self, windows):
        assert windows.shape == (7, 3, 2)
        odds = np.exp(windows[:, :, 0])
        return odds / odds.sum(axis=1, keepdims=True)


class Without:
    lookback_bars = 3


class Refusing(Attending):
    def attention(self, windows):
        raise PredictionError("lstm must have attention to show it, it has none with these parameters")


def sample(windows=WINDOWS) -> Sample:
    return Sample(np.zeros((7, 2)), windows, np.arange(7), np.zeros(7, dtype=np.int8))


def test_the_profile_is_the_mean_over_rows_of_its_own_window():
    found = attention_profile("lstm", Attending(), sample())
    assert found is not None
    assert found.family == "lstm"
    odds = np.exp(WINDOWS[:, 2:, 0].astype(float))
    assert found.mean_frac == pytest.approx((odds / odds.sum(axis=1, keepdims=True)).mean(axis=0), rel=1e-5)
    assert sum(found.mean_frac) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("model", [Without(), Refusing()])
def test_a_member_without_attention_has_no_profile(model):
    assert attention_profile("gru", model, sample()) is None


def test_no_windows_no_profile():
    assert attention_profile("lstm", Attending(), sample(None)) is None


@pytest.mark.parametrize("has_attention", [True, False])
def test_a_network_tells_its_attention(has_attention: bool):
    params = LSTMParams(lookback_bars=4, n_hidden=4, n_layers=1, has_attention=has_attention)
    scaler = WindowScaler(np.zeros(2), np.ones(2), params.clip_sigma, params.has_masks)
    network = build_network("lstm", params, scaler.n_channels)
    found = attention_profile("lstm", NeuralModel("lstm", network, scaler, {}), sample())
    assert (found is not None) is has_attention
    if found is not None:
        assert len(found.mean_frac) == 4
        assert sum(found.mean_frac) == pytest.approx(1.0, abs=1e-5)
