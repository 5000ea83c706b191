"""Extremely randomised trees: each test the best of a few drawn thresholds; scikit-learn fits it."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from outcry.config import FrozenConfig
from outcry.models.dataset import Dataset
from outcry.models.family import EXACT_TOLERANCE, FitSettings, sole_file
from outcry.models.mean_forest import MeanForest
from outcry.models.parameter_space import Choices, ParameterSpace, Span
from outcry.models.sklearn_trees import fit_forest

_FILE = "extra_trees.npz"


class ExtraTreesParams(FrozenConfig):
    """Of trees by the Gini impurity; nothing is found on validation rows, they are learnt from as well.

    A tree sees every row, or where `subsample_frac` is below 1 draws as many with replacement. A test looks at
    `colsample_frac` of the columns, or at the square root of their number, and at one threshold of each. `max_depth`
    None lets a tree grow until its leaves are pure or small.
    """

    n_trees: int = Field(default=200, gt=0)
    max_depth: int | None = Field(default=8, ge=1)
    min_split_rows: int = Field(default=2, ge=2)
    min_leaf_rows: int = Field(default=50, gt=0)
    subsample_frac: float = Field(default=1.0, gt=0, le=1)
    colsample_frac: float | Literal["sqrt"] = "sqrt"


class ExtraTrees:
    """`outcry.models.family.Family`.

    References
    ----------
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
    """

    name = "extra_trees"
    params = ExtraTreesParams
    libraries = ("sklearn",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {
        # labels of neighbouring bars overlap: a leaf of a few rows knows one event
        "narrow": {
            "n_trees": Choices((200, 500)),
            "max_depth": Choices((6, 8, 10, 15)),
            "min_leaf_rows": Span(20, 500, is_log=True, is_integer=True),
            "colsample_frac": Choices(("sqrt", 0.3, 0.5, 0.7)),
        },
        "wide": {
            "n_trees": Span(500, 2000, is_integer=True),
            "max_depth": Choices((10, 15, 20, 30, None)),
            "min_split_rows": Span(2, 10, is_integer=True),
            "min_leaf_rows": Span(1, 4, is_integer=True),
            "colsample_frac": Choices(("sqrt", 0.3, 0.5, 0.7)),
        },
    }

    def lookback_bars(self, params: ExtraTreesParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: ExtraTreesParams, settings: FitSettings
    ) -> MeanForest:
        """Fit on `whole`."""
        from sklearn.ensemble import ExtraTreesClassifier

        forest = ExtraTreesClassifier(
            n_estimators=params.n_trees,
            max_depth=params.max_depth,
            min_samples_split=params.min_split_rows,
            min_samples_leaf=params.min_leaf_rows,
            max_features=params.colsample_frac,
            bootstrap=params.subsample_frac < 1.0,
            max_samples=params.subsample_frac if params.subsample_frac < 1.0 else None,
            n_jobs=settings.n_threads,
            random_state=settings.seed,
        )
        return fit_forest(forest, whole, _FILE)

    def load(self, files: Mapping[str, bytes], n_features: int) -> MeanForest:
        return MeanForest(_FILE, sole_file(self.name, files, _FILE), n_features)


FAMILY = ExtraTrees()
