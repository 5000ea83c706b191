"""Where the returns of a run come from: common factors, and states of its market."""

import math

from outcry.backtest.analytics.factor_attribution import FactorAttribution
from outcry.backtest.analytics.factor_returns import FACTORS
from outcry.backtest.analytics.summary import Summary
from outcry.backtest.report.html_parts import caption, card, table
from outcry.backtest.report.number_format import percent, plain


def factor_card(found: FactorAttribution) -> str:
    """Return the factors with their betas, or why there are none."""
    title, alpha = "What explains its returns", found.alpha_per_year
    if alpha is None:
        return card(title, caption(" ".join(found.left_out)))
    rows = [
        (
            each.factor.capitalize(),
            plain(each.beta.value),
            plain(each.beta.t_statistic),
            percent(each.mean_per_year, signed=True),
            percent(each.contribution_per_year, signed=True),
        )
        for each in found.loadings
    ]
    rows.append(("Alpha, explained by none", "", plain(alpha.t_statistic), "", percent(alpha.value, signed=True)))
    note = (
        f"{percent(found.r_squared, 1)} of the variance of {found.n_sessions:,} session returns is that of factors "
        "made of the same universe, ranked at the end of each month by what was known then. The last column sums to "
        f"{percent(found.excess_per_year, signed=True)} a year above the risk-free rate. t by Newey and West, "
        f"{found.n_lags} lags."
    )
    heads = ("Factor", "Beta", "t", "Factor a year", "Run a year")
    meaning = {factor.name: factor.meaning for factor in FACTORS}
    told = " ".join(f"{each.factor.capitalize()}: {meaning[each.factor]}." for each in found.loadings)
    left_out = " ".join(f"{reason[0].upper()}{reason[1:]}" for reason in found.left_out)
    return card(title, caption(note) + table(heads, rows, first_number=1) + caption(f"{told} {left_out}"))


def regime_card(summary: Summary) -> str:
    """Return what was made in each state of the market; nothing for a run too short for them."""
    if not summary.regimes:
        return ""
    total = sum(each.n_sessions for each in summary.regimes)
    rows = [
        (
            each.regime.capitalize(),
            percent(each.n_sessions / total, 1),
            percent(math.expm1(each.growth), signed=True),
            plain(each.sharpe),
            percent(math.expm1(each.market_growth), signed=True),
        )
        for each in summary.regimes
    ]
    note = (
        "Its market is the universe in equal parts: rising where the 63 sessions before gained, wild where the 21 "
        "before moved more than the median of the span."
    )
    best = [f"{each.kind} {each.name}, {percent(each.share_frac, 0)}" for each in summary.concentrations]
    most = f"The largest parts of the profit: {'; '.join(best)}." if best else ""
    heads = ("Market", "Sessions", "Return", "Sharpe", "Market's")
    return card("By state of the market", caption(f"{note} {most}") + table(heads, rows, first_number=1))
