"""The fit of hidden states to features."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from configs.ensemble import HiddenMarkovConfig
from outcry.errors import DataValidationError
from outcry.market.frame import BoolArray, FloatArray
from outcry.models.combiners.hidden_markov import GaussianStates
from training.ensembles.apply import FrameGrid
from training.ensembles.out_of_fold import OutOfFold

LEAST_VARIANCE = 1e-3
"""Of a feature within a state, as a part of its variance over all rows."""


def fit_states(data: OutOfFold, config: HiddenMarkovConfig) -> GaussianStates:
    """Fit a Gaussian hidden Markov model by expectation maximisation, from several starts.

    Parameters
    ----------
    data : OutOfFold
        Its features are read, and no label.
    config : HiddenMarkovConfig

    Returns
    -------
    GaussianStates
        In the order of the mean of their first feature.

    Raises
    ------
    DataValidationError
        Where there are too few rows with all features, or one does not vary.
    """
    from hmmlearn.hmm import GaussianHMM  # noqa: PLC0415 - for this method alone

    chains = _observed_chains(data, config)
    observed = np.concatenate(chains)
    n_least = 10 * config.n_states * len(config.features)
    if len(observed) < n_least:
        raise DataValidationError(f"rows with every feature must be {n_least} or more, were {len(observed)}")
    center, scale = observed.mean(axis=0), observed.std(axis=0)
    for name, deviation in zip(config.features, scale, strict=True):
        if not deviation > 0.0:
            raise DataValidationError(f"{name} must vary to tell states, did not in {len(observed)} rows")
    standardised, lengths = (observed - center) / scale, [len(chain) for chain in chains]
    fitted = []
    for start in range(config.n_starts):
        model = GaussianHMM(
            config.n_states,
            covariance_type=config.covariance,
            min_covar=LEAST_VARIANCE,
            n_iter=config.n_iterations,
            tol=1e-3,
            random_state=config.seed + start,
        )
        with _quiet():
            fitted.append(model.fit(standardised, lengths))
    best = max(fitted, key=lambda model: model.score(standardised, lengths))
    order = np.argsort(best.means_[:, 0], kind="stable")
    covariance = best.covars_[order]
    whiteners = [np.linalg.inv(np.linalg.cholesky(of_state)) / scale for of_state in covariance]
    return GaussianStates(
        features=config.features,
        start=_normalised(best.startprob_[order]),
        transition=tuple(_normalised(row) for row in best.transmat_[np.ix_(order, order)]),
        means=tuple(tuple(mean) for mean in (best.means_[order] * scale + center).tolist()),
        whiteners=tuple(tuple(tuple(row) for row in np.tril(whitener).tolist()) for whitener in whiteners),
    )


def _observed_chains(data: OutOfFold, config: HiddenMarkovConfig) -> list[FloatArray]:
    """Return float64 (n_observations, n_features) for the market, or for evenly chosen symbols."""
    rows = FrameGrid(data).spread(data.rows[:, data.columns_of(config.features)], np.nan)
    is_known: BoolArray = np.all(np.isfinite(rows), axis=2)
    if config.scope == "market":
        is_observed: BoolArray = np.any(is_known, axis=1)
        total = np.where(is_known[..., np.newaxis], rows, 0.0).sum(axis=1)[is_observed]
        return [total / is_known.sum(axis=1)[is_observed, np.newaxis]]
    stride = max(1, -(-int(is_known.sum()) // config.max_rows))
    chains = [rows[is_known[:, symbol], symbol] for symbol in range(0, rows.shape[1], stride)]
    return [chain for chain in chains if len(chain)] or [rows[:0, 0]]


def _normalised(probability: FloatArray) -> tuple[float, ...]:
    clipped = np.clip(probability, 0.0, 1.0)
    return tuple((clipped / clipped.sum()).tolist())


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep hmmlearn from printing that the likelihood of a start fell by a rounding."""
    logger = logging.getLogger("hmmlearn.base")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
