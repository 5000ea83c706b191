"""Fit the combiner that a configuration asks for."""

from typing import Any

import numpy as np

from configs.ensemble import (
    BlendingConfig,
    EnsembleConfig,
    HiddenMarkovConfig,
    MeanConfig,
    MedianConfig,
    MultiHorizonConfig,
    RegimeThresholdsConfig,
    SoftVoteConfig,
    StackedConfig,
    TrimmedMeanConfig,
    WeightedConfig,
)
from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray
from outcry.models.combiners import Combiner, build_combiner
from outcry.models.combiners.combiner import CombinerSpec
from outcry.models.combiners.registry import COMBINERS
from outcry.models.combiners.soft_vote import SoftVoteSpec
from outcry.models.combiners.trimmed_mean import TrimmedMeanSpec
from training.ensembles.out_of_fold import OutOfFold
from training.ensembles.regimes import fit_hidden_markov, fit_regime_thresholds
from training.ensembles.stacking import fit_stacking
from training.ensembles.weights import WEIGHTS, weigh_classes, weigh_equally

_ONLY_FOR_THE_FIT = {"method", "weights"}


def fit_combiner(out_of_fold: OutOfFold, config: EnsembleConfig) -> Combiner:
    """Return the combiner of a method, fitted on what members said of rows that they had not learnt from.

    To judge it on a frame, give it rows whose labels were known before: of ``up_to(frame - horizon_bars - 1)``.

    Parameters
    ----------
    out_of_fold : OutOfFold
        Rows of which a member says nothing are left out. Without any other, methods that learn give equal weights.
    config : EnsembleConfig

    Raises
    ------
    ConfigurationError
        Where the configuration speaks of another number of members, or of horizons that they do not differ in.
    DataValidationError
        Where a feature that is asked for is not there, or tells no states.
    """
    data = out_of_fold.of_known()
    return build_combiner(_fit_spec(data, config))


def _fit_spec(data: OutOfFold, config: EnsembleConfig) -> CombinerSpec:
    if isinstance(config, MeanConfig | TrimmedMeanConfig | MedianConfig):
        trim_frac = {"mean": 0.0, "median": 0.5}.get(config.method, getattr(config, "trim_frac", 0.0))
        return TrimmedMeanSpec(min_agreement_frac=config.min_agreement_frac, trim_frac=trim_frac)
    if isinstance(config, StackedConfig | RegimeThresholdsConfig | HiddenMarkovConfig) and not len(data):
        weights_frac = _tuple(weigh_equally(data))
        return SoftVoteSpec(min_agreement_frac=config.min_agreement_frac, weights_frac=weights_frac)
    if isinstance(config, StackedConfig):
        return fit_stacking(data.of_newest() if isinstance(config, BlendingConfig) else data, config)
    if isinstance(config, RegimeThresholdsConfig):
        return fit_regime_thresholds(data, _weigh(data, config), config)
    if isinstance(config, HiddenMarkovConfig):
        return fit_hidden_markov(data, _weigh(data, config), config)
    return _weighted_spec(data, config)


def _weighted_spec(data: OutOfFold, config: WeightedConfig) -> CombinerSpec:
    """Return a combiner of the kind that the method names, with its settings and with weights."""
    values: dict[str, Any] = config.model_dump(exclude=_ONLY_FOR_THE_FIT)
    if isinstance(config, MultiHorizonConfig):
        if len(set(data.horizons_bars)) != data.n_members:
            raise ConfigurationError(
                f"multi_horizon must have members that learn different horizons, these learn {data.horizons_bars} bars"
            )
        values["horizons_bars"] = data.horizons_bars
    if isinstance(config, SoftVoteConfig):
        is_per_class = values.pop("is_per_class")
        if is_per_class and config.weights_frac is None:
            values["class_weights_frac"] = tuple(_tuple(row) for row in weigh_classes(data))
    spec_type = COMBINERS[config.method].spec_type
    if "horizon_bars" in spec_type.model_fields:
        values["horizon_bars"] = data.horizon_bars
    return spec_type.model_validate(values | {"kind": config.method, "weights_frac": _tuple(_weigh(data, config))})


def _weigh(data: OutOfFold, config: WeightedConfig) -> FloatArray:
    if config.weights_frac is None:
        return WEIGHTS[config.weights](data)
    if len(config.weights_frac) != data.n_members:
        raise ConfigurationError(f"weights_frac must be {data.n_members}, one a member, were {config.weights_frac}")
    return np.array(config.weights_frac)


def _tuple(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())
