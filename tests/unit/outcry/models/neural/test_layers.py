"""Layers keep what their names promise."""

import numpy as np
import pytest
import torch
from scipy import stats

from outcry.models.families.tcn import TCNParams
from outcry.models.neural.layers.convolution import TemporalBlock
from outcry.models.neural.layers.distribution import mass_below, negative_log_density, quantile
from outcry.models.neural.layers.dropout import Dropout
from outcry.models.neural.layers.recurrent import RecurrentStack
from outcry.models.neural.layers.sparse_attention import ProbSparseAttention
from outcry.models.neural.model import build_network

ORACLES = {"gaussian": stats.norm(), "student": stats.t(4)}


@pytest.mark.parametrize("kind", ORACLES)
def test_distributions_are_those_of_scipy(kind: str) -> None:
    place, level = torch.linspace(-6.0, 6.0, 101).double(), torch.linspace(0.001, 0.999, 99).double()
    oracle = ORACLES[kind]
    np.testing.assert_allclose(mass_below(kind, place), oracle.cdf(place.numpy()), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(negative_log_density(kind, place), -oracle.logpdf(place.numpy()), rtol=1e-9)
    np.testing.assert_allclose(quantile(kind, level), oracle.ppf(level.numpy()), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("is_gated", [False, True])
def test_a_causal_block_sees_no_later_bar(is_gated: bool) -> None:
    torch.manual_seed(0)
    block = TemporalBlock(3, 4, 3, 2, drop_frac=0.0, is_gated=is_gated).eval()
    values = torch.randn(2, 3, 20)
    changed = values.clone()
    changed[:, :, 12] += 1.0
    is_moved = (block(changed) != block(values)).any(dim=1).any(dim=0)
    # two convolutions of width 3 and dilation 2 reach back 8 bars
    assert is_moved.nonzero().flatten().tolist() == [12, 14, 16, 18] + ([20] if len(is_moved) > 20 else [])


def test_locked_dropout_hides_a_channel_for_the_whole_window() -> None:
    dropout = Dropout(0.5, is_locked=True).train()
    found = dropout(torch.ones(8, 10, 16))
    assert (found == found[:, :1]).all()
    assert set(found.unique().tolist()) == {0.0, 2.0}
    assert not (found[0] == found[1]).all()


def test_a_backward_direction_reads_the_window_alone() -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(torch.nn.GRU, 3, 4, 2, 0.0, is_bidirectional=True, norm="batch", has_skips=True).eval()
    assert stack(torch.randn(5, 7, 3)).shape == (5, 7, 8)


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU])
def test_dropconnect_thins_what_goes_from_state_to_state_while_training(kind: type) -> None:
    torch.manual_seed(0)
    windows = torch.randn(5, 7, 3)
    stack = RecurrentStack(kind, 3, 4, 1, 0.0, is_bidirectional=True, dropconnect_frac=0.5)
    trained, predicted = stack.train()(windows), stack.eval()(windows)
    # the first row of each direction has no state before it
    torch.testing.assert_close(trained[:, 0, :4], predicted[:, 0, :4])
    torch.testing.assert_close(trained[:, -1, 4:], predicted[:, -1, 4:])
    assert not torch.allclose(trained, predicted)
    stack._dropconnect_frac = 1e-9
    torch.testing.assert_close(stack.train()(windows), predicted)


def test_spectra_are_normed_but_those_of_heads_and_of_normed_weights() -> None:
    network = build_network("tcn", TCNParams(is_spectral_normed=True, n_filters=6, n_blocks=1, dropout_frac=0.0), 4)
    windows = torch.randn(3, 60, 4)
    for _ in range(30):  # a step of the power iteration each
        network.train()(windows)
    block = network.blocks[0]
    assert torch.linalg.matrix_norm(block.residual.weight.flatten(1), 2).item() == pytest.approx(1.0, abs=1e-3)
    assert [name for name, _ in network.named_parameters() if name.startswith("head")] == ["head.weight", "head.bias"]
    assert len(block.first.convolution.parametrizations.weight) == 1


def test_sparse_attention_with_every_query_is_attention() -> None:
    torch.manual_seed(0)
    sparse = ProbSparseAttention(8, 2, factor=100)
    values = torch.randn(3, 6, 8)
    query, key, value = (
        each.view(3, 6, 2, 4).transpose(1, 2) for each in sparse.query_key_value(values).chunk(3, dim=2)
    )
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    found, shares = sparse(values, values)
    torch.testing.assert_close(found, sparse.out(expected.transpose(1, 2).reshape(3, 6, 8)))
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(3, 6))
