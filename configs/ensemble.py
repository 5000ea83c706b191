"""How the members of an ensemble are combined: one of the methods below."""

from typing import Annotated, Literal

from pydantic import Field

from outcry.config import FrozenConfig
from outcry.models.combiners.combiner import Fraction, Weights
from outcry.models.combiners.outcomes import HalfLife
from outcry.models.combiners.regime_thresholds import Axes, RegimeAxis

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class _MethodConfig(FrozenConfig):
    """What every method takes: see `CombinerSpec`."""

    method: str
    min_agreement_frac: Fraction = 0.0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of the feature set that it reads; none, for most methods."""
        return ()


class WeightedConfig(_MethodConfig):
    """Weights of the members: ``weights_frac`` as they are, or fitted out of fold by a ``weights`` method.

    ``log_loss`` gives the mixture of least log loss, ``inverse_log_loss`` weights by one over that of each member,
    ``sharpe`` by the Sharpe ratio of ``(p_up - p_down) sign`` where that is positive.
    """

    weights: Literal["log_loss", "inverse_log_loss", "sharpe", "equal"] = "log_loss"
    weights_frac: Weights | None = None


class SoftVoteConfig(WeightedConfig):
    """The mean of the probabilities, by weight; ``is_per_class`` fits weights for each class, by log loss."""

    method: Literal["soft_vote"] = "soft_vote"
    is_per_class: bool = False


class HardVoteConfig(WeightedConfig):
    """A vote for one class each."""

    method: Literal["hard_vote"] = "hard_vote"
    weights: Literal["log_loss", "inverse_log_loss", "sharpe", "equal"] = "equal"


class MeanConfig(_MethodConfig):
    """The plain mean."""

    method: Literal["mean"] = "mean"


class TrimmedMeanConfig(_MethodConfig):
    """The mean of what is left without ``trim_frac`` of the members at either end, class by class."""

    method: Literal["trimmed_mean"] = "trimmed_mean"
    trim_frac: Annotated[float, Field(ge=0.0, le=0.5)] = 0.2


class MedianConfig(_MethodConfig):
    """The median, class by class."""

    method: Literal["median"] = "median"


class StackedConfig(_MethodConfig):
    """A linear model over the members.

    It sees the logarithms of their odds and ``features`` of the feature set. ``l2`` times half the squared coefficients
    is added to the mean loss of a row: log loss with ``logistic``, squared error with ``ridge``.
    """

    meta_learner: Literal["logistic", "ridge"] = "logistic"
    l2: Positive = 1e-2
    features: tuple[str, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self.features


class StackingConfig(StackedConfig):
    """Fitted on everything that members said out of fold."""

    method: Literal["stacking"] = "stacking"


class BlendingConfig(StackedConfig):
    """Fitted on the hold-out of the newest members alone: the rows that these predicted."""

    method: Literal["blending"] = "blending"


class RegimeThresholdsConfig(WeightedConfig):
    """Weights for each regime, told by thresholds on features.

    The weights of a regime lean to those of all rows, as if ``prior_rows`` rows had those. The default takes the four
    regimes of the ensemble: trending, mean-reverting, high and low volatility.
    """

    method: Literal["regime_thresholds"] = "regime_thresholds"
    axes: Axes = (RegimeAxis(feature="stat_volatility_20_252_ensemble", thresholds=(0.5, 1.5, 2.5)),)
    prior_rows: Annotated[float, Field(ge=0.0)] = 2_000.0

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(axis.feature for axis in self.axes)


class HiddenMarkovConfig(WeightedConfig):
    """Weights for each hidden state of a Gaussian Markov model over ``features``.

    Of ``n_starts`` fits the one with the highest likelihood is kept. With scope ``symbol``, about ``max_rows`` rows of
    evenly chosen symbols are fitted to.
    """

    method: Literal["hidden_markov"] = "hidden_markov"
    scope: Literal["market", "symbol"] = "market"
    features: Annotated[tuple[str, ...], Field(min_length=1)] = ("tech_hv_20_percentile", "tech_efficiency_20_ratio")
    n_states: Annotated[int, Field(ge=2, le=8)] = 3
    covariance: Literal["diag", "full"] = "full"
    n_starts: Annotated[int, Field(gt=0)] = 4
    n_iterations: Annotated[int, Field(gt=0)] = 100
    max_rows: Annotated[int, Field(gt=0)] = 50_000
    prior_rows: Annotated[float, Field(ge=0.0)] = 2_000.0
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self.features


class AdaptiveConfig(WeightedConfig):
    """Weights that follow recent performance: see `AdaptiveSpec`."""

    method: Literal["adaptive"] = "adaptive"
    score: Literal["log_score", "sharpe"] = "log_score"
    half_life_bars: HalfLife = 63.0
    temperature: Positive = 1.0
    min_weight_frac: Fraction = 0.05


class SelectionConfig(WeightedConfig):
    """The member that did best of late: see `SelectionSpec`."""

    method: Literal["selection"] = "selection"
    half_life_bars: HalfLife = 63.0
    min_lead_nats: Annotated[float, Field(ge=0.0)] = 0.0


class ThompsonConfig(WeightedConfig):
    """Members drawn by how likely they are to be the best: see `ThompsonSpec`."""

    method: Literal["thompson"] = "thompson"
    half_life_bars: HalfLife = 252.0
    n_draws: Annotated[int, Field(gt=0)] = 64
    seed: Annotated[int, Field(ge=0)] = 0


class MultiHorizonConfig(WeightedConfig):
    """The mean of members that learnt different horizons, by weight; they need only agree on a side."""

    method: Literal["multi_horizon"] = "multi_horizon"


EnsembleConfig = Annotated[
    SoftVoteConfig
    | HardVoteConfig
    | MeanConfig
    | TrimmedMeanConfig
    | MedianConfig
    | StackingConfig
    | BlendingConfig
    | RegimeThresholdsConfig
    | HiddenMarkovConfig
    | AdaptiveConfig
    | SelectionConfig
    | ThompsonConfig
    | MultiHorizonConfig,
    Field(discriminator="method"),
]
"""How members are combined; the method decides which fields there are."""
