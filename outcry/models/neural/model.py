"""A fitted network: a block of rows at a time, always of the same size."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from outcry.errors import BundleError, PredictionError
from outcry.market.frame import Float32Array, FloatArray
from outcry.models.neural.archive import pack, unpack
from outcry.models.neural.device import threads
from outcry.models.neural.layers.dropout import sampling
from outcry.models.neural.layers.spectral import norm_spectra
from outcry.models.neural.network import N_CLASSES, CodedNetwork, DistributionNetwork, Network
from outcry.models.neural.params import NeuralParams
from outcry.models.neural.scaler import WindowScaler

BLOCK_ROWS = 8
"""Rows evaluated together, the last block filled up with zeros.

The shape of matrices decides how the sums of their product are grouped, so a row gets its bits from the size of the
block; with most widths not from its place within. MKL takes another path for the last rows of a product where the sums
have a length that is no multiple of 4 and there are 8 columns or fewer: a network that has such a layer is found out
when it is made, and asked row by row. One row costs as much as eight: of 60 bars of 32 features, an LSTM of 64 x 2
takes 1.8 ms for one row and 110 ms for 500, with blocks of sixteen 4.7 and 138.
"""


class NeuralModel:
    """`outcry.models.family.WindowModel` of a network, on the CPU with one thread.

    Parameters
    ----------
    family : str
    network : Network
        Its weights are fitted.
    scaler : WindowScaler
    facts : mapping
        What the JSON file holds beside: ``importance``, ``attention_by_lag``, ``trained``, ``return_scale``.
    """

    def __init__(self, family: str, network: Network, scaler: WindowScaler, facts: Mapping[str, Any]) -> None:
        self.family = family
        self.network = network.cpu().eval().requires_grad_(False)
        self._scaler = scaler
        self._facts = dict(facts)
        self._block_rows = BLOCK_ROWS if self._is_free_of_place() else 1

    @property
    def lookback_bars(self) -> int:
        return self.network.params.lookback_bars

    @property
    def scaler(self) -> WindowScaler:
        return self._scaler

    def with_network(self, network: Network) -> "NeuralModel":
        """Return a model with other weights."""
        return NeuralModel(self.family, network, self._scaler, self._facts)

    @property
    def trained(self) -> dict[str, Any]:
        """Which rows it learnt from, for how many epochs, and the validation log loss of the best."""
        return dict(self._facts["trained"])

    @property
    def attention_by_lag(self) -> FloatArray | None:
        """The mean attention on each row of a window, oldest first, over validation rows; None where it has none."""
        found = self._facts["attention_by_lag"]
        return None if found is None else np.array(found)

    @property
    def return_scale(self) -> float:
        """The deviation of the training returns, a fraction: what the return head counts in."""
        return float(self._facts["return_scale"])

    def predict_windows(self, windows: Float32Array) -> FloatArray:
        n_samples = self.network.params.n_dropout_samples
        if n_samples:
            said = np.zeros((len(windows), N_CLASSES))
            for seed in range(n_samples):  # one after the other: a mean of NumPy groups its sums by the shape
                said += self._sample(windows, seed)
            return said / n_samples
        return self.evaluate(windows, lambda block: torch.softmax(self.network(block).logits.double(), dim=1))

    def predict_samples(self, windows: Float32Array, n_samples: int, seed: int) -> FloatArray:
        """Return what networks say that lack some of the activations (Gal and Ghahramani, "Dropout as a Bayesian
        approximation", 2016).

        Returns
        -------
        float64 (n_samples, n_rows, 3)
            A sample is one thinned network for all rows: a row gets the same bits whatever rows stand beside it.

        Raises
        ------
        PredictionError
            Where the network has no dropout.
        """
        if not self.network.params.dropout_frac:
            raise PredictionError(f"{self.family} must have dropout to be sampled, dropout_frac was 0")
        return np.stack([self._sample(windows, seed + k) for k in range(n_samples)])

    def _sample(self, windows: Float32Array, seed: int) -> FloatArray:
        with sampling(self.network, seed) as draw:

            def ask(block: Tensor) -> Tensor:
                draw()
                return torch.softmax(self.network(block).logits.double(), dim=1)

            return self.evaluate(windows, ask)

    def attention(self, windows: Float32Array) -> Float32Array:
        """Return how much each row of the windows counted for the decision, a mean over heads.

        Returns
        -------
        float32 (n_rows, lookback_bars)
            Rows sum to 1.

        Raises
        ------
        PredictionError
            Where the network has no attention.
        """
        if not self.network.has_attention:
            raise PredictionError(f"{self.family} must have attention to show it, it has none with these parameters")
        return self.evaluate(windows, self.network.attention).astype(np.float32)

    def reconstruction_error(self, windows: Float32Array) -> FloatArray:
        """Return how far each window is from what its code gives back, float64 (n_rows,), a mean of squared z-scores.

        Raises
        ------
        PredictionError
            Where the network is no autoencoder.
        """
        if not isinstance(self.network, CodedNetwork):
            raise PredictionError(f"{self.family} must be an autoencoder to reconstruct a window, it is none")
        return self.evaluate(windows, self.network.reconstruction_error)

    def return_quantiles(self, windows: Float32Array, levels_frac: FloatArray) -> FloatArray:
        """Return quantiles of the return over the horizon, a fraction of the price, float64 (n_rows, n_levels).

        Raises
        ------
        PredictionError
            Where the network has no distribution of the return.
        """
        if not isinstance(self.network, DistributionNetwork):
            raise PredictionError(f"{self.family} must have a distribution of the return, it has none")
        levels = torch.from_numpy(np.asarray(levels_frac, dtype=np.float64))
        network = self.network
        return self.return_scale * self.evaluate(windows, lambda block: network.quantiles(block, levels))

    def evaluate(self, windows: Float32Array, ask: Callable[[Tensor], Any]) -> FloatArray:
        """Return what a function of scaled windows, (n_block_rows, lookback_bars, n_channels), gives for each row.

        Raises
        ------
        PredictionError
            Where the windows have another shape.
        """
        shape = (self.lookback_bars, len(self._scaler.mean))
        if windows.ndim != 3 or windows.shape[1:] != shape:
            raise PredictionError(f"windows must have shape (n_rows, {shape[0]}, {shape[1]}), was {windows.shape}")
        block = torch.zeros(self._block_rows, shape[0], self._scaler.n_channels)
        answers = []
        with threads(1), torch.inference_mode():
            for start in range(0, max(len(windows), 1), self._block_rows):
                found = self._scaler.transform(windows[start : start + self._block_rows])
                block[: len(found)] = torch.from_numpy(found)
                block[len(found) :] = 0.0
                answers.append(ask(block)[: len(found)].double().numpy())
        return np.concatenate(answers)

    def _is_free_of_place(self) -> bool:
        """Whether rows get the same bits in other places of a block, on this machine."""
        shape = (BLOCK_ROWS, self.lookback_bars, self._scaler.n_channels)
        block = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        with threads(1), torch.inference_mode():
            said = self.network(block).logits
            return all(
                torch.equal(self.network(block.roll(n_places, 0)).logits.roll(-n_places, 0), said)
                for n_places in range(1, BLOCK_ROWS)
            )

    def save(self) -> dict[str, bytes]:
        arrays = {f"network.{name}": value.numpy() for name, value in self.network.state_dict().items()}
        arrays |= {"scaler.mean": self._scaler.mean, "scaler.per_deviation": self._scaler.per_deviation}
        facts = {"n_features": len(self._scaler.mean), "params": self.network.params.model_dump(mode="json")}
        return pack(self.family, arrays, facts | self._facts)

    def importance(self) -> FloatArray:
        return np.array(self._facts["importance"])


def build_network(family: str, params: NeuralParams, n_channels: int) -> Network:
    """Return the network of a family, its weights drawn from the generator of torch."""
    network: Network = import_module(f"outcry.models.neural.networks.{family}").build(params, n_channels)
    if params.is_spectral_normed:
        norm_spectra(network)
    return network


def load_network(family: str, schema: type[NeuralParams], files: Mapping[str, bytes], n_features: int) -> NeuralModel:
    """Read what `NeuralModel.save` gave.

    Raises
    ------
    BundleError
        Where it is anything else.
    """
    arrays, facts = unpack(family, files, n_features)
    try:
        params = schema.model_validate(facts["params"])
        kept = {name: facts[name] for name in ("importance", "attention_by_lag", "trained", "return_scale")}
        scaler = WindowScaler(
            arrays.pop("scaler.mean"), arrays.pop("scaler.per_deviation"), params.clip_sigma, params.has_masks
        )
        if {scaler.mean.shape, scaler.per_deviation.shape, (len(kept["importance"]),)} != {(n_features,)}:
            raise BundleError(f"{family} must have a scale and an importance for each of {n_features} features")
        with torch.random.fork_rng(devices=()):
            network = build_network(family, params, scaler.n_channels)
        state = {name.removeprefix("network."): torch.from_numpy(value) for name, value in arrays.items()}
        if any(value.is_floating_point() and not bool(torch.isfinite(value).all()) for value in state.values()):
            raise BundleError(f"{family} must have finite weights")
        network.load_state_dict(state)
    except (KeyError, TypeError, ValidationError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(f"{family} must be stored as it was saved: {type(error).__name__} {reason}") from None
    return NeuralModel(family, network, scaler, kept)
