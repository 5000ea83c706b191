"""The report as one HTML page that needs nothing beside it."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from outcry.backtest.analytics.monte_carlo import DEPTHS, N_PATHS
from outcry.backtest.analytics.round_trips import Trade
from outcry.backtest.analytics.summary import Analysis, Summary
from outcry.backtest.history import RunHistory
from outcry.backtest.report.detail_figures import (
    MAX_SYMBOLS,
    MAX_TRADES,
    calibration_figure,
    cost_figure,
    latency_figure,
    symbol_figure,
    trade_figure,
)
from outcry.backtest.report.figures import equity_figure, exposure_figure, fan_figure, period_figure, period_name
from outcry.backtest.report.key_figures import assumed_costs_text, key_figures
from outcry.backtest.report.number_format import day, duration, minute, money, percent, plain, span
from outcry.backtest.report.style_sheet import STYLE_SHEET
from outcry.messages import Side

LARGEST_TRADES = 5
MAX_EVENTS = 200
MAX_COLUMNS = 20
MIN_SECTORS = 2
FLAT_FRAC = 5e-5


def render_page(history: RunHistory, analysis: Analysis) -> str:
    """Return the page. Every text from outside is escaped; the page refers to no other file and no address."""
    summary = analysis.summary
    charts = _Charts()
    sections = [
        _header(summary),
        _tiles(summary),
        _warnings(summary),
        charts.card(
            "Equity and drawdown", equity_figure(history, analysis), "After costs. Buy and hold pays its entry."
        ),
        charts.card(f"Returns by {period_name(history)}", period_figure(history), "Per cent, after costs."),
        _deepest_drawdowns(history, summary),
        _monte_carlo(history, analysis, charts),
        _key_figures(summary),
        charts.card("Exposure", exposure_figure(history), "At the close of each frame."),
    ]
    if history.fills:
        caption = f"The {MAX_SYMBOLS} most extreme symbols at most; the figures of all are in summary.json."
        sections.append(charts.card("Profit by symbol", symbol_figure(summary.symbols), caption))
        sections.append(_sectors(summary))
        caption = "From what the positions made to what was left of it."
        sections.append(charts.card("What costs took", cost_figure(summary), caption))
    if analysis.trades:
        caption = f"Fills matched first in, first out. Points: the {MAX_TRADES:,} largest at most; distribution: all."
        sections.append(charts.card("Trades", trade_figure(analysis.trades), caption))
        sections.append(_largest_trades(analysis.trades))
    if summary.forecasts is not None:
        caption = "Graded only where the horizon has passed. On the dotted line a forecast means what it says."
        sections.append(charts.card("Calibration of the forecasts", calibration_figure(summary.forecasts), caption))
    if any(len(samples) for samples in history.latency_ms.values()):
        sections.append(charts.card("Latency by stage", latency_figure(history.latency_ms), "Wall time, milliseconds."))
    sections += [_selection(history), _feature_quality(history), _risk_events(history), _settings(history, summary)]
    return _document(f"outcry · run {summary.run_id}", "\n".join(filter(None, sections)), charts.script())


class _Charts:
    """Places for charts on the page, and the script that fills them."""

    def __init__(self) -> None:
        self._figures: list[str] = []

    def card(self, title: str, figure: go.Figure, caption: str) -> str:
        place = f"chart-{len(self._figures)}"
        self._figures.append(f'"{place}": {figure.to_json()}')  # plotly escapes "<" and ">" in it
        height = figure.layout.height
        chart = f'<div class="chart" id="{place}" style="height:{height}px"></div>'
        return _card(title, f'<p class="caption">{escape(caption)}</p>{chart}')

    def script(self) -> str:
        figures = ",\n".join(self._figures)
        return f"""const figures = {{{figures}}};
const options = {{displayModeBar: false, displaylogo: false, responsive: true, plotlyServerURL: ""}};
for (const [place, figure] of Object.entries(figures)) Plotly.newPlot(place, figure.data, figure.layout, options);"""


def _document(title: str, body: str, script: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE_SHEET}</style>
</head>
<body>
<main>
{body}
</main>
<script>{get_plotlyjs()}</script>
<script>
{script}
</script>
</body>
</html>
"""


def _header(summary: Summary) -> str:
    change = summary.returns.total_return_frac
    tone = "flat" if abs(change) < FLAT_FRAC else "gain" if change > 0 else "loss"
    trained = f"trained on {span(summary.training_span_ns)}" if summary.training_span_ns else "no model was trained"
    sample = "out of sample" if summary.is_out_of_sample else "IN SAMPLE"
    lines = (
        f"run {summary.run_id} · {summary.mode} · {summary.source} · model {summary.model_version}",
        f"Traded {sample} {span(summary.trading_span_ns)}; {trained}. Costs: {assumed_costs_text(summary)}.",
    )
    runs = "".join(f'<p class="run">{escape(line)}</p>' for line in lines)
    return f'<header><h1 class="{tone}">{escape(summary.verdict)}</h1>{runs}</header>'


def _tiles(summary: Summary) -> str:
    returns, interval = summary.returns, summary.sharpe_interval
    between = f"95 % interval {interval.low:.2f} to {interval.high:.2f}" if interval else "too short for an interval"
    tiles = (
        (percent(returns.total_return_frac, signed=True), "total return, after costs"),
        (percent(returns.annual_return_frac, signed=True), "return per year (CAGR)"),
        (plain(returns.sharpe), f"Sharpe ratio, {between}"),
        (percent(summary.drawdown.max_frac), "largest drawdown"),
        (money(summary.costs.total), "costs: commission and slippage"),
        (f"{summary.trades.n_trades:,}", f"closed trades, {percent(summary.trades.win_rate_frac, 1)} won"),
    )
    inner = "".join(f'<div class="tile"><b>{escape(text)}</b><span>{escape(name)}</span></div>' for text, name in tiles)
    return f'<div class="tiles">{inner}</div>'


def _warnings(summary: Summary) -> str:
    if not summary.warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in summary.warnings)
    return _card("Before trusting these numbers", f"<ul>{items}</ul>", extra="notes")


def _key_figures(summary: Summary) -> str:
    cards = [_card(name, _facts(rows)) for name, rows in key_figures(summary).items()]
    note = (
        "Ratios from the equity by session (UTC day), annualised by the sessions in a year of trading, above a "
        f"risk-free rate of {percent(summary.risk_free_per_year)} a year."
    )
    return f'<div class="pair">{"".join(cards)}</div><p class="caption">{escape(note)}</p>'


def _deepest_drawdowns(history: RunHistory, summary: Summary) -> str:
    if not summary.drawdown.deepest:
        return ""
    ts_close_ns = history.ts_close_ns
    rows = []
    for each in summary.drawdown.deepest:
        end = len(ts_close_ns) - 1 if each.recovered_row is None else each.recovered_row
        rows.append(
            (
                percent(-each.depth_frac),
                day(int(ts_close_ns[each.first_row])),
                day(int(ts_close_ns[each.deepest_row])),
                "not yet" if each.recovered_row is None else day(int(ts_close_ns[end])),
                duration(int(ts_close_ns[end] - ts_close_ns[each.first_row]) / 1e9),
            )
        )
    table = _table(("Depth", "From", "Deepest", "Back at the peak", "Length"), rows, first_number=4)
    return _card("Deepest drawdowns", table)


def _monte_carlo(history: RunHistory, analysis: Analysis, charts: _Charts) -> str:
    summary, fan = analysis.summary, analysis.equity_fan
    drawn = {"returns": summary.resampled_returns, "trades": summary.resampled_trades}
    found = {name: each for name, each in drawn.items() if each is not None}
    if not found or fan is None:
        return ""
    caption = f"Session returns drawn again in blocks, {N_PATHS:,} times: what luck alone does to a run like this."
    heads = ("Drawn again", "Ends with a loss", *(f"Falls {depth:.0%}" for depth in DEPTHS), "Return, 5 % to 95 %")
    rows = [
        (
            name,
            percent(each.loss_probability, 1),
            *(percent(probability, 1) for probability in each.depth_probabilities),
            f"{percent(each.total_return_fracs[0], 1)} to {percent(each.total_return_fracs[-1], 1)}",
        )
        for name, each in found.items()
    ]
    table = _card("How deep it could have fallen", _table(heads, rows, first_number=1))
    return charts.card("The run among its like", fan_figure(history, fan), caption) + table


def _sectors(summary: Summary) -> str:
    if len(summary.sectors) < MIN_SECTORS:
        return ""
    rows = [
        (
            each.sector,
            money(each.net, signed=True),
            money(each.commission + each.slippage),
            money(each.traded_value),
            f"{each.n_trades:,}",
        )
        for each in sorted(summary.sectors, key=lambda each: -each.net)
    ]
    return _card("Profit by sector", _table(("Sector", "Profit", "Costs", "Traded", "Trades"), rows, first_number=1))


def _largest_trades(trades: Sequence[Trade]) -> str:
    ranked = sorted(trades, key=lambda trade: trade.pnl, reverse=True)
    chosen = ranked if len(ranked) <= 2 * LARGEST_TRADES else ranked[:LARGEST_TRADES] + ranked[-LARGEST_TRADES:]
    rows = [
        (
            trade.symbol,
            "long" if trade.side is Side.BUY else "short",
            minute(trade.entry_ts_ns),
            minute(trade.exit_ts_ns),
            duration(trade.holding_ns / 1e9),
            f"{trade.quantity:,g}",
            plain(trade.entry_price),
            plain(trade.exit_price),
            money(trade.commission),
            money(trade.pnl, signed=True),
            percent(trade.return_frac, signed=True),
        )
        for trade in chosen
    ]
    heads = (
        "Symbol",
        "Side",
        "Entry (UTC)",
        "Exit (UTC)",
        "Held",
        "Quantity",
        "In",
        "Out",
        "Commission",
        "P&L",
        "Return",
    )
    return _card("Best and worst trades", _table(heads, rows, first_number=4))


def _selection(history: RunHistory) -> str:
    record = history.selection
    if record is None:
        return ""
    *_, test = record.chosen
    if not record.methods:
        how = f"The model reads all {record.n_candidates:,} columns: none was selected."
        return _card("Columns of the model", f'<p class="caption">{how}</p>')
    agreement = "" if record.nogueira is None else f" and agree to {record.nogueira:.2f} beyond chance (1: always)"
    how = (
        f"{len(test):,} of {record.n_candidates:,} columns, chosen by {', then '.join(record.methods)}, anew in each "
        f"of {len(record.chosen)} folds on its training rows. Two folds share {record.jaccard:.0%} of what either chose"
        f"{agreement}. The best {MAX_COLUMNS} of the last fold:"
    )
    rows = [
        (name, f"{sum(name in fold for fold in record.chosen)} of {len(record.chosen)}") for name in test[:MAX_COLUMNS]
    ]
    table = _table(("Column", "Folds that chose it"), rows, first_number=1)
    return _card("Columns of the model", f'<p class="caption">{how}</p>{table}')


def _feature_quality(history: RunHistory) -> str:
    found = history.feature_quality
    if not found:
        return _card("Features", '<p class="caption">Every column stayed known, finite and in its range.</p>')
    rows = [
        (
            column.column,
            f"{column.n_values:,}",
            f"{column.n_lost:,}",
            f"{column.n_infinite:,}",
            f"{column.n_outside:,}",
            "yes" if column.is_constant else "",
        )
        for column in found[:MAX_EVENTS]
    ]
    shown = f"{len(found):,} columns went wrong" + (f"; {MAX_EVENTS} are listed." if len(found) > MAX_EVENTS else ".")
    heads = ("Column", "Values", "NaN after a number", "Infinite", "Out of range", "Constant")
    return _card("Features", f'<p class="caption">{shown}</p>{_table(heads, rows, first_number=1)}')


def _risk_events(history: RunHistory) -> str:
    events = history.risk_events
    if not events:
        return _card("Risk events", '<p class="caption">No limit acted.</p>')
    first_seq = history.risk_events[0].seq
    rows = [
        (
            f"{event.seq:,}",
            event.limit,
            event.symbol or "all",
            event.action,
            f"{event.value:.6g}",
            f"{event.threshold:.6g}",
        )
        for event in events[:MAX_EVENTS]
    ]
    shown = f"{len(events):,} in all, the first at frame {first_seq:,}"
    shown += f"; the first {MAX_EVENTS} are listed." if len(events) > MAX_EVENTS else "."
    table = _table(("Frame", "Limit", "Symbol", "Action", "Value", "Threshold"), rows, first_number=4)
    return _card("Risk events", f'<p class="caption">{shown}</p>{table}')


def _settings(history: RunHistory, summary: Summary) -> str:
    facts = {
        "Run": history.run_id,
        "Mode": history.mode,
        "Source": history.source,
        "Symbols": f"{len(history.universe)}: {', '.join(history.universe.symbols)}",
        "Bar": duration(history.bar_ns / 1e9),
        "Frames per year": f"{history.bars_per_year:,.0f}",
        "Model": history.model_version,
        "Horizon": f"{history.horizon_bars:,} frames",
        "Initial cash": money(history.initial_cash),
        "Costs assumed": assumed_costs_text(summary),
        **{f"Orders {status}": f"{count:,}" for status, count in history.orders_by_status.items()},
        **history.settings,
    }
    rows = "".join(f'<tr><th>{escape(k)}</th><td class="wide">{escape(v)}</td></tr>' for k, v in facts.items())
    return _card("Configuration", f"<table>{rows}</table>")


def _facts(rows: Sequence[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f'<table class="facts">{body}</table>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], first_number: int) -> str:
    def cells(tag: str, texts: Sequence[str]) -> str:
        kinds = ("" if column < first_number else ' class="number"' for column in range(len(texts)))
        return "".join(f"<{tag}{kind}>{escape(text)}</{tag}>" for kind, text in zip(kinds, texts, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells("th", heads)}</tr>{body}</table></div>'


def _card(title: str, inner: str, extra: str = "") -> str:
    return f'<section class="card {extra}"><h2>{escape(title)}</h2>{inner}</section>'
