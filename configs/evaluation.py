"""What `outcry evaluate` compares beside the families: section ``evaluation``."""

from configs.ensemble import (
    AdaptiveConfig,
    EnsembleConfig,
    MeanConfig,
    MedianConfig,
    RegimeThresholdsConfig,
    SoftVoteConfig,
    StackingConfig,
    ThompsonConfig,
    TrimmedMeanConfig,
)
from outcry.config import FrozenConfig


class EvaluationConfig(FrozenConfig):
    """The ``ensembles`` of all members that are graded, besides that of ``training.ensemble``.

    One that reads a column which is not computed is left out, and ``multi_horizon`` where members share a horizon.
    """

    ensembles: tuple[EnsembleConfig, ...] = (
        SoftVoteConfig(),
        MeanConfig(),
        MedianConfig(),
        TrimmedMeanConfig(),
        StackingConfig(),
        AdaptiveConfig(),
        ThompsonConfig(),
        RegimeThresholdsConfig(),
    )
