"""The figures that the terminal and the page show, under the same words."""

from outcry.backtest.analytics.factor_attribution import Estimate
from outcry.backtest.analytics.summary import Summary
from outcry.backtest.report.number_format import ABSENT, duration, money, percent, plain, rounded, span

KeyFigures = dict[str, list[tuple[str, str]]]


def key_figures(summary: Summary) -> KeyFigures:
    """Return name and text of each figure, by group; forecasts only where there were any, or a model to make them."""
    groups = {
        "Result": _result(summary),
        "Evidence": _evidence(summary),
        "Risk": _risk(summary),
        "Trades": _trades(summary),
        "Costs and activity": _costs(summary),
        "Against the benchmark": _benchmark(summary),
        "Explained by factors": _factors(summary),
    }
    if summary.forecasts is not None or summary.training_span_ns is not None:
        groups["Forecasts"] = _forecasts(summary)
    return groups


def sharpe_text(summary: Summary) -> str:
    """Return the Sharpe ratio with its interval."""
    interval = summary.sharpe_interval
    text = plain(summary.returns.sharpe)
    if interval is None:
        return text
    return f"{text}  [{interval.low:.2f}, {interval.high:.2f}]"


def assumed_costs_text(summary: Summary) -> str:
    """Return what a trade was assumed to cost."""
    assumed = summary.costs.assumed
    parts = [f"{assumed.slippage_bps:g} bps slippage"]
    if assumed.commission_per_share:
        parts.append(f"{assumed.commission_per_share:g} a share")
    if assumed.commission_bps:
        parts.append(f"{assumed.commission_bps:g} bps commission")
    if assumed.min_commission:
        parts.append(f"at least {assumed.min_commission:g} a fill")
    return ", ".join(parts)


def _result(summary: Summary) -> list[tuple[str, str]]:
    returns, months, ratios = summary.returns, summary.months, summary.ratios
    return [
        ("Total return", percent(returns.total_return_frac, signed=True)),
        ("Return per year (CAGR)", percent(returns.annual_return_frac, signed=True)),
        ("Profit", money(summary.profit, signed=True)),
        ("Final equity", money(summary.final_equity)),
        ("Sharpe ratio [95 % interval]", sharpe_text(summary)),
        ("above a risk-free rate of", f"{percent(summary.risk_free_per_year)} a year"),
        ("Sortino, Omega", f"{plain(returns.sortino)}, {plain(returns.omega)}"),
        ("Calmar, Sterling, Burke", f"{plain(ratios.calmar)}, {plain(ratios.sterling)}, {plain(ratios.burke)}"),
        ("Pain, Martin (ulcer) ratio", f"{plain(ratios.pain)}, {plain(ratios.martin)}"),
        ("Months with a gain", f"{percent(months.positive_frac, 1)} of {months.n_months:,}"),
        ("Best, worst month", f"{percent(months.best_frac, signed=True)}, {percent(months.worst_frac, signed=True)}"),
        ("Evenness of growth (R²)", plain(returns.stability)),
        ("Sessions", f"{returns.n_sessions:,} ({summary.n_frames:,} frames)"),
        (_traded_name(summary), span(summary.trading_span_ns)),
        ("Trained on", "nothing was fitted" if summary.training_span_ns is None else span(summary.training_span_ns)),
    ]


def _traded_name(summary: Summary) -> str:
    if summary.is_in_sample:
        return "Traded, IN SAMPLE"
    return "Traded, out of sample" if summary.is_out_of_sample else "Traded"


def _evidence(summary: Summary) -> list[tuple[str, str]]:
    returns, evidence, interval = summary.returns, summary.evidence, summary.sharpe_interval
    needed, timing, drawn = evidence.min_track_record_sessions, evidence.timing, summary.resampled_returns
    return [
        ("Trials it was chosen from", f"{summary.n_trials:,}"),
        ("Sharpe > 0, resampled", ABSENT if interval is None else percent(interval.probability_positive, 1)),
        ("Sharpe > 0, by its moments (PSR)", percent(evidence.probabilistic_sharpe_frac, 1)),
        (
            "Sessions that would show it",
            ABSENT if needed is None else f"{needed:,}; here {returns.n_sessions:,}",
        ),
        ("Mean return is 0: t, p", f"{plain(returns.t_statistic)}, {plain(returns.p_value, 3)}"),
        ("Drawn again: ends with a loss", ABSENT if drawn is None else percent(drawn.loss_probability, 1)),
        ("Drawn again: drawdown of 1 in 20", ABSENT if drawn is None else percent(drawn.max_drawdown_fracs[-1])),
        ("Timing, before costs", ABSENT if timing is None else percent(timing.gain, signed=True)),
        ("Same positions, at any time", ABSENT if timing is None else percent(timing.expected_gain, signed=True)),
        ("Timing is chance: p", ABSENT if timing is None else plain(timing.p_value, 3)),
    ]


def _risk(summary: Summary) -> list[tuple[str, str]]:
    returns, drawdown = summary.returns, summary.drawdown
    recovery = drawdown.recovery_bars
    return [
        ("Volatility per year", percent(returns.volatility_per_year)),
        ("Largest drawdown", percent(drawdown.max_frac)),
        ("Mean under water, ulcer index", f"{percent(drawdown.average_frac)}, {percent(drawdown.ulcer_index_frac)}"),
        ("Drawdowns", f"{drawdown.n_drawdowns:,}, {percent(drawdown.average_depth_frac)} deep on average"),
        ("Their average length", _frames(drawdown.average_bars, summary)),
        ("Longest under a peak", _frames(drawdown.longest_bars, summary)),
        ("Recovery from the largest", "not recovered" if recovery is None else _frames(recovery, summary)),
        ("VaR 95 %, 99 %, one session", f"{percent(returns.var_95_frac)}, {percent(returns.var_99_frac)}"),
        ("CVaR 95 %, 99 %, one session", f"{percent(returns.cvar_95_frac)}, {percent(returns.cvar_99_frac)}"),
        ("Skewness, excess kurtosis", f"{plain(returns.skewness)}, {plain(returns.excess_kurtosis)}"),
        ("Tail ratio, 95th to 5th", plain(returns.tail_ratio)),
        ("Sessions with a gain", percent(returns.positive_sessions_frac, 1)),
        ("Best session", percent(returns.best_session_frac, signed=True)),
        ("Worst session", percent(returns.worst_session_frac, signed=True)),
    ]


def _trades(summary: Summary) -> list[tuple[str, str]]:
    trades = summary.trades
    return [
        ("Closed trades (first in, first out)", f"{trades.n_trades:,}"),
        ("Win rate", percent(trades.win_rate_frac, 1)),
        ("Average win, largest", f"{money(trades.average_win)}, {money(trades.largest_win)}"),
        ("Average loss, largest", f"{money(trades.average_loss)}, {money(trades.largest_loss)}"),
        ("Profit factor, payoff ratio", f"{plain(trades.profit_factor)}, {plain(trades.payoff_ratio)}"),
        ("Expectancy a trade", money(trades.expectancy, signed=True)),
        ("Average return of a trade", percent(trades.average_return_frac, signed=True)),
        ("Average holding time", _hours(trades.average_holding_hours)),
        ("That of wins, of losses", f"{_hours(trades.average_winning_hours)}, {_hours(trades.average_losing_hours)}"),
        ("Longest streak won, lost", f"{trades.longest_winning_streak:,}, {trades.longest_losing_streak:,} trades"),
        ("Closed trades a year", f"{summary.activity.trades_per_year:,.1f}"),
    ]


def _costs(summary: Summary) -> list[tuple[str, str]]:
    costs, activity = summary.costs, summary.activity
    turnover = activity.turnover_per_year
    dividends = sum(symbol.dividends for symbol in summary.symbols)
    held = [("Borrow fees and interest", money(costs.carry))] if costs.carry else []
    held += [("Dividends received", money(dividends, signed=True))] if dividends else []
    return [
        ("Assumed", assumed_costs_text(summary)),
        ("Commission paid", money(costs.commission)),
        ("Slippage paid", money(costs.slippage)),
        *held,
        ("Profit before costs", money(costs.gross_profit, signed=True)),
        ("Costs, share of it", percent(costs.share_of_gross_frac, 1)),
        ("Fills", f"{activity.n_fills:,}"),
        ("Turnover per year", ABSENT if turnover is None else f"{turnover:,.1f} times the equity"),
        ("Average exposure, gross", percent(activity.average_gross_frac, 1)),
        ("Average exposure, net", percent(activity.average_net_frac, 1)),
        ("Time in the market", percent(activity.time_in_market_frac, 1)),
    ]


def _benchmark(summary: Summary) -> list[tuple[str, str]]:
    held, regression = summary.benchmark, summary.regression
    rows = [("Benchmark", summary.benchmark_name)]
    if held is None:
        return [*rows, ("Its prices", "none in the traded span")]
    gap = summary.returns.total_return_frac - held.total_return_frac
    rows += [
        ("Its total return", percent(held.total_return_frac, signed=True)),
        ("Ahead of it (behind: negative)", percent(gap, signed=True)),
        ("Its Sharpe ratio", plain(held.sharpe)),
        ("Its volatility per year", percent(held.volatility_per_year)),
    ]
    if regression is None:
        return [*rows, ("Beta, alpha", "too few sessions, or nothing that varies")]
    return [
        *rows,
        ("Beta", plain(regression.beta)),
        ("Alpha per year", percent(regression.alpha_per_year, signed=True)),
        ("R²", plain(regression.r_squared)),
        ("Treynor ratio", plain(regression.treynor)),
        ("Active return per year", percent(regression.active_per_year, signed=True)),
        ("Tracking error per year", percent(regression.tracking_error_per_year)),
        ("Information ratio", plain(regression.information_ratio)),
    ]


def _factors(summary: Summary) -> list[tuple[str, str]]:
    found = summary.factors
    alpha = found.alpha_per_year
    if alpha is None:
        return [("None", " ".join(found.left_out))]
    return [
        *((f"{each.factor.capitalize()}: beta (t)", _estimate(each.beta)) for each in found.loadings),
        ("Returns explained (R²)", percent(found.r_squared, 1)),
        ("Left as alpha per year (t)", f"{percent(alpha.value, signed=True)} ({plain(alpha.t_statistic)})"),
    ]


def _estimate(estimate: Estimate) -> str:
    return f"{plain(estimate.value)} ({plain(estimate.t_statistic)})"


def _forecasts(summary: Summary) -> list[tuple[str, str]]:
    forecasts = summary.forecasts
    if forecasts is None:
        return [("Graded", "too few forecasts whose horizon has passed")]
    scores = forecasts.scores
    return [
        ("Graded at their horizon", f"{scores.n:,} of {forecasts.n_forecasts:,}"),
        ("Log loss (class frequencies)", f"{scores.log_loss:.4f} ({forecasts.base_log_loss:.4f})"),
        ("Skill over class frequencies", percent(forecasts.skill_frac, signed=True)),
        ("Brier score (class frequencies)", f"{scores.brier:.4f} ({forecasts.base_brier:.4f})"),
        ("Accuracy (commonest class)", f"{percent(scores.accuracy, 1)} ({percent(forecasts.majority_accuracy, 1)})"),
        ("Calibration error (ECE)", percent(scores.ece_frac)),
        ("Up / neutral / down came", " / ".join(percent(share, 1) for share in forecasts.class_frac)),
        *_abstained(summary, forecasts.n_forecasts),
    ]


def _abstained(summary: Summary, n_forecasts: int) -> list[tuple[str, str]]:
    if not summary.abstained:
        return []
    reasons = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in summary.abstained.items())
    return [("Abstained", f"{percent(sum(summary.abstained.values()) / n_forecasts, 1)} ({reasons})")]


def _frames(n_bars: float, summary: Summary) -> str:
    sessions = n_bars * summary.returns.n_sessions / summary.n_frames
    return f"{n_bars:,.0f} frames ({rounded(sessions)} sessions)"


def _hours(hours: float | None) -> str:
    return ABSENT if hours is None else duration(hours * 3_600)
