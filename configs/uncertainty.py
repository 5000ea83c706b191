"""When a forecast is too uncertain for new risk: section ``uncertainty``; and what a training fits for it."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from outcry.config import FrozenConfig

if TYPE_CHECKING:
    from outcry.models.manifest import LabelSpec
    from outcry.models.uncertainty.abstain import AbstainRule
    from outcry.models.uncertainty.abstention import Abstention
    from outcry.models.uncertainty.prediction_sets import PredictionSets


class ConformalConfig(FrozenConfig):
    """The prediction sets that are fitted with an ensemble, and stored in its bundle; with ``none`` there are none.

    ``score`` is how ill a class fits a forecast (see `outcry.models.uncertainty.prediction_sets`), ``penalty`` that of
    ``raps``; ``is_by_class`` covers each class by itself.
    """

    score: Literal["none", "lac", "aps", "raps"] = "none"
    penalty: float = Field(default=0.0, ge=0)
    is_by_class: bool = True


class UncertaintyConfig(FrozenConfig):
    """What a forecast may have of prediction sets and of the spread of members to ask for new risk.

    Sets of ``method: split`` keep the level ``alpha``, the share of outcomes that they may miss; those of ``adaptive``
    let it follow the outcomes by ``gamma``. With ``single_direction`` a set must hold one direction alone; a bundle
    without sets knows none, see ``training.conformal``. ``max_disagreement`` is of the members' mutual information,
    nats; ``min_agreement_frac`` of the weight of the members that name the commonest class; absent, there is no limit.
    ``coverage_window_bars`` is how far back the coverage is watched, at least eight blocks of two horizons.
    """

    single_direction: bool = False
    method: Literal["split", "adaptive"] = "adaptive"
    alpha: float = Field(default=0.4, gt=0, lt=1)
    gamma: float = Field(default=0.02, ge=0)
    max_disagreement: float | None = Field(default=None, ge=0)
    min_agreement_frac: float | None = Field(default=None, gt=0, le=1)
    coverage_window_bars: int = Field(default=252, gt=0)

    @property
    def rule(self) -> "AbstainRule":
        """When a forecast asks for no new risk."""
        from outcry.models.uncertainty.abstain import AbstainRule  # noqa: PLC0415 - models, for those who have one

        return AbstainRule(self.single_direction, self.max_disagreement, self.min_agreement_frac)

    def build_abstention(
        self, sets: "PredictionSets | None", label: "LabelSpec", n_symbols: int
    ) -> "Abstention | None":
        """Return what judges the forecasts of a bundle with these sets and this label, before its first frame.

        None where there is nothing to judge by.
        """
        from outcry.models.uncertainty.abstention import Abstention  # noqa: PLC0415 - as above
        from outcry.models.uncertainty.adaptive_sets import AdaptiveSets  # noqa: PLC0415
        from outcry.models.uncertainty.coverage import LEAST_BLOCKS, CoverageMonitor  # noqa: PLC0415

        horizon_bars, gamma = label.horizon_bars, self.gamma if self.method == "adaptive" else 0.0
        window_bars = max(self.coverage_window_bars, LEAST_BLOCKS * 2 * horizon_bars)
        if sets is None:
            return Abstention(self.rule) if self.rule.wants_spread else None
        return Abstention(
            self.rule,
            AdaptiveSets(sets, self.alpha, gamma, horizon_bars, n_symbols),
            CoverageMonitor(self.alpha, horizon_bars, window_bars),
        )


NOTHING_BINDS = UncertaintyConfig()
