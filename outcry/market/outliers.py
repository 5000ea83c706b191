"""Returns that do not look like the others of their symbol."""

import numpy as np
import polars as pl

from outcry.market.placement import Placement

OUTLIER_MADS = 20.0

_LEAST_MAD = 1e-4
_ENOUGH_RETURNS = 30


def flag_outliers(ordered: pl.DataFrame, placement: Placement) -> pl.DataFrame:
    """Return the bars whose log return lies more than 20 median absolute deviations from the median.

    Parameters
    ----------
    ordered : polars.DataFrame
        Normalised bars, by symbol and time.
    placement : Placement
        Of these rows.

    Returns
    -------
    polars.DataFrame
        Rows of `ordered` with ``log_return``, from the close of the bar before.

    Notes
    -----
    Returns within a session and returns across the break between two sessions are two populations, each with its own
    median and deviation; one of fewer than 30 returns is not judged. The deviation is at least one basis point, so
    that a symbol that hardly trades does not have every tick flagged. An outlier is a question, not an error: prices
    do jump. 20 deviations are about 13 standard deviations of a normal distribution.

    References
    ----------
    Iglewicz and Hoaglin, *How to Detect and Handle Outliers*, 1993: the robust z-score from the median and the MAD.
    """
    close = pl.when(pl.col("close") > 0).then(pl.col("close")).fill_nan(None)
    table = ordered.with_columns(
        pl.Series("session", placement.session.astype(np.int64)),
        close.log().diff().over("symbol").alias("log_return"),
    )
    group = ["symbol", "across"]
    across = (pl.col("session") != pl.col("session").shift()).over("symbol")
    table = table.with_columns(across.alias("across")).filter(pl.col("log_return").is_not_null())
    deviation = (pl.col("log_return") - pl.col("log_return").median().over(group)).abs()
    table = table.with_columns(deviation.alias("deviation")).with_columns(
        pl.col("deviation").median().clip(lower_bound=_LEAST_MAD).over(group).alias("mad"),
        pl.len().over(group).alias("n_returns"),
    )
    is_outlier = (pl.col("deviation") > OUTLIER_MADS * pl.col("mad")) & (pl.col("n_returns") >= _ENOUGH_RETURNS)
    return table.filter(is_outlier).select(*ordered.columns, "log_return")
