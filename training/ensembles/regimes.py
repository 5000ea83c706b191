"""Weights of the members in each regime."""

import numpy as np

from configs.ensemble import HiddenMarkovConfig, RegimeThresholdsConfig
from outcry.market.frame import FloatArray
from outcry.models.combiners.hidden_markov import HiddenMarkovSpec
from outcry.models.combiners.regime_thresholds import RegimeFinder, RegimeThresholdsSpec
from training.ensembles.apply import filter_rows
from training.ensembles.hidden_markov import fit_states
from training.ensembles.out_of_fold import OutOfFold
from training.ensembles.weights import weigh_by_log_loss


def fit_regime_thresholds(
    data: OutOfFold, weights_frac: FloatArray, config: RegimeThresholdsConfig
) -> RegimeThresholdsSpec:
    """Fit weights for the rows of each regime; `weights_frac`, float64 (n_members,), are those of all rows."""
    find_regime = RegimeFinder(config.axes)
    columns = data.columns_of([axis.feature for axis in config.axes])
    regime = find_regime(np.ascontiguousarray(data.rows), columns)
    belongs = (regime[:, np.newaxis] == np.arange(find_regime.n_regimes)).astype(np.float64)
    return RegimeThresholdsSpec(
        min_agreement_frac=config.min_agreement_frac,
        weights_frac=tuple(weights_frac.tolist()),
        axes=config.axes,
        regime_weights_frac=_weigh_regimes(data, belongs, weights_frac, config.prior_rows),
    )


def fit_hidden_markov(data: OutOfFold, weights_frac: FloatArray, config: HiddenMarkovConfig) -> HiddenMarkovSpec:
    """Fit hidden states to the features, then weights by the probability of each state, filtered forward.

    Parameters
    ----------
    data : OutOfFold
    weights_frac : float64 (n_members,)
        Of all rows.
    config : HiddenMarkovConfig
    """
    states = fit_states(data, config)
    belongs = filter_rows(states, data, is_market=config.scope == "market")
    return HiddenMarkovSpec(
        min_agreement_frac=config.min_agreement_frac,
        weights_frac=tuple(weights_frac.tolist()),
        scope=config.scope,
        states=states,
        state_weights_frac=_weigh_regimes(data, belongs, weights_frac, config.prior_rows),
    )


def _weigh_regimes(
    data: OutOfFold, belongs: FloatArray, weights_frac: FloatArray, prior_rows: float
) -> tuple[tuple[float, ...], ...]:
    """Return weights for each regime, of which float64 (n_rows, n_regimes) `belongs` says how far a row is in it."""
    weights = []
    for row_weights in belongs.T:
        n_rows = row_weights.sum()
        own = weigh_by_log_loss(data, np.ascontiguousarray(row_weights))
        trust_frac = n_rows / (n_rows + prior_rows) if n_rows else 0.0
        weights.append(tuple((trust_frac * own + (1.0 - trust_frac) * weights_frac).tolist()))
    return tuple(weights)
