"""scikit-learn, SciPy and NumPy are the oracles of the statistics of all pairs, on real bars."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from outcry.features.cross.section import CrossSection
from outcry.market.frame import FloatArray

from .conftest import Bars

pytestmark = pytest.mark.realdata

MARKET = 40
REFITS = (140, 300, 420, 640, 780)  # frames, from 1; three symbols list in frames 101, 302 and 551


@pytest.fixture(scope="module")
def section(real_bars: Bars) -> CrossSection:
    return CrossSection(real_bars.sectors, MARKET)


@pytest.fixture(scope="module")
def values(section: CrossSection, real_bars: Bars) -> FloatArray:
    """Every symbol has a bar in the frames of the refits, so that all rows are of then."""
    present = real_bars.present.copy()
    close, volume = real_bars.close.copy(), real_bars.volume.copy()
    for t in range(1, len(present)):
        if (t + 1) % 20 == 0:
            late = np.isnan(close[: t + 1]).all(axis=0)
            idle = ~present[t] & ~late
            close[t, idle], volume[t, idle], present[t, idle] = _last_close(close[:t])[idle], 0.0, True
    return section.replay(close, volume, present)


def _last_close(close: FloatArray) -> FloatArray:
    last = np.full(close.shape[1], np.nan)
    for row in close:
        last = np.where(np.isnan(row), last, row)
    return last


def window(bars: Bars, frame: int, n: int) -> tuple[FloatArray, FloatArray]:
    """Return the last n log returns (n, n_known), and the columns of the symbols that have them."""
    filled = np.array([_last_close(bars.close[: t + 1]) for t in range(frame - n - 1, frame)])
    known = np.flatnonzero(~np.isnan(filled).any(axis=0))
    return np.diff(np.log(filled[:, known]), axis=0), known


def standardised(x: FloatArray) -> FloatArray:
    deviation = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def pick(section: CrossSection, values: FloatArray, name: str, frame: int) -> FloatArray:
    names = [column.name for column in section.columns]
    return values[frame - 1, :, names.index(name)]


def correlations(x: FloatArray) -> FloatArray:
    z = standardised(x)
    rho = z.T @ z / len(z)
    np.fill_diagonal(rho, 1.0)
    return rho


@pytest.mark.parametrize("frame", REFITS)
def test_loadings_and_ratios_are_those_of_a_principal_component_analysis(
    section: CrossSection, values: FloatArray, real_bars: Bars, frame: int
) -> None:
    x, known = window(real_bars, frame, 60)
    z = standardised(x)
    fit = PCA(n_components=10).fit(z)
    scores = fit.transform(z)
    total = (z.std(axis=0) > 0).sum()
    share = fit.explained_variance_ / total * 59 / 60
    assert pick(section, values, "cross_pca_60_first", frame)[known] == pytest.approx(share[0], rel=1e-9)
    assert pick(section, values, "cross_pca_60_absorption", frame)[known] == pytest.approx(share[:5].sum(), rel=1e-9)
    for k in range(5):
        expected = z.T @ scores[:, k] / np.linalg.norm(scores[:, k]) / np.sqrt(60)
        loading = pick(section, values, f"cross_pca_60_loading{k + 1}", frame)[known]
        sign = np.sign(expected @ loading)
        np.testing.assert_allclose(sign * loading, expected, atol=1e-8)
    residual = x - x.mean(axis=0) - scores[:, :5] @ np.linalg.lstsq(scores[:, :5], x - x.mean(axis=0))[0]
    idiosyncratic = pick(section, values, "cross_idiosyncratic_60_volatility", frame)[known]
    np.testing.assert_allclose(idiosyncratic, np.sqrt((residual**2).sum(axis=0) / 59), rtol=1e-7)


def test_loadings_keep_their_direction_and_change_by_their_difference(
    section: CrossSection, values: FloatArray, real_bars: Bars
) -> None:
    for k in range(1, 6):
        assert np.nansum(pick(section, values, f"cross_pca_60_loading{k}", 80)) > 0.0
    for frame in range(100, 800, 20):
        for k in range(1, 6):
            now = pick(section, values, f"cross_pca_60_loading{k}", frame)
            before = pick(section, values, f"cross_pca_60_loading{k}", frame - 20)
            assert np.nansum(now * before) >= 0.0
            np.testing.assert_array_equal(pick(section, values, f"cross_pca_60_change{k}", frame), now - before)


@pytest.mark.parametrize("frame", REFITS)
def test_partial_correlations_are_those_of_the_precision_of_ledoit_and_wolf(
    section: CrossSection, values: FloatArray, real_bars: Bars, frame: int
) -> None:
    x, known = window(real_bars, frame, 60)
    z = standardised(x)
    moves = z.std(axis=0) > 0
    fit = LedoitWolf(assume_centered=True).fit(z[:, moves])
    assert 0.01 < fit.shrinkage_ < 1.0
    market = list(known[moves]).index(MARKET)
    p = fit.precision_
    expected = -p[market] / np.sqrt(np.diag(p) * p[market, market])
    expected[market] = 1.0
    np.testing.assert_allclose(
        pick(section, values, "cross_partial_60_market", frame)[known[moves]], expected, atol=1e-9
    )


def test_partial_correlations_with_the_mean_of_all_take_it_as_a_series_more(
    section: CrossSection, real_bars: Bars
) -> None:
    of_mean = CrossSection(real_bars.sectors)
    values = of_mean.replay(*real_bars.rows(0, 780))
    x, known = window(real_bars, 780, 60)
    z = standardised(np.column_stack([x, x.mean(axis=1)]))
    p = LedoitWolf(assume_centered=True).fit(z).precision_
    expected = -p[-1, :-1] / np.sqrt(np.diag(p)[:-1] * p[-1, -1])
    has = real_bars.present[779, known]
    assert has.sum() > 20
    np.testing.assert_allclose(
        pick(of_mean, values, "cross_partial_60_market", 780)[known[has]], expected[has], atol=1e-9
    )


@pytest.mark.parametrize("frame", REFITS)
def test_links_and_centrality_are_those_of_the_matrix(
    section: CrossSection, values: FloatArray, real_bars: Bars, frame: int
) -> None:
    x, known = window(real_bars, frame, 120)
    links = (np.abs(correlations(x)) > 0.5) * 1.0
    np.fill_diagonal(links, 0.0)
    degree = pick(section, values, "cross_network_120_degree", frame)[known]
    np.testing.assert_allclose(degree, links.sum(axis=1) / (len(known) - 1), rtol=1e-12)
    centrality = pick(section, values, "cross_network_120_centrality", frame)[known]
    eigenvalues, vectors = np.linalg.eigh(links)
    assert eigenvalues[-1] - eigenvalues[-2] > 0.5
    first = np.abs(vectors[:, -1])
    np.testing.assert_allclose(centrality, first / first.max(), atol=1e-6)  # as near as the power iterations come


@pytest.mark.parametrize("frame", REFITS)
def test_clusters_are_those_of_average_linkage(
    section: CrossSection, values: FloatArray, real_bars: Bars, frame: int
) -> None:
    x, known = window(real_bars, frame, 120)
    rho = correlations(x)
    label = fcluster(linkage(squareform(1.0 - rho, checks=False), "average"), 0.5, "distance")
    sizes = np.bincount(label)
    assert 1 < (sizes > 1).sum() < len(known)
    np.fill_diagonal(rho, np.nan)
    inside = [np.nanmean(rho[i, label == label[i]]) if sizes[label[i]] > 1 else 0.0 for i in range(len(known))]
    rank = [1 + (sizes > sizes[label[i]]).sum() for i in range(len(known))]
    for name, expected in (("share", sizes[label] / len(known)), ("corr", inside), ("rank", rank)):
        np.testing.assert_allclose(pick(section, values, f"cross_cluster_120_{name}", frame)[known], expected)


@pytest.mark.parametrize("frame", REFITS)
def test_contagion_is_the_mean_correlation_with_the_lowest_tenth(
    section: CrossSection, values: FloatArray, real_bars: Bars, frame: int
) -> None:
    x, known = window(real_bars, frame, 120)
    rho = np.abs(correlations(x))
    np.fill_diagonal(rho, np.nan)
    returns = np.expm1(x[-5:].sum(axis=0))
    stressed = returns < np.percentile(returns, 10)
    assert 2 <= stressed.sum() <= 5
    np.testing.assert_allclose(
        pick(section, values, "cross_contagion_120_stressed", frame)[known], np.nanmean(rho[:, stressed], axis=1)
    )
