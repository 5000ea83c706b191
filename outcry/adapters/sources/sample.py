"""Real daily bars that come with a package: works offline on a fresh machine."""

import polars as pl

SAMPLE_SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def read_sample() -> pl.DataFrame:
    """Read the daily bars of five stocks, 2000-03-01 to 2013-03-01, from ``bokeh_sampledata``.

    Returns
    -------
    polars.DataFrame
        ``symbol``, ``ts`` (the date of the session), ``open``, ``high``, ``low``, ``close`` in adjusted dollars,
        ``volume`` in adjusted shares.

    Notes
    -----
    With the ratio r = adjusted close / close of the day, prices are multiplied and volume divided by r: returns are
    those of a holder through splits and dividends, and the dollars traded stay what they were.

    References
    ----------
    Quandl WIKI Prices, declared public domain by its publisher; ``bokeh_sampledata.stocks``.
    """
    from bokeh_sampledata import stocks  # noqa: PLC0415 - unpacks its file when imported

    tables = []
    for symbol in SAMPLE_SYMBOLS:
        table = pl.DataFrame(getattr(stocks, symbol)).with_columns(pl.lit(symbol).alias("symbol"))
        tables.append(table)
    ratio = pl.col("adj_close") / pl.col("close")
    return pl.concat(tables).select(
        "symbol",
        pl.col("date").str.to_date().alias("ts"),
        *(pl.col(name) * ratio for name in ("open", "high", "low", "close")),
        pl.col("volume") / ratio,
    )
