"""Scores across symbols are those of SciPy and NumPy, and a frame has the same bits alone and among others."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata, zscore

from outcry.alphas.cross_section import rank, standardise, winsorise
from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray

VALUES = st.one_of(
    st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), st.sampled_from([np.nan, np.inf, -np.inf, 0.1, 0.0])
)
FRAMES = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 12)), elements=VALUES)
TOOLS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "standardise": standardise,
    "rank": rank,
    "winsorise": lambda scores: winsorise(scores, 0.1),
}
every_tool = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())


def known_rows(scores: FloatArray) -> list[FloatArray]:
    return [row[np.isfinite(row)] for row in scores]


@given(FRAMES)
def test_standard_scores_are_those_of_scipy(scores: FloatArray) -> None:
    for row, found in zip(known_rows(scores), standardise(scores), strict=True):
        spread = row.std() if row.size else 0.0
        expected = zscore(row, ddof=1) if spread > 1e-9 * np.abs(row).max(initial=0.0) else np.zeros(row.size)
        assert found[np.isfinite(found)] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(FRAMES)
def test_ranks_are_those_of_scipy(scores: FloatArray) -> None:
    for row, found in zip(known_rows(scores), rank(scores), strict=True):
        assert found[np.isfinite(found)] == pytest.approx((2 * rankdata(row) - row.size - 1) / max(row.size, 1))


@given(scores=FRAMES, tail_frac=st.floats(0.0, 0.49))
def test_tails_are_cut_at_the_quantiles_of_numpy(scores: FloatArray, tail_frac: float) -> None:
    for row, found in zip(known_rows(scores), winsorise(scores, tail_frac), strict=True):
        if row.size:
            expected = np.clip(row, *np.quantile(row, [tail_frac, 1.0 - tail_frac]))
            assert found[np.isfinite(found)] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@every_tool
@given(scores=FRAMES)
def test_a_frame_has_the_same_bits_alone(tool: Callable[[FloatArray], FloatArray], scores: FloatArray) -> None:
    together = tool(scores)
    assert (np.isnan(together) == ~np.isfinite(scores)).all()
    for row, found in zip(scores, together, strict=True):
        assert tool(row).tobytes() == found.tobytes()
    strided = np.repeat(scores, 2, axis=1)[:, ::2]
    assert tool(strided).tobytes() == together.tobytes()
    assert tool(scores[None]).shape == (1, *scores.shape)
    assert tool(scores[:0]).shape == (0, scores.shape[1])
    assert tool(scores[:, :0]).shape == (len(scores), 0)


def test_equal_scores_are_zero_though_their_mean_is_rounded() -> None:
    assert standardise(np.array([0.1] * 3)).tolist() == [0.0] * 3
    assert standardise(np.array([3.0])).tolist() == [0.0]
    assert rank(np.array([[2.0, 2.0, np.nan]]))[0, :2].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("tail_frac", [-0.1, 0.5, np.nan])
def test_a_tail_that_is_none_is_refused(tail_frac: float) -> None:
    with pytest.raises(ConfigurationError, match=r"tail_frac must be in \[0, 0\.5\)"):
        winsorise(np.ones((1, 2)), tail_frac)
