"""The scores of all alphas of the settings, frame by frame: winsorised, and neutral to what they should not say."""

import numpy as np

from outcry.alphas.alpha import alpha_features, score_alphas
from outcry.alphas.catalogue import find_alpha
from outcry.alphas.config import AlphasConfig
from outcry.alphas.cross_section import winsorise
from outcry.alphas.neutralise import neutralise
from outcry.errors import ConfigurationError
from outcry.features.catalogue import FAMILIES
from outcry.features.config import FeatureSetConfig
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.market.universe import Universe

FORECAST = "forecast"
"""The name of the forecast of a model among the alphas."""
UNKNOWN_REGIME = -9

_BETA_COLUMN = "cross_beta_252_market"
_REGIME_COLUMNS = {"volatility": "stat_volatility_20_252_regime", "direction": "stat_market_50_200_platform"}


class AlphaScorer:
    """Compute the scores of alphas from features. It keeps no state.

    Parameters
    ----------
    config : AlphasConfig
    universe : Universe
    bar_ns : int

    Attributes
    ----------
    features : FeatureSet
        The columns that are read, and the volatility that sizing reads.

    Raises
    ------
    ConfigurationError
        Where an alpha or a column is unknown, or a window cannot be.
    """

    def __init__(self, config: AlphasConfig, universe: Universe, bar_ns: int) -> None:
        self._alphas = [find_alpha(name) for name in config.names]
        self._config = config
        self._sectors = universe.sector_index()[0] if "sector" in config.neutral_to else None
        columns = [_BETA_COLUMN if name == "beta" else name for name in config.neutral_to]
        self._exposures = tuple(name for name in columns if name not in ("market", "sector"))
        self._regime = _REGIME_COLUMNS.get(config.regime)
        self.features = build_feature_set(self._wanted(), bar_ns, universe.symbols)
        for name in self._exposures:
            if name not in self.features.names:
                raise ConfigurationError(f"neutral_to must be market, sector, beta or the name of a column, was {name}")

    @property
    def names(self) -> tuple[str, ...]:
        """The alphas in the order of their scores; the forecast is the last."""
        own = tuple(alpha.name for alpha in self._alphas)
        return (*own, FORECAST) if self._config.forecast else own

    def scores(self, values: FloatArray, present: BoolArray, forecast: FloatArray) -> FloatArray:
        """Return scores, float64 (n_alphas, ..., n_symbols); NaN where not known.

        Parameters
        ----------
        values : float64 (..., n_symbols, n_features)
            Of one frame or of many, in the order of `features`.
        present : bool (..., n_symbols)
            A symbol without a bar has no score: it would keep its last one for ever.
        forecast : float64 (..., n_symbols)
            Of the model, see `outcry.alphas.forecast.forecast_score`; not read where it is no alpha.

        Notes
        -----
        A frame has the same bits whatever other frames are given.
        """
        scores = score_alphas(self._alphas, values, self.features.names)
        if self._config.forecast:
            scores = np.concatenate((scores, forecast[np.newaxis]))
        scores[:, ~present] = np.nan
        if self._config.winsor_frac:
            scores = winsorise(scores, self._config.winsor_frac)
        if self._config.neutral_to:
            exposures = [values[..., self.features.place(name)] for name in self._exposures]
            scores = np.stack([neutralise(score, exposures, self._sectors) for score in scores])
        return scores

    def regime(self, values: FloatArray) -> int:
        """Return the state of the market, the code of most symbols, from values float64 (n_symbols, n_features)."""
        if self._regime is None:
            return 0
        codes = values[:, self.features.place(self._regime)]
        return _commonest(codes[np.isfinite(codes)].astype(np.int64))

    def _wanted(self) -> FeatureSetConfig:
        found = alpha_features(self._alphas)
        usual = {kind.name: kind.defaults for family in FAMILIES for kind in family.kinds}
        windows = {kind: tuple(sorted({*usual[kind], *chosen})) for kind, chosen in found.windows.items()}
        others = (VOLATILITY_COLUMN, *self._exposures, *([self._regime] if self._regime else []))
        return FeatureSetConfig(windows=windows, columns=tuple(dict.fromkeys((*found.columns, *others))))


def _commonest(codes: IntArray) -> int:
    """Return what is there most often, at equal numbers the least."""
    if not len(codes):
        return UNKNOWN_REGIME
    found, counts = np.unique(codes, return_counts=True)
    return int(found[np.argmax(counts)])
