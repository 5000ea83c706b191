"""From a forecast to the weights the portfolio wants: volatility targeting with hysteresis."""

import numpy as np

from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import Direction, Forecast
from outcry.portfolio.config import PortfolioConfig


class VolatilityTargetSizing:
    """Give every position the same volatility, in the direction of the forecast.

    Notes
    -----
    For the symbols i of the breadth B, those that are held and kept and those that are entered:

        w_i = s_i · min(σ* / (B · max(σ_i, σ_min)), w_max),    then all by min(1, g / Σ |w_i|)

    with s_i the sign of ``p_up − p_down``, σ* ``target_volatility_per_year``, σ_i the forecast's trailing volatility,
    w_max ``max_position_frac`` and g ``max_gross_frac``. The portfolio reaches the volatility σ* at most, and only if
    all positions move as one. A position without an opinion stays as it is and takes its share of B, g and
    ``max_positions``.

    Hysteresis, on the edge ``p_up − p_down``: a symbol is entered where its size reaches ``entry_edge``, and kept
    while its sign stays and its size reaches ``exit_edge``. Kept positions keep their place; entries fill up to
    ``max_positions`` by the size of their edge, at equal edges in the order of the universe. An entry below
    ``min_position_frac`` is left out.

    References
    ----------
    Moskowitz, Ooi & Pedersen, "Time series momentum", Journal of Financial Economics 104 (2012), section 4.1: the
    position in each of S_t instruments is sign · (target volatility / σ) / S_t.
    """

    def __init__(self, config: PortfolioConfig) -> None:
        self._config = config

    def weights(self, forecast: Forecast, current: FloatArray, is_tradable: BoolArray) -> FloatArray:
        """Return the wanted weights.

        Parameters
        ----------
        forecast : Forecast
        current : float64 (n_symbols,)
            Weights held or on their way, signed fractions of equity.
        is_tradable : bool (n_symbols,)
            The symbol has a bar in this frame; the others are left alone.

        Returns
        -------
        float64 (n_symbols,)
            Signed fractions of equity; NaN where there is no opinion: the symbol is not tradable, or no forecast was
            made, or a position that is kept has no volatility yet.
        """
        config = self._config
        p_up, p_down = forecast.probability[:, Direction.UP], forecast.probability[:, Direction.DOWN]
        is_known = is_tradable & np.isfinite(p_up) & np.isfinite(p_down)
        edge = np.where(is_known, p_up - p_down, 0.0)
        if not config.allow_short:
            edge = np.maximum(edge, 0.0)
        wanted = np.sign(edge)

        has_volatility = np.isfinite(forecast.volatility_per_year)
        held = np.sign(np.where(is_known, current, 0.0))
        is_kept = (held != 0) & (wanted == held) & (np.abs(edge) >= config.exit_edge)
        is_candidate = (np.abs(edge) >= config.entry_edge) & (wanted != 0) & has_volatility & ~is_kept
        is_undecided = ~is_known & (current != 0)
        n_free = max(config.max_positions - int(np.count_nonzero(is_kept | is_undecided)), 0)
        ranked = np.argsort(np.where(is_candidate, -np.abs(edge), np.inf), kind="stable")[:n_free]
        is_entered = np.zeros_like(is_candidate)
        is_entered[ranked] = is_candidate[ranked]

        is_chosen = is_kept | is_entered
        breadth = max(int(np.count_nonzero(is_chosen | is_undecided)), 1)
        volatility = np.maximum(
            np.where(has_volatility, forecast.volatility_per_year, np.inf), config.min_volatility_per_year
        )
        size = np.minimum(config.target_volatility_per_year / (breadth * volatility), config.max_position_frac)
        weight = np.where(is_chosen, wanted * size, 0.0)
        gross = float(np.abs(weight).sum())
        free_gross = max(config.max_gross_frac - float(np.abs(current[is_undecided]).sum()), 0.0)
        if gross > free_gross:
            weight *= free_gross / gross
        weight[is_entered & (np.abs(weight) < config.min_position_frac)] = 0.0
        weight[~is_known | (is_kept & ~has_volatility)] = np.nan
        return weight
