"""The catalogue as a page to read: ``docs/features.md``."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from outcry.features.column import Column
from outcry.features.feature_set import FeatureSet

_GROUPS = {
    "trend": "Where the price stands against its own past: moving averages, directional strength, trailing stops.",
    "momentum": "How fast it moves: bounded oscillators, rates of change, MACD and its relatives.",
    "volatility": "How far it moves: true range, bands, and estimators of the annualised standard deviation.",
    "volume": "What trades behind the move: accumulation, money flow, activity, and the price levels it happened at.",
    "returns": "Changes over windows, and the moments of their distribution.",
    "shape": "The form of the bar, runs of bars, and the distance to the extremes of a window.",
    "candles": "Candlestick patterns: 1 where one points up, -1 where it points down, 0 where there is none.",
    "price_action": "Pivot levels of the session before, and patterns of confirmed swing highs and lows.",
    "session": "Where the bar stands in the trading day, and what the day did so far.",
    "rolling": "Rolling statistics: quantiles and tail risk, regression, drift detection, drawdown.",
    "statistics": "Tests and transforms that look at a whole window: stationarity, memory, breaks, spectra.",
    "micro": "Market microstructure: order flow, illiquidity and the cost of trading, from bars, quotes and trades.",
    "timeframes": "The same questions asked of longer bars, which are made of the base bars as they close.",
    "regime": "Combinations of the columns above into the state of the market.",
    "cross": "Each symbol among the others at one instant: ranks, betas, common factors, the network of correlations.",
}
"""What a group tells, in the order of the page."""

_INTRODUCTION = """\
# Features

{n_columns} columns, computed bar by bar. Training, backtest and the live floor run the same compiled code, so a column
has the same bits everywhere. This page is generated from the catalogue (`outcry features page`); one column is
shown with `outcry features describe {example}`, and a set is chosen under `features:` in the settings.

How to read it:

- **Known at the close.** The value of a bar uses that bar and bars before it. Nothing here looks ahead, and
  `outcry features leakcheck` proves it on any data.
- **Names** are `{{prefix}}_{{indicator}}_{{window}}_{{part}}`. Windows count bars of the symbol, whatever their size;
  those of `cross_` columns count frames, those of `mtf_` columns closed bars of the timeframe. `x[j]` is the value j
  bars ago, `w` the window in the name.
- **First value** is the first bar of a symbol, counted from 1, with a number. Before it a column is NaN, never a guess;
  from it on it is finite. A zero denominator has the value that the formula names.
- **Units.** `price`, `shares`, `currency` and `per_currency` depend on the scale of the symbol; models do not read
  those columns. `ratio` and `fraction` are pure numbers, `percent` is 100 times one, `deviations` counts standard
  deviations, `per_year_sqrt` is annualised volatility, `index` is an indicator's own scale, `flag` is 0 or 1 (or -1,
  0, 1).
- **every n** is the cadence of a dear column: it is computed every n bars and kept in between.
- **quotes**, **trades** mark what needs more than bars; without it the column is NaN.

Timeframes follow the bars: this page shows {bars} bars.
"""


def render_page(features: FeatureSet, bars: str) -> str:
    """Return the page of a feature set as Markdown; `bars` is the size of its bars in words."""
    by_group = {name: [column for column in features.columns if column.category == name] for name in _GROUPS}
    parts = [_INTRODUCTION.format(n_columns=len(features.columns), bars=bars, example="tech_rsi_14_raw")]
    contents = [f"[{name}](#{name}) ({len(columns)})" for name, columns in by_group.items() if columns]
    parts.append(" · ".join(contents) + "\n")
    for name, columns in by_group.items():
        if columns:
            parts.append(f"## {name}\n\n{_GROUPS[name]}\n\n" + "\n".join(_table(columns)) + "\n")
    return "\n".join(parts)


def _table(columns: Sequence[Column]) -> Iterator[str]:
    yield "| column | formula | first value | unit | range | source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for _, same in groupby(columns, key=lambda c: (c.formula, c.unit, c.low, c.high, c.source, c.needs)):
        alike = list(same)
        first = alike[0]
        cells = (
            "<br>".join(f"`{column.name}`" for column in alike),
            _escape(first.formula),
            ", ".join(dict.fromkeys(_first_value(column) for column in alike)),
            first.unit + (f", {first.needs}" if first.needs else ""),
            f"{_bound(first.low)} … {_bound(first.high)}",
            _escape(first.source),
        )
        yield f"| {' | '.join(cells)} |"


def _first_value(column: Column) -> str:
    sessions = f" in session {column.warmup_sessions}" if column.warmup_sessions > 1 else ""
    cadence = f", every {column.cadence_bars}" if column.cadence_bars > 1 else ""
    return f"{column.warmup_bars}{sessions}{cadence}"


def _bound(value: float) -> str:
    return f"{value:g}".replace("inf", "∞")


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
