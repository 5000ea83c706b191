"""What a fitted network says beside its probabilities."""

import subprocess
import sys

import numpy as np
import pytest

from outcry.errors import PredictionError
from outcry.market.frame import Float32Array
from outcry.models.dataset import Dataset
from outcry.models.families.deepar import DeepARParams
from outcry.models.families.lstm import LSTMParams
from outcry.models.families.variational_autoencoder import VariationalAutoencoderParams
from outcry.models.family import FitSettings
from outcry.models.neural.fitting import fit_network
from outcry.models.neural.model import NeuralModel, load_network

QUICK = {"lookback_bars": 14, "max_epochs": 1, "batch_rows": 64, "dropout_frac": 0.3, "importance_rows": 32}


@pytest.fixture(scope="module")
def windows(parts: tuple[Dataset, ...]) -> Float32Array:
    return parts[2].windows_at(slice(0, 40), 14)


@pytest.fixture(scope="module")
def model(parts: tuple[Dataset, ...]) -> NeuralModel:
    params = LSTMParams(**QUICK, n_hidden=8, n_layers=2, has_attention=True, is_bidirectional=True)
    return fit_network("lstm", parts[0], parts[1], params, FitSettings(seed=1))


def test_samples_differ_repeat_and_do_not_know_their_neighbours(model: NeuralModel, windows: Float32Array) -> None:
    samples = model.predict_samples(windows, 3, seed=5)
    assert samples.shape == (3, 40, 3)
    np.testing.assert_allclose(samples.sum(axis=2), 1.0, rtol=0.0, atol=1e-12)
    assert not np.array_equal(samples[0], samples[1])
    np.testing.assert_array_equal(model.predict_samples(windows[[30, 7]], 3, seed=5), samples[:, [30, 7]])
    # sampling leaves nothing behind
    np.testing.assert_array_equal(model.predict_windows(windows), model.predict_windows(windows))


def test_what_is_served_may_be_the_mean_of_samples(parts: tuple[Dataset, ...], windows: Float32Array) -> None:
    params = LSTMParams(**QUICK, n_hidden=8, n_layers=1, n_dropout_samples=4, is_spectral_normed=True)
    fitted = fit_network("lstm", parts[0], parts[1], params, FitSettings(seed=1))
    model = load_network("lstm", LSTMParams, fitted.save(), 3)
    said = model.predict_windows(windows)
    np.testing.assert_allclose(said, model.predict_samples(windows, 4, seed=0).mean(axis=0), rtol=1e-14)
    assert not np.array_equal(said, model.predict_samples(windows, 1, seed=0)[0])
    np.testing.assert_array_equal(model.predict_windows(windows[[30, 7]]), said[[30, 7]])
    np.testing.assert_array_equal(fitted.predict_windows(windows), said)
    with pytest.raises(ValueError, match="n_dropout_samples must be 0 without dropout, was 4"):
        LSTMParams(dropout_frac=0.0, n_dropout_samples=4)


def test_attention_is_shared_among_the_rows(model: NeuralModel, windows: Float32Array) -> None:
    attention = model.attention(windows)
    assert (attention.shape, attention.dtype) == ((40, 14), np.float32)
    np.testing.assert_allclose(attention.sum(axis=1), 1.0, rtol=0.0, atol=1e-5)
    assert model.attention_by_lag is not None
    assert model.attention_by_lag.shape == (14,)


def test_what_a_network_has_not_is_refused(model: NeuralModel, windows: Float32Array) -> None:
    with pytest.raises(PredictionError, match="lstm must be an autoencoder"):
        model.reconstruction_error(windows)
    with pytest.raises(PredictionError, match="lstm must have a distribution of the return"):
        model.return_quantiles(windows, np.array([0.5]))
    with pytest.raises(PredictionError, match=r"windows must have shape \(n_rows, 14, 3\), was \(40, 13, 3\)"):
        model.predict_windows(windows[:, 1:])


def test_values_beyond_all_bounds_do_no_harm(model: NeuralModel, windows: Float32Array) -> None:
    wild = windows.copy()
    wild[0, :5], wild[1, 3], wild[2] = 1e30, -np.inf, np.nan
    probability = model.predict_windows(wild)
    assert np.isfinite(probability).all()
    np.testing.assert_array_equal(probability[3:], model.predict_windows(windows)[3:])
    assert model.predict_windows(windows[:0]).shape == (0, 3)


def test_quantiles_of_the_return_rise(parts: tuple[Dataset, ...], windows: Float32Array) -> None:
    model = fit_network("deepar", *parts[:2], DeepARParams(**QUICK, n_hidden=4, n_layers=1), FitSettings(seed=1))
    quantiles = model.return_quantiles(windows, np.array([0.05, 0.5, 0.95]))
    assert (np.diff(quantiles, axis=1) > 0.0).all()
    assert 0.001 < np.ptp(quantiles, axis=1).mean() < 0.2  # the returns are of the order of 0.01


def test_an_autoencoder_knows_what_it_never_saw(parts: tuple[Dataset, ...], windows: Float32Array) -> None:
    params = VariationalAutoencoderParams(**QUICK | {"max_epochs": 4})
    model = fit_network("variational_autoencoder", *parts[:2], params, FitSettings(seed=1))
    strange = windows + np.where(np.arange(14) % 2, 3.0, -3.0).astype(np.float32)[:, None]
    assert (model.reconstruction_error(strange) > model.reconstruction_error(windows)).mean() > 0.95


def test_who_serves_trees_loads_no_torch() -> None:
    program = (
        "import sys; import configs.training, outcry.models.bundle;"
        "from outcry.models.families import FAMILY_NAMES, find_family; [find_family(name) for name in FAMILY_NAMES];"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
