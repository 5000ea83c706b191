"""Weights by the hidden state that the market, or each symbol, is probably in."""

import math
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.config import FrozenConfig
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.combiner import Finite, WeightedSpec, Weights, check_sum
from outcry.models.combiners.online import Arrays, OnlineCombiner

Vector = Annotated[tuple[Finite, ...], Field(min_length=1)]


class GaussianStates(FrozenConfig):
    """A hidden Markov model whose states show themselves in features with a normal distribution.

    ``start`` and each row of ``transition``, from one state, sum to 1. ``means`` has a row a state. The lower
    triangular ``W`` of a state in ``whiteners`` makes its features independent: ``W' W`` is their inverse covariance.
    """

    features: Annotated[tuple[str, ...], Field(min_length=1)]
    start: Weights
    transition: tuple[Weights, ...]
    means: tuple[Vector, ...]
    whiteners: tuple[tuple[Vector, ...], ...]

    @property
    def n_states(self) -> int:
        return len(self.start)

    @model_validator(mode="after")
    def _check_shapes(self) -> Self:
        n_states, n_features = self.n_states, len(self.features)
        for name, values, shape in (
            ("transition", self.transition, (n_states, n_states)),
            ("means", self.means, (n_states, n_features)),
            ("whiteners", self.whiteners, (n_states, n_features, n_features)),
        ):
            try:
                found = np.array(values).shape
            except ValueError:
                found = ()
            if found != shape:
                raise ValueError(f"{name} must have shape {shape}, was {found or 'ragged'}")
        check_sum("start", self.start)
        for row in self.transition:
            check_sum("a row of transition", row)
        whiteners = np.array(self.whiteners)
        if np.triu(whiteners, 1).any() or (np.diagonal(whiteners, axis1=1, axis2=2) <= 0.0).any():
            raise ValueError("whiteners must be lower triangular with a positive diagonal")
        return self


class HiddenMarkovSpec(WeightedSpec):
    """``state_weights_frac`` has a row a state; ``weights_frac`` counts until something is observed.

    With scope ``market`` one chain observes the means over symbols; with ``symbol`` each has a chain of its own.
    """

    kind: Literal["hidden_markov"] = "hidden_markov"
    scope: Literal["market", "symbol"] = "market"
    states: GaussianStates
    state_weights_frac: tuple[Weights, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self.states.features

    @model_validator(mode="after")
    def _check_states(self) -> Self:
        if len(self.state_weights_frac) != self.states.n_states:
            raise ValueError(
                f"state_weights_frac must have {self.states.n_states} states, had {len(self.state_weights_frac)}"
            )
        for state, weights_frac in enumerate(self.state_weights_frac):
            if len(weights_frac) != self.n_members:
                raise ValueError(f"state {state} must weigh {self.n_members} members, weighed {len(weights_frac)}")
            check_sum(f"weights of state {state}", weights_frac)
        return self


class HiddenMarkov(OnlineCombiner):
    """Average by ``w_k = sum_s a_t(s) w_sk``, with ``a_t`` the probability of each state given frames up to t."""

    spec_type = HiddenMarkovSpec

    def __init__(self, spec: HiddenMarkovSpec) -> None:
        self._unknown_weights_frac = np.array(spec.weights_frac)
        self._state_weights_frac = np.array(spec.state_weights_frac)
        self._is_market = spec.scope == "market"
        self._filter = StateFilter(spec.states)
        super().__init__(spec)

    @property
    def state_frac(self) -> FloatArray:
        """float64 (n_chains, n_states): the probability of each state after the last frame; zeros if unobserved."""
        return self._arrays["state"].copy() if self._arrays else np.zeros((1, self._filter.n_states))

    def _first_weights(self) -> FloatArray:
        return self._unknown_weights_frac[np.newaxis].copy()

    def _begin(self, n_symbols: int) -> Arrays:
        return self._filter.begin(1 if self._is_market else n_symbols)

    def _advance(
        self, first_seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> FloatArray:
        filtered = self._filter.advance(self._arrays, rows, columns, is_market=self._is_market)
        weights_frac = np.zeros((*filtered.shape[:2], len(self._unknown_weights_frac)))
        for state, of_state in enumerate(self._state_weights_frac):
            weights_frac += filtered[:, :, state, np.newaxis] * of_state
        weights_frac[~filtered.any(axis=2)] = self._unknown_weights_frac
        return weights_frac


class StateFilter:
    """Filter the states forward, in training and later.

    Parameters
    ----------
    states : GaussianStates
    """

    def __init__(self, states: GaussianStates) -> None:
        from outcry.models.kernels.regimes import compile_filter_states  # noqa: PLC0415 - see Combiner

        self._filter_states = compile_filter_states()
        self._means, self._whiteners = np.array(states.means), np.array(states.whiteners)
        self._log_scales = np.array(
            [math.fsum(math.log(scale) for scale in np.diagonal(whitener)) for whitener in self._whiteners]
        )
        self._transition, self._start = np.array(states.transition), np.array(states.start)

    @property
    def n_states(self) -> int:
        return len(self._start)

    def begin(self, n_chains: int) -> Arrays:
        """Return the state of chains that have observed nothing."""
        return {"state": np.zeros((n_chains, self.n_states))}

    def advance(self, arrays: Arrays, rows: FloatArray, columns: IntArray, *, is_market: bool) -> FloatArray:
        """Carry `arrays` on over float64 (n_frames, n_symbols, n_wide) rows.

        Returns
        -------
        float64 (n_frames, n_chains, n_states)
            The probability of each state after each frame; zeros until something is observed.
        """
        filtered = np.empty((len(rows), *arrays["state"].shape))
        self._filter_states(
            rows,
            columns,
            is_market,
            self._means,
            self._whiteners,
            self._log_scales,
            self._transition,
            self._start,
            arrays["state"],
            np.empty((2, max(self._means.shape))),
            filtered,
        )
        return filtered
