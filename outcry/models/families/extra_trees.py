"""Extremely randomised trees: each test the best of a few drawn thresholds; scikit-learn fits it."""

from typing import TYPE_CHECKING, Any

from outcry.models.sklearn_trees import ForestFamily, ForestParams

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier


class ExtraTreesParams(ForestParams):
    """See `ForestParams`; a test looks at one threshold of each column.

    A tree sees every row, or where `subsample_frac` is below 1 draws as many with replacement.
    """


class ExtraTrees(ForestFamily):
    """`outcry.models.family.Family`.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
    """

    name = "extra_trees"
    params = ExtraTreesParams

    def build(self, params: ExtraTreesParams, **options: Any) -> "ExtraTreesClassifier":
        from sklearn.ensemble import ExtraTreesClassifier

        is_drawn = params.subsample_frac < 1.0
        max_samples = params.subsample_frac if is_drawn else None
        return ExtraTreesClassifier(bootstrap=is_drawn, max_samples=max_samples, **options)


FAMILY = ExtraTrees()
