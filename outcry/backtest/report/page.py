"""The report as one HTML page that needs nothing beside it."""

from collections.abc import Iterator, Sequence
from html import escape

from outcry.backtest.analytics.monte_carlo import DEPTHS, N_PATHS
from outcry.backtest.analytics.rolling_sharpe import rolling_window
from outcry.backtest.analytics.round_trips import Trade
from outcry.backtest.analytics.summary import Analysis, Summary
from outcry.backtest.history import RunHistory
from outcry.backtest.report.attribution_cards import factor_card, regime_card
from outcry.backtest.report.detail_figures import (
    MAX_SYMBOLS,
    MAX_TRADES,
    calibration_figure,
    cost_figure,
    latency_figure,
    symbol_figure,
    trade_figure,
)
from outcry.backtest.report.evolution_figures import (
    WINDOW_HEADS,
    return_figure,
    rolling_figure,
    window_figure,
    window_rows,
)
from outcry.backtest.report.figures import equity_figure, exposure_figure, fan_figure, period_figure, period_name
from outcry.backtest.report.honesty import honesty_card
from outcry.backtest.report.html_parts import Charts, caption, card, document, facts, table
from outcry.backtest.report.key_figures import assumed_costs_text, key_figures
from outcry.backtest.report.model_cards import explanation_cards, fold_cards, identity_card, selection_card
from outcry.backtest.report.number_format import day, duration, minute, money, percent, plain, rounded, span
from outcry.backtest.report.price_figure import MAX_MARKERS, price_figures
from outcry.backtest.report.trial_cards import trial_cards
from outcry.messages import Side

LARGEST_TRADES = 5
MAX_EVENTS = 200
MIN_SECTORS = 2
MIN_SESSIONS = 10
FLAT_FRAC = 5e-5
NO_BREAK = "\N{NO-BREAK SPACE}"
CARDS_OF_THEIR_OWN = ("Evidence", "Explained by factors")


def render_page(history: RunHistory, analysis: Analysis) -> str:
    """Return the page. Every text from outside is escaped; the page refers to no other file and no address."""
    summary = analysis.summary
    charts = Charts()
    sections = [
        _header(summary),
        honesty_card(summary, history.sweep),
        *trial_cards(history.sweep, charts),
        _tiles(summary),
        *_account(history, analysis, charts),
        _windows(history, charts),
        *_trading(history, analysis, charts),
        *_model(history, summary, charts),
        _risk_events(history),
        _settings(history, summary),
    ]
    return document(f"outcry · run {summary.run_id}", "\n".join(filter(None, sections)), charts)


def _account(history: RunHistory, analysis: Analysis, charts: Charts) -> Iterator[str]:
    summary = analysis.summary
    note = "After costs, the benchmark too. Under it how far the account is below its peak."
    yield charts.card("Equity and drawdown", equity_figure(history, analysis), note)
    yield charts.card(f"Returns by {period_name(history)}", period_figure(history), "Per cent, after costs.")
    window = rolling_window(summary.returns.n_sessions)
    if window is not None:
        note = (
            f"Of the last {window} sessions. The band holds 95 % of what luck makes of a window where the ratio is all "
            "along that of the whole run."
        )
        yield charts.card("Rolling Sharpe ratio", rolling_figure(history, summary, window), note)
    if summary.returns.n_sessions >= MIN_SESSIONS:
        note = "Dotted: a normal distribution as wide. The upright line is the value at risk, 95 %."
        yield charts.card("Distribution of session returns", return_figure(history, summary), note)
    yield _consistency(summary)
    yield _deepest_drawdowns(history, summary)
    yield _monte_carlo(history, analysis, charts)
    yield _key_figures(summary)
    yield factor_card(summary.factors)
    yield regime_card(summary)
    yield charts.card("Exposure", exposure_figure(history, analysis), "At the close of each frame.")


def _trading(history: RunHistory, analysis: Analysis, charts: Charts) -> Iterator[str]:
    summary = analysis.summary
    if history.fills:
        note = f"Fills on the closes. The busiest symbols; of each, the {MAX_MARKERS} largest buys and sells at most."
        yield charts.choice_card("Where it bought and sold", price_figures(history), note, "Symbol")
        note = f"The {MAX_SYMBOLS} most extreme symbols at most; the figures of all are in summary.json."
        yield charts.card("Profit by symbol", symbol_figure(summary.symbols), note)
        yield _sectors(summary)
        note = "From what the positions made to what was left of it."
        yield charts.card("What costs took", cost_figure(summary), note)
    if analysis.trades:
        note = f"Fills matched first in, first out. Points: the {MAX_TRADES:,} largest at most; distribution: all."
        yield charts.card("Trades", trade_figure(analysis.trades), note)
        yield _largest_trades(analysis.trades)


def _model(history: RunHistory, summary: Summary, charts: Charts) -> Iterator[str]:
    if summary.forecasts is not None:
        note = "Graded only where the horizon has passed. On the dotted line a forecast means what it says."
        yield charts.card("Calibration of the forecasts", calibration_figure(summary.forecasts), note)
    if any(len(samples) for samples in history.latency_ms.values()):
        yield charts.card("Latency by stage", latency_figure(history.latency_ms), "Wall time, milliseconds.")
    if history.manifest is not None:
        yield identity_card(history.manifest)
        yield from fold_cards(history.manifest, charts)
    if history.explanation is not None:
        yield from explanation_cards(history.explanation, charts)
    if history.manifest is not None:
        yield selection_card(history.manifest.selection)
    yield _feature_quality(history)


def _header(summary: Summary) -> str:
    change = summary.returns.total_return_frac
    tone = "flat" if abs(change) < FLAT_FRAC else "gain" if change > 0 else "loss"
    if summary.n_trials > 1 and summary.training_span_ns is None:
        chosen = f"IN SAMPLE: chosen there as the best of {summary.n_trials:,} trials"
        traded = f"Traded {span(summary.trading_span_ns)}, {chosen}"
    elif summary.training_span_ns is None:
        traded = (
            f"Traded {span(summary.trading_span_ns)}. Nothing was fitted; parameters chosen by hand count as trials"
        )
    else:
        sample = "out of sample" if summary.is_out_of_sample else "IN SAMPLE"
        traded = f"Traded {sample} {span(summary.trading_span_ns)}; trained on {span(summary.training_span_ns)}"
    lines = (
        f"run {summary.run_id} · {summary.mode} · {summary.source} · model {summary.model_version}",
        f"{traded}. Costs: {assumed_costs_text(summary)}.",
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
        (money(summary.costs.total), "costs: commission, slippage, carry"),
        (f"{summary.trades.n_trades:,}", f"closed trades, {percent(summary.trades.win_rate_frac, 1)} won"),
    )
    inner = "".join(f'<div class="tile"><b>{escape(text)}</b><span>{escape(name)}</span></div>' for text, name in tiles)
    return f'<div class="tiles">{inner}</div>'


def _key_figures(summary: Summary) -> str:
    cards = [card(name, facts(rows)) for name, rows in key_figures(summary).items() if name not in CARDS_OF_THEIR_OWN]
    note = (
        "Ratios from the equity by session (UTC day), annualised by the sessions in a year of trading, above a "
        f"risk-free rate of {percent(summary.risk_free_per_year)} a year."
    )
    return f'<div class="pair">{"".join(cards)}</div>{caption(note)}'


def _consistency(summary: Summary) -> str:
    found = summary.consistency
    rows = [
        (
            name,
            f"{period.n_periods:,}",
            percent(period.winning_frac, 1),
            plain(period.sharpe_deviation),
            plain(period.chance_sharpe_deviation),
        )
        for name, period in (("Months", found.months), ("Quarters", found.quarters))
    ]
    note = (
        "How far the Sharpe ratios of the periods lie apart, and how far they would where skill is the same in all. "
        f"Evenness of growth (R²): {plain(found.stability)}."
    )
    heads = ("Periods", "Number", "With a gain", "Deviation of Sharpe", "By chance")
    return card("Consistency across periods", caption(note) + table(heads, rows, first_number=1))


def _windows(history: RunHistory, charts: Charts) -> str:
    if not history.windows:
        return ""
    note = "A bar a window: grey was fitted on, green or red was traded after it with a gain or a loss."
    listed = table(WINDOW_HEADS, window_rows(history.windows), first_number=4)
    return charts.card("Walk forward", window_figure(history.windows), note) + card("Windows", listed)


def _deepest_drawdowns(history: RunHistory, summary: Summary) -> str:
    if not summary.drawdown.deepest:
        return ""
    ts_close_ns = history.ts_close_ns
    rows = []
    for each in summary.drawdown.deepest:
        end = len(ts_close_ns) - 1 if each.recovered_row is None else each.recovered_row
        rows.append(
            (
                percent(-each.depth_frac).replace(" ", NO_BREAK),
                day(int(ts_close_ns[each.first_row])),
                day(int(ts_close_ns[each.deepest_row])),
                "not yet" if each.recovered_row is None else day(int(ts_close_ns[end])),
                duration(int(ts_close_ns[end] - ts_close_ns[each.first_row]) / 1e9),
            )
        )
    listed = table(("Depth", "From", "Deepest", "Back at the peak", "Length"), rows, first_number=4)
    return card("Deepest drawdowns", listed)


def _monte_carlo(history: RunHistory, analysis: Analysis, charts: Charts) -> str:
    summary, fan = analysis.summary, analysis.equity_fan
    drawn = {"returns": summary.resampled_returns, "trades": summary.resampled_trades}
    found = {name: each for name, each in drawn.items() if each is not None}
    if not found or fan is None:
        return ""
    note = f"Session returns drawn again in blocks, {N_PATHS:,} times: what luck alone does to a run like this."
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
    deep = card("How deep it could have fallen", table(heads, rows, first_number=1))
    return charts.card("The run among its like", fan_figure(history, fan), note) + deep


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
    return card("Profit by sector", table(("Sector", "Profit", "Costs", "Traded", "Trades"), rows, first_number=1))


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
            rounded(float(trade.quantity), 6),
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
    return card("Best and worst trades", table(heads, rows, first_number=4))


def _feature_quality(history: RunHistory) -> str:
    found = history.feature_quality
    if not found:
        return card("Features", '<p class="caption">Every column stayed known, finite and in its range.</p>')
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
    return card("Features", caption(shown) + table(heads, rows, first_number=1))


def _risk_events(history: RunHistory) -> str:
    events = history.risk_events
    if not events:
        return card("Risk events", '<p class="caption">No limit acted.</p>')
    first_seq = history.risk_events[0].seq
    rows = [
        (
            f"{event.seq:,}",
            event.limit,
            event.symbol or "all",
            event.action,
            rounded(event.value, 6),
            rounded(event.threshold, 6),
        )
        for event in events[:MAX_EVENTS]
    ]
    shown = f"{len(events):,} in all, the first at frame {first_seq:,}"
    shown += f"; the first {MAX_EVENTS} are listed." if len(events) > MAX_EVENTS else "."
    listed = table(("Frame", "Limit", "Symbol", "Action", "Value", "Threshold"), rows, first_number=4)
    return card("Risk events", f'{caption(shown)}<div class="tall">{listed}</div>')


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
    return card("Configuration", f"<table>{rows}</table>")
