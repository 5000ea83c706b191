"""Random forest: trees on resampled rows, each test the best of a few columns; scikit-learn fits it."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from outcry.models.sklearn_trees import ForestFamily, ForestParams

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier


class RandomForestParams(ForestParams):
    """See `ForestParams`.

    A tree draws `subsample_frac` of the rows, with replacement: labels of neighbouring bars overlap, so the rest say
    little that is new.
    """

    subsample_frac: float = Field(default=0.2, gt=0, le=1)


class RandomForest(ForestFamily):
    """`outcry.models.family.Family`.

    References
    ----------
    Breiman, "Random forests", Machine Learning 45, 2001.
    """

    name = "random_forest"
    params = RandomForestParams

    def build(self, params: RandomForestParams, **options: Any) -> "RandomForestClassifier":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(max_samples=params.subsample_frac, **options)


FAMILY = RandomForest()
