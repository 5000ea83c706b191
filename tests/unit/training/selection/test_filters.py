"""Filters agree with scikit-learn and pandas where those define the same thing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_selection import VarianceThreshold, chi2
from sklearn.metrics import mutual_info_score

from configs.selection import ChiSquareConfig, CorrelationConfig, MutualInformationConfig, VarianceConfig
from outcry.models.dataset import Dataset
from training.selection.filters import (
    select_by_chi_square,
    select_by_correlation,
    select_by_mutual_information,
    select_by_variance,
)

NEVER_TIED = ("noise_a", "first", "second", "noise_late")


@pytest.mark.parametrize("min_variance", [0.0, 1.02])
def test_variance_is_that_of_scikit_learn(data, config, min_variance) -> None:
    known = data.of_columns([name for name in data.feature_names if name != "never_known"])
    found = select_by_variance(known, VarianceConfig(min_variance=min_variance), config)
    kept = VarianceThreshold(min_variance).fit(known.rows).get_support(indices=True)
    assert set(found.names) == {known.feature_names[k] for k in kept}
    variances = VarianceThreshold(0.5).fit(known.rows).variances_  # at 0 it gives the lesser of variance and range
    np.testing.assert_allclose(list(found.scores.values()), variances, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("name", NEVER_TIED)
def test_mutual_information_is_that_of_bins_of_equal_count_less_its_bias(data, config, name) -> None:
    values = data.rows[:, data.feature_names.index(name)]
    is_known = ~np.isnan(values)
    bins = pd.qcut(values[is_known], 10, labels=False)
    information = mutual_info_score(bins, data.labels[is_known]) - 9 * 2 / (2 * is_known.sum())
    found = select_by_mutual_information(data, MutualInformationConfig(n_bins=10), config)
    assert found.scores[name] == pytest.approx(information * is_known.mean(), rel=1e-9)


@pytest.mark.parametrize("name", NEVER_TIED)
def test_chi_square_is_that_of_scikit_learn_on_bins_of_equal_count(data, config, name) -> None:
    values = data.rows[:, data.feature_names.index(name)]
    is_known = ~np.isnan(values)
    bins = pd.qcut(values[is_known], 5, labels=False)
    statistic = chi2(np.eye(5)[bins], data.labels[is_known])[0].sum()
    found = select_by_chi_square(data, ChiSquareConfig(n_bins=5), config)
    assert found.scores[name] == pytest.approx((statistic - 4 * 2) / len(data), rel=1e-9)


@given(share=st.floats(0.02, 0.98), n_bins=st.integers(2, 20))
def test_the_bins_of_a_flag_are_its_two_values(data_of_flag, config, share, n_bins) -> None:
    data = data_of_flag(share)
    flag = data.rows[:, 0]
    found = select_by_mutual_information(data, MutualInformationConfig(n_bins=n_bins), config)
    expected = mutual_info_score(flag, data.labels) - 1 / (2 * len(data))
    assert found.scores["flag"] == pytest.approx(expected, rel=1e-9)


@pytest.fixture(scope="module")
def data_of_flag():
    def make(share: float) -> Dataset:
        rng = np.random.default_rng(2)
        flag = np.sort(rng.random(400)) < share
        labels = (flag ^ (rng.random(400) < 0.1)).astype(np.int8)
        return Dataset(flag[:, None].astype(float), labels, np.arange(400), ("flag",))

    return make


def test_independent_columns_score_nothing_on_average(config) -> None:
    rng = np.random.default_rng(3)
    names = tuple(f"noise_{k}" for k in range(300))
    noise = Dataset(rng.normal(size=(500, 300)), rng.integers(3, size=500).astype(np.int8), np.arange(500), names)
    for select, step in (
        (select_by_mutual_information, MutualInformationConfig()),
        (select_by_chi_square, ChiSquareConfig()),
    ):
        scores = np.array(list(select(noise, step, config).scores.values()))
        assert abs(scores.mean()) < 3 * scores.std() / np.sqrt(300)


def _blocks() -> np.ndarray:
    """Return 12 columns in blocks that resemble each other more or less, some of them falling where others rise."""
    rng = np.random.default_rng(4)
    rows = np.repeat(rng.normal(size=(900, 4)), 3, axis=1) + rng.normal(size=(900, 12)) * np.tile((0.1, 0.2, 0.8), 4)
    rows[:, 1] *= -1.0
    rows = np.exp(rows)
    rows[rng.random(rows.shape) < 0.02] = np.nan
    return rows


def _chain() -> np.ndarray:
    """Return 12 columns of which each resembles its neighbours, and less the further away."""
    steps = np.random.default_rng(4).normal(size=(900, 12)) * np.array([1.5, *[1.0, 0.7, 1.3] * 3, 1.0, 0.5])
    return np.cumsum(steps, axis=1)


@pytest.mark.parametrize("rows", [_blocks(), _chain()], ids=["blocks", "chain"])
@pytest.mark.parametrize("least", [0.6, 0.8, 0.9])
def test_one_column_of_each_complete_cluster_stays_the_one_that_says_most_of_the_label(rows, config, least) -> None:
    labels = (np.nan_to_num(rows[:, 0] + rows[:, 3]) > 1.0).astype(np.int8)
    names = tuple(f"c{k}" for k in range(12))
    data = Dataset(rows, labels, np.arange(900), names)
    table = pd.DataFrame(rows)
    rho = table.fillna(table.median()).corr("spearman").abs().to_numpy()
    clustering = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="complete", distance_threshold=1.0 - least
    )
    cluster = clustering.fit_predict(1.0 - rho)
    assert 2 <= clustering.n_clusters_ < 12
    found = select_by_correlation(data, CorrelationConfig(min_abs_spearman=least), config)
    information = select_by_mutual_information(data, MutualInformationConfig(), config).scores
    best = {
        max(np.flatnonzero(cluster == c), key=lambda k: information[f"c{k}"]) for c in range(clustering.n_clusters_)
    }
    assert set(found.names) == {f"c{k}" for k in best}
    assert found.scores == information


def test_of_columns_alike_in_all_the_first_stays(data, config) -> None:
    names = ("first", "copy", "fallen", "second")
    first, second = (data.rows[:, data.feature_names.index(name)] for name in ("first", "second"))
    alike = Dataset(np.column_stack((first, first, -(first**3), second)), data.labels, data.frame, names)
    constant = Dataset(alike.rows, np.zeros_like(alike.labels), alike.frame, names)
    assert set(select_by_correlation(constant, CorrelationConfig(), config).names) == {"first", "second"}
    assert "fallen" not in select_by_correlation(alike, CorrelationConfig(), config).names
