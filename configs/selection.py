"""The methods that select columns: section ``training.selection`` is a list of these."""

from typing import Annotated, Literal

from pydantic import Field

from outcry.config import FrozenConfig

Limit = Annotated[int, Field(gt=0)]
"""A number of rows or columns."""


class VarianceConfig(FrozenConfig):
    """Keep what varies: ``min_variance``, in the squared unit of the column, must be exceeded."""

    method: Literal["variance"] = "variance"
    min_variance: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class CorrelationConfig(FrozenConfig):
    """Keep one column of those that say the same: of a cluster whose every pair has at least this |Spearman|."""

    method: Literal["correlation"] = "correlation"
    min_abs_spearman: float = Field(default=0.95, gt=0, lt=1)
    n_bins: int = Field(default=10, ge=2)
    max_rows: Limit = 20_000


class MutualInformationConfig(FrozenConfig):
    """Keep the columns that share most information with the label, each in ``n_bins`` bins of equal count."""

    method: Literal["mutual_information"] = "mutual_information"
    n_columns: Limit | None = None
    n_bins: int = Field(default=10, ge=2)


class ChiSquareConfig(FrozenConfig):
    """Keep the columns whose bins differ most in their mix of classes, by chi-square."""

    method: Literal["chi_square"] = "chi_square"
    n_columns: Limit | None = None
    n_bins: int = Field(default=10, ge=2)


class EliminationConfig(FrozenConfig):
    """Fit trees and drop the columns of least gain, ``step_frac`` of the first number at a time."""

    method: Literal["elimination"] = "elimination"
    n_columns: Limit = 60
    step_frac: float = Field(default=0.2, gt=0, lt=1)
    max_rows: Limit = 20_000


class ForwardConfig(FrozenConfig):
    """Add the column that lowers the held-out log loss most, while it falls by more than ``min_gain_nats``.

    Costs a fit of ``n_rounds`` rounds for every column that is left, for every column that is added.
    """

    method: Literal["forward"] = "forward"
    n_columns: Limit = 10
    min_gain_nats: float = Field(default=1e-4, ge=0)
    n_rounds: int = Field(default=20, gt=0)
    max_rows: Limit = 5_000


class LassoConfig(FrozenConfig):
    """Keep the columns with a coefficient in an L1 logistic regression.

    Its penalty is one of ``n_penalties``, from just below the least that leaves no coefficient down to
    ``least_penalty_frac`` of that: the one with the least held-out log loss.
    """

    method: Literal["lasso"] = "lasso"
    n_columns: Limit | None = None
    n_penalties: int = Field(default=8, gt=0)
    least_penalty_frac: float = Field(default=0.1, gt=0, lt=1)
    max_rows: Limit = 20_000


class GainConfig(FrozenConfig):
    """Keep the columns on which trees gain most."""

    method: Literal["gain"] = "gain"
    n_columns: Limit | None = None
    max_rows: Limit = 50_000


class PermutationConfig(FrozenConfig):
    """Keep the columns without which the held-out log loss rises most: shuffled ``n_repeats`` times each."""

    method: Literal["permutation"] = "permutation"
    n_columns: Limit | None = None
    n_repeats: int = Field(default=3, gt=0)
    max_rows: Limit = 20_000


class ShapConfig(FrozenConfig):
    """Keep the columns that contribute most to what trees predict of ``max_explained_rows`` of their rows.

    Its trees are those of the LightGBM member, but each sees only ``colsample_frac`` of the columns, and bins are found
    on ``max_bin_rows`` rows: less of either costs less time, and more steadies the choice a little.
    """

    method: Literal["shap"] = "shap"
    n_columns: Limit | None = None
    colsample_frac: float = Field(default=0.2, gt=0, le=1)
    max_rows: Limit = 20_000
    max_bin_rows: Limit = 2_000
    max_explained_rows: Limit = 500


StepConfig = Annotated[
    VarianceConfig
    | CorrelationConfig
    | MutualInformationConfig
    | ChiSquareConfig
    | EliminationConfig
    | ForwardConfig
    | LassoConfig
    | GainConfig
    | PermutationConfig
    | ShapConfig,
    Field(discriminator="method"),
]
"""One step of a selection: it judges the columns that the one before it kept.

``n_columns`` is the most a step keeps; absent, it keeps every column that says anything. More than ``max_rows`` rows
are thinned by whole frames, for the methods whose cost asks for it.
"""
