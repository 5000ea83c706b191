"""From a forecast to the weights the portfolio wants: volatility targeting with hysteresis."""

import numpy as np

from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import Forecast
from outcry.portfolio.arrays import forecast_arrays
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.kernels.sizing import compile_sizing, sizing_rules
from outcry.portfolio.kernels.version import kernels_version


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

    The arithmetic is in `outcry.portfolio.kernels.sizing`.

    References
    ----------
    Moskowitz, Ooi & Pedersen, "Time series momentum", Journal of Financial Economics 104 (2012), section 4.1: the
    position in each of S_t instruments is sign · (target volatility / σ) / S_t.
    """

    def __init__(self, config: PortfolioConfig) -> None:
        self._rules = sizing_rules(config)
        self._size = compile_sizing(kernels_version())

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
        n_symbols = len(current)
        wanted = np.empty(n_symbols)
        self._size(
            *forecast_arrays(forecast),
            np.array(current, dtype=np.float64),
            np.array(is_tradable, dtype=np.bool_),
            self._rules,
            np.empty(n_symbols),
            np.empty(n_symbols, dtype=np.int64),
            wanted,
        )
        return wanted
