"""What a bar must satisfy: the rules that loading enforces and the quality report counts."""

from dataclasses import dataclass

import polars as pl

from outcry.market.frame import PRICE_FIELDS


@dataclass(frozen=True, slots=True)
class BarRule:
    """One rule on a single row.

    Attributes
    ----------
    kind : str
        Name of the finding.
    text : str
        The rule in words.
    breaks : polars.Expr
        True in rows of a normalised bar table that break the rule; never null.
    """

    kind: str
    text: str
    breaks: pl.Expr

    def applies_to(self, bars: pl.DataFrame) -> bool:
        """Say whether a table has the columns that the rule reads; those of a tape are optional."""
        return set(self.breaks.meta.root_names()) <= set(bars.columns)


_prices = [pl.col(name) for name in PRICE_FIELDS]
_is_missing = pl.any_horizontal(*(~price.is_finite().fill_null(value=False) for price in _prices))
_is_not_positive = pl.any_horizontal(*((price <= 0).fill_null(value=False) for price in _prices))
_contradicts = (pl.col("high") < pl.max_horizontal("open", "low", "close")) | (
    pl.col("low") > pl.min_horizontal("open", "high", "close")
)


def _is_not_finite_or(name: str, is_wrong: pl.Expr) -> pl.Expr:
    """Say where a value is infinite or wrong; one that is not known is neither."""
    return (~pl.col(name).is_finite() | is_wrong).fill_null(value=False)


_TAPE_RULES = (
    *(
        BarRule(
            f"bad_{name}",
            f"{name} must be finite and positive, empty where there is none",
            _is_not_finite_or(name, pl.col(name) <= 0),
        )
        for name in ("bid", "ask")
    ),
    *(
        BarRule(
            f"bad_{name}",
            f"{name} must be finite and not negative, empty where it is not known",
            _is_not_finite_or(name, pl.col(name) < 0),
        )
        for name in ("bid_size", "ask_size", "trades")
    ),
    BarRule(
        "bad_buy_volume",
        "buy_volume must be from 0 to volume, empty where it is not known",
        _is_not_finite_or("buy_volume", (pl.col("buy_volume") < 0) | (pl.col("buy_volume") > pl.col("volume"))),
    ),
)

BAR_RULES = (
    BarRule("missing_price", "open, high, low and close must be finite numbers", _is_missing),
    BarRule("non_positive_price", "open, high, low and close must be positive", _is_not_positive),
    BarRule(
        "ohlc_contradiction",
        "low must not be above, and high not below, open and close",
        (_contradicts & ~_is_missing).fill_null(value=False),
    ),
    BarRule(
        "bad_volume",
        "volume must be finite and not negative",
        ~((pl.col("volume") >= 0) & pl.col("volume").is_finite()),
    ),
    *_TAPE_RULES,
)
