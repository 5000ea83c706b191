"""Ranks and divergences that filters compute are those of SciPy, to the last bit."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.stats import chi2_contingency, rankdata
from sklearn.impute import SimpleImputer

from outcry.market.frame import FloatArray, IntArray
from training.selection.filters import _divergence, _ranks, _spearman, _with_median

VALUES = st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False))


COLUMNS = npst.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 60)), elements=VALUES | st.just(np.nan))


@given(COLUMNS)
def test_ranks_of_known_values_are_those_of_scipy(columns: FloatArray):
    np.testing.assert_array_equal(_ranks(columns), rankdata(columns, axis=1, nan_policy="omit"))


@given(COLUMNS)
def test_correlations_are_those_of_scipy_with_the_median_where_a_value_is_unknown(columns: FloatArray):
    filled = np.stack([_with_median(column) for column in columns])
    ranks = rankdata(filled, axis=1)
    expected = np.eye(len(columns))
    for one, other in combinations(range(len(columns)), 2):
        if np.ptp(ranks[one]) > 0.0 and np.ptp(ranks[other]) > 0.0:
            expected[one, other] = expected[other, one] = np.corrcoef(ranks[one], ranks[other])[0, 1]
    np.testing.assert_allclose(_spearman(columns, _ranks(columns)), expected, atol=1e-6)


@pytest.mark.parametrize("statistic", ["pearson", "log-likelihood"])
@given(table=npst.arrays(np.int64, st.tuples(st.integers(2, 10), st.integers(2, 3)), elements=st.integers(0, 500)))
def test_divergence_is_that_of_scipy(statistic: str, table: IntArray):
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    if table.size == 0 or min(table.shape) < 2:
        return
    assert _divergence(table, statistic) == chi2_contingency(table, correction=False, lambda_=statistic).statistic


@given(npst.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_unknown_values_become_the_median_of_the_known_ones(column: FloatArray):
    imputed = SimpleImputer(strategy="median", keep_empty_features=True).fit_transform(column[:, np.newaxis])
    np.testing.assert_array_equal(_with_median(column), imputed[:, 0])
