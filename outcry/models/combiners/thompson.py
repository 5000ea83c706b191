"""Members drawn by how likely they are to be the best."""

from typing import Literal

import numpy as np
from pydantic import Field

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.online import Arrays
from outcry.models.combiners.outcomes import OutcomesCombiner, OutcomesSpec


class ThompsonSpec(OutcomesSpec):
    """Of ``n_draws`` from the posteriors at each frame, a member weighs the share in which it was the highest.

    One draw is the classical choice of a single member; many follow the probability of being the best with less noise.
    """

    kind: Literal["thompson"] = "thompson"
    n_draws: int = Field(default=64, gt=0)
    seed: int = Field(default=0, ge=0)


class Thompson(OutcomesCombiner):
    """Keep a Beta posterior of each member, ``a <- 1 + g (a - 1) + r``, ``b <- 1 + g (b - 1) + 1 - r``, and draw.

    The reward ``r`` of a frame is the share of symbols to whose label a member gave more than the members did on
    average: one observation a frame, since symbols move together.

    Notes
    -----
    The draws of a frame come from a generator of its own, keyed by seed and `seq`: a replay draws the same.

    References
    ----------
    Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933; Agrawal & Goyal,
    "Analysis of Thompson sampling for the multi-armed bandit problem", COLT 2012, algorithm 2.
    """

    spec_type = ThompsonSpec

    def __init__(self, spec: ThompsonSpec) -> None:
        self._n_draws, self._seed = spec.n_draws, spec.seed
        super().__init__(spec)

    def _begin(self, n_symbols: int) -> Arrays:
        return super()._begin(n_symbols) | {"posterior": np.ones((2, len(self._start_weights_frac)))}

    def _advance(
        self, first_seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> FloatArray:
        from outcry.models.kernels.performance import WINS  # noqa: PLC0415 - see Combiner

        rewards = self._score(first_seq, probability, settled)[:, WINS]
        candidates = np.flatnonzero(self._start_weights_frac)
        posterior = self._arrays["posterior"]
        weights_frac = np.zeros_like(rewards)
        for t, reward in enumerate(rewards):
            if not np.isnan(reward[0]):
                posterior[:] = 1.0 + self._keep_frac * (posterior - 1.0) + (reward, 1.0 - reward)
            # a counter-based generator: the key is the seed, and every frame has a stretch of 2^192 numbers of its own
            counter = np.array([0, 0, 0, (first_seq + t) % 2**64], dtype=np.uint64)
            rng = np.random.Generator(np.random.Philox(key=self._seed, counter=counter))
            a, b = posterior[:, candidates]
            highest = rng.beta(a, b, size=(self._n_draws, len(candidates))).argmax(axis=1)
            weights_frac[t, candidates] = np.bincount(highest, minlength=len(candidates)) / self._n_draws
        return weights_frac[:, np.newaxis]
