"""Names and meaning of every cross-sectional column.

In the formulas, of one symbol: ``close[w]`` is the close w frames ago, ``R_w = close/close[w] - 1``,
``x = ln(close/close[1])`` the return of a frame, ``m`` that of the market, ``p`` that of the peers (the mean over the
other members of the sector), ``rho`` a sample correlation; it is 0 where a series does not move. "Known" are the
symbols that had a bar. Warm-ups are counted from the first frame, for a symbol and references known since then.
"""

from dataclasses import replace
from math import inf

from outcry.features.column import Column
from outcry.features.cross.config import CrossConfig

N_FACTORS = 5
PROXIES = {
    "vix": "a tradable proxy of implied volatility",
    "rates": "long government bonds",
    "dollar": "the US dollar index",
    "commodities": "gold",
}
"""The series other than the market that correlations are taken with, in the order of their columns."""

_LEVY = "R. Levy, Relative Strength as a Criterion for Investment Selection, 1967"
_SHARPE = "W. Sharpe, A Simplified Model for Portfolio Analysis, 1963"
_PEARSON = "K. Pearson, 1895: sample correlation"
_OUTLIER = "B. Iglewicz, D. Hoaglin, How to Detect and Handle Outliers, 1993: modified z-score"
_LEDOIT = "O. Ledoit, M. Wolf, A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices, 2004"
_PCA = "M. Avellaneda, J.-H. Lee, Statistical Arbitrage in the US Equities Market, 2010, section 2"
_ABSORPTION = "M. Kritzman et al., Principal Components as a Measure of Systemic Risk, 2010"
_NETWORK = "V. Boginski, S. Butenko, P. Pardalos, Statistical Analysis of Financial Networks, 2005"
_CENTRALITY = "P. Bonacich, Factoring and Weighting Approaches to Status Scores, 1972"
_CLUSTER = (
    "R. Sokal, C. Michener, 1958 (average linkage); R. Mantegna, Hierarchical Structure in Financial Markets, 1999"
)
_CONTAGION = "after K. Forbes, R. Rigobon, No Contagion, Only Interdependence, 2002: co-movement with names in distress"


def cross_columns(config: CrossConfig, proxies: tuple[str, ...]) -> tuple[Column, ...]:
    """Return all columns: those of every frame, then those that are held between refits.

    Parameters
    ----------
    config : CrossConfig
    proxies : tuple of str
        Those of `PROXIES` that are in the universe, in that order; the others have no column.
    """
    return (*ordinary_columns(config, proxies), *dear_columns(config))


def ordinary_columns(config: CrossConfig, proxies: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns that are computed in every frame, in the order that the kernel writes them."""
    return (*_relative(config), *_standing(config), *_betas(config), *_correlations(config, proxies))


def dear_columns(config: CrossConfig) -> tuple[Column, ...]:
    """Return the columns that are computed at the cadence and held between, in the order of the kernel."""
    columns = (*_factors(config), *_network(config))
    return tuple(replace(column, cadence_bars=config.cadence_frames) for column in columns)


def _column(
    name: str, formula: str, window: int, warmup: int, source: str, *, unit: str = "ratio", low: float = -inf,
    high: float = inf,
) -> Column:  # fmt: skip
    return Column(f"cross_{name}", "cross", formula, window, warmup, unit, low, high, source)


def _correlation(name: str, formula: str, window: int, warmup: int, source: str = _PEARSON) -> Column:
    return _column(name, formula, window, warmup, source, low=-1.0, high=1.0)


def _relative(config: CrossConfig) -> tuple[Column, ...]:
    w = config.volume_frames
    return (
        *(
            _column(f"strength_{w}_market", "exp(sum(x - m, w)) - 1", w + 1, w + 1, _LEVY, low=-1.0)
            for w in config.strength_frames
        ),
        *(
            _column(f"strength_{w}_sector", "exp(sum(x - p, w)) - 1", w + 1, w + 1, _LEVY, low=-1.0)
            for w in config.strength_frames
        ),
        *(
            _column(f"excess_{w}_market", "R_w - (exp(sum(m, w)) - 1)", w + 1, w + 1, "excess return over the market")
            for w in config.excess_frames
        ),
        _column(
            f"volume_{w}_relative",
            "v / median(v) over the symbols with a bar in the frame, v = volume/mean(volume, w), 1 where that mean is"
            " 0; 1 where the median is 0",
            w,
            w,
            "relative volume against that of the universe",
            low=0.0,
        ),
    )


def _standing(config: CrossConfig) -> tuple[Column, ...]:
    windows = config.standing_frames
    return (
        *(
            _column(
                f"rank_{w}_return",
                "average rank of R_w among the n known symbols, from 1, over n",
                w + 1,
                w + 1,
                "percentile rank, ties averaged",
                unit="fraction",
                low=0.0,
                high=1.0,
            )
            for w in windows
        ),
        *(
            _column(
                f"zscore_{w}_return",
                "(R_w - mean)/std(ddof 1) over the known symbols; 0 where they are equal",
                w + 1,
                w + 1,
                "standard score",
                unit="deviations",
            )
            for w in windows
        ),
        *(
            _column(
                f"distance_{w}_median",
                "R_w - median over the known symbols",
                w + 1,
                w + 1,
                "distance from the median",
            )
            for w in windows
        ),
        *(
            _column(
                f"outlier_{w}_mad",
                "0.6745 (R_w - median)/median(abs(R_w - median)) over the known symbols, cut at 50; 0 where the"
                " denominator is 0",
                w + 1,
                w + 1,
                _OUTLIER,
                unit="deviations",
                low=-50.0,
                high=50.0,
            )
            for w in windows
        ),
    )


def _betas(config: CrossConfig) -> tuple[Column, ...]:
    return tuple(
        _column(f"beta_{w}_{of}", f"cov(x, {s}, w)/var({s}, w); 0 where {s} does not move", w + 1, w + 1, _SHARPE)
        for of, s in (("market", "m"), ("sector", "p"))
        for w in config.beta_frames
    )


def _correlations(config: CrossConfig, proxies: tuple[str, ...]) -> tuple[Column, ...]:
    w, short, long, volume = (
        config.correlation_frames, config.short_frames, config.long_frames, config.volume_frames,
    )  # fmt: skip
    return (
        _correlation(f"corr_{w}_market", "rho(x, m, w)", w + 1, w + 1),
        _correlation(f"corr_{w}_sector", "rho(x, p, w)", w + 1, w + 1),
        *(_correlation(f"corr_{w}_{name}", f"rho(x, {PROXIES[name]}, w)", w + 1, w + 1) for name in proxies),
        _correlation(f"corr_{w}_universe", "mean of rho(x, x_j, w) over the other known j; 0 if none", w + 1, w + 1),
        _correlation(
            f"leadlag_{w}_market",
            "rho(x, m[1], w)",
            w + 2,
            w + 2,
            "A. Lo, A. C. MacKinlay, When Are Contrarian Profits Due to Stock Market Overreaction?, 1990",
        ),
        _column(
            f"corr_{short}_{long}_change",
            f"rho(x, m, {short}) - rho(x, m, {long})",
            long + 1,
            long + 1,
            "change of the sample correlation",
            low=-2.0,
            high=2.0,
        ),
        _correlation(f"corr_{volume}_volume", "rho(x, volume, w)", volume + 1, volume + 1),
    )


def _refit(config: CrossConfig, frames: int) -> tuple[int, int]:
    """Return the window and the warm-up of a statistic that reads `frames` closes and is held between refits."""
    cadence = config.cadence_frames
    return frames + cadence - 1, -(-frames // cadence) * cadence


def _factors(config: CrossConfig) -> tuple[Column, ...]:
    w = config.factor_frames
    window, warmup = _refit(config, w + 1)
    change_warmup = warmup + config.exposure_refits * config.cadence_frames
    return (
        _correlation(
            f"partial_{w}_market",
            "rho(x, m, w) given all other symbols, -P_xm/sqrt(P_xx P_mm), P the inverse of the correlation matrix"
            " shrunk to the identity by the intensity of the source, at least 0.01; 1 for the market itself",
            window,
            warmup,
            _LEDOIT,
        ),
        *(
            _correlation(
                f"pca_{w}_loading{k}",
                f"rho(x, component {k}, w) of the standardised returns; keeps its direction between refits; 0 where"
                " there are fewer components",
                0,
                warmup,
                _PCA,
            )
            for k in range(1, N_FACTORS + 1)
        ),
        *(
            _column(
                f"pca_{w}_change{k}",
                f"loading{k} less that of {config.exposure_frames} frames before, in whole refits",
                0,
                change_warmup,
                _PCA,
                low=-2.0,
                high=2.0,
            )
            for k in range(1, N_FACTORS + 1)
        ),
        _column(
            f"idiosyncratic_{w}_volatility",
            f"std(x, w, ddof 1) sqrt(1 - sum(loading^2)) over {N_FACTORS} components, a frame",
            window,
            warmup,
            _PCA,
            low=0.0,
        ),
        _column(
            f"pca_{w}_first",
            "largest eigenvalue of the correlation matrix over their sum, the same for all symbols; 0 if nothing moves",
            window,
            warmup,
            _ABSORPTION,
            unit="fraction",
            low=0.0,
            high=1.0,
        ),
        _column(
            f"pca_{w}_absorption",
            f"sum of the {N_FACTORS} largest eigenvalues over the sum of all, the same for all symbols; 0 if nothing"
            " moves",
            window,
            warmup,
            _ABSORPTION,
            unit="fraction",
            low=0.0,
            high=1.0,
        ),
    )


def _network(config: CrossConfig) -> tuple[Column, ...]:
    w = config.network_frames
    window, warmup = _refit(config, w + 1)

    def share(name: str, formula: str, source: str) -> Column:
        return _column(name, formula, window, warmup, source, unit="fraction", low=0.0, high=1.0)

    return (
        share(f"network_{w}_degree", "links over n - 1, a link where abs(rho(w)) > 0.5; 0 if alone", _NETWORK),
        share(
            f"network_{w}_centrality",
            "entry of the first eigenvector of the matrix of links, the largest being 1; 0 without links",
            _CENTRALITY,
        ),
        share(
            f"cluster_{w}_share",
            "members of the cluster over n; clusters by average linkage of 1 - rho(w), cut at 0.5",
            _CLUSTER,
        ),
        _correlation(
            f"cluster_{w}_corr",
            "mean of rho(w) with the other members of the cluster; 0 if alone",
            window,
            warmup,
            _CLUSTER,
        ),
        _column(
            f"cluster_{w}_rank",
            "1 + number of clusters with more members",
            window,
            warmup,
            _CLUSTER,
            unit="index",
            low=1.0,
        ),
        share(
            f"contagion_{w}_stressed",
            "mean of abs(rho(w)) with the other symbols whose R_5 is below its 10th percentile; 0 if none",
            _CONTAGION,
        ),
    )
