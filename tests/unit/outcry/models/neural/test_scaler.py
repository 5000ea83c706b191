"""Z-scores come from training rows, and what is not known is the mean."""

import numpy as np

from outcry.models.neural.scaler import WindowScaler


def test_scores_are_of_the_training_rows() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(loc=(5.0, -300.0), scale=(2.0, 0.01), size=(20_000, 2))
    scores = WindowScaler.of_rows(rows, 5.0, has_masks=False).transform(rows.astype(np.float32)[:, None])
    np.testing.assert_allclose(scores.mean(axis=(0, 1)), 0.0, atol=0.02)
    np.testing.assert_allclose(scores.std(axis=(0, 1)), 1.0, atol=0.03)


def test_an_outlier_does_not_set_the_scale() -> None:
    rows = np.random.default_rng(0).normal(size=(1_000, 1))
    rows[17] = 1e12
    scaler = WindowScaler.of_rows(rows, 5.0, has_masks=False)
    assert 0.9 < scaler.per_deviation[0] < 1.2
    assert scaler.transform(rows.astype(np.float32)[:, None]).max() == 5.0


def test_what_is_unknown_constant_or_never_known_is_nought_and_masks_say_so() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 4))
    rows[:, 1], rows[:, 2], rows[3, 0] = 7.0, np.nan, np.nan
    scaler = WindowScaler.of_rows(rows, 5.0, has_masks=True)
    found = scaler.transform(rows.astype(np.float32)[:, None])
    assert found.shape == (100, 1, 8)
    assert found[3, 0, 0] == 0.0
    assert not found[:, 0, 1:3].any()
    np.testing.assert_array_equal(found[3, 0, 4:], (0.0, 1.0, 0.0, 1.0))
    # another value than that of training is as unexpected as any, and says nothing
    assert scaler.transform(np.full((1, 1, 4), 9.0, dtype=np.float32))[0, 0, 1] == 0.0
