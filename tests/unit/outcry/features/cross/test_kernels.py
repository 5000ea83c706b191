"""Order statistics, eigenvectors, clusters and shrinkage agree with NumPy, SciPy and scikit-learn on any input."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata
from sklearn.covariance import ledoit_wolf_shrinkage

from outcry.features.cross import clusters, factors, network, order, precision
from outcry.features.kernels import sorted_window
from outcry.market.frame import FloatArray

seeds = st.integers(0, 2**32 - 1)
samples = st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.1, 0.25, 3.0]) | st.floats(-5.0, 5.0), min_size=1, max_size=40)


@pytest.fixture(autouse=True, scope="module")
def as_python() -> Iterator[None]:
    """Kernels have no wrapper for Python: run their text."""
    patch = pytest.MonkeyPatch()
    for module in (clusters, factors, network, order, precision, sorted_window):
        for name in [n for n in vars(module) if hasattr(getattr(module, n), "py_func")]:
            patch.setattr(module, name, getattr(module, name).py_func)
    yield
    patch.undo()


def standardise(seed: int, n_frames: int, n_symbols: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_frames, 2)) @ rng.normal(size=(2, n_symbols)) + rng.normal(size=(n_frames, n_symbols))
    x -= x.mean(axis=0)
    return x / np.linalg.norm(x, axis=0)


@given(values=samples)
def test_order_statistics_agree_with_numpy(values: list[float]) -> None:
    x, m = np.array([*values, 99.0]), len(values)  # what follows the first m is not looked at
    order.sort_ascending(x, m)
    np.testing.assert_array_equal(x, [*sorted(values), 99.0])
    assert order.middle(x, m) == np.median(values)
    spread = np.median(np.abs(np.array(values) - np.median(values)))
    assert sorted_window.median_deviation(x, m, order.middle(x, m)) == pytest.approx(spread, rel=1e-12, abs=0.0)
    assert sorted_window.sorted_quantile(x, m, 0.1) == pytest.approx(np.percentile(values, 10), rel=1e-12, abs=1e-15)
    ranks = [(sorted_window.count_below(x, m, v) + sorted_window.count_up_to(x, m, v) + 1) / 2 for v in values]
    np.testing.assert_array_equal(ranks, rankdata(values))


@settings(max_examples=20)
@given(seed=seeds, n_frames=st.integers(3, 14), n_symbols=st.integers(1, 20))
def test_the_gram_matrix_has_the_eigenvalues_of_the_correlation_matrix(
    seed: int, n_frames: int, n_symbols: int
) -> None:
    z = standardise(seed, n_frames, n_symbols)
    gram, vectors = np.empty((2, n_frames, n_frames))
    factors.multiply_transposed(z, n_symbols, gram)
    np.testing.assert_allclose(gram, z @ z.T, atol=1e-13)
    whole = gram.copy()
    factors.diagonalise(gram, vectors)
    np.testing.assert_allclose(np.sort(np.diag(gram)), np.linalg.eigvalsh(whole), atol=1e-11)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(n_frames), atol=1e-12)
    np.testing.assert_allclose(vectors.T @ np.diag(np.diag(gram)) @ vectors, whole, atol=1e-11)
    largest = np.linalg.eigvalsh(z.T @ z)[::-1][: min(n_frames, n_symbols)]
    np.testing.assert_allclose(np.sort(np.diag(gram))[::-1][: len(largest)], largest, atol=1e-11)


@settings(max_examples=30)
@given(seed=seeds, n_frames=st.integers(10, 20), n_symbols=st.integers(2, 30))
def test_the_shrinkage_is_that_of_ledoit_and_wolf(seed: int, n_frames: int, n_symbols: int) -> None:
    z = standardise(seed, n_frames, n_symbols)
    expected = ledoit_wolf_shrinkage(z * np.sqrt(n_frames), assume_centered=True)
    assert precision.shrinkage(z @ z.T) == pytest.approx(max(expected, precision.MIN_SHRINKAGE), rel=1e-9)


@settings(max_examples=40)
@given(seed=seeds, n_frames=st.integers(4, 12), n_symbols=st.integers(1, 25))
def test_clusters_are_those_of_average_linkage(seed: int, n_frames: int, n_symbols: int) -> None:
    z = standardise(seed, n_frames, n_symbols)
    rho, distance = np.empty((2, n_symbols, n_symbols))
    network.multiply_columns(z, n_frames, rho)
    expected = z.T @ z
    np.fill_diagonal(expected, 0.0)
    np.testing.assert_allclose(rho, expected, atol=1e-12)
    history, out = np.full((2, n_symbols), n_frames + 1), np.empty((3, n_symbols))
    clusters.write_clusters(history, n_frames, rho, distance, np.empty((4, n_symbols), dtype=np.int64), out)
    label = np.ones(1, dtype=np.int64)
    if n_symbols > 1:
        far = 1.0 - expected
        np.fill_diagonal(far, 0.0)
        label = fcluster(linkage(squareform(far, checks=False), "average"), 0.5, "distance")
    size = np.bincount(label)[label]
    np.testing.assert_allclose(out[0] * n_symbols, size)
    inside = [expected[i, label == label[i]].sum() / max(size[i] - 1, 1) for i in range(n_symbols)]
    np.testing.assert_allclose(out[1], inside, atol=1e-12)


def test_links_without_an_edge_have_no_centre_and_a_star_has_one() -> None:
    history, work, links = np.full((2, 5), 99), np.empty((5, 5)), np.empty((5, 5))
    out = np.empty((2, 5))
    network.write_links(history, 10, np.zeros((5, 5)), links, work, out)
    np.testing.assert_array_equal(out, 0.0)
    star = np.zeros((5, 5))
    star[0, 1:4] = star[1:4, 0] = -0.9  # the fifth is linked to none
    network.write_links(history, 10, star, links, work, out)
    np.testing.assert_allclose(out[0], [0.75, 0.25, 0.25, 0.25, 0.0])
    np.testing.assert_allclose(out[1], [1.0, *[1 / np.sqrt(3)] * 3, 0.0], atol=1e-8)
