"""``outcry alphas``: what each alpha is worth on a market, and all of them together, after costs."""

from statistics import NormalDist
from typing import TYPE_CHECKING

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, Bars, ConfigFile, End, Source, Start, Symbols, read_settings
from cli.progress import StepProgress

if TYPE_CHECKING:
    from rich.table import Table

    from configs.schema import Settings
    from outcry.backtest.analytics.forecast_skill import MeanInterval
    from training.evaluation.alphas import AlphaEvaluation, AlphaFigures

_LEVEL_FRAC = 0.05


def alphas(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Grade the alphas of the settings (section alphas) on every frame after their warm-up, and trade each.

    One row an alpha, and one for all together with weights fitted to the past of each frame: correlation with the
    returns that follow, hit rate, and what trading the ranks earns after costs, with intervals; then how long it lasts,
    and how alike the alphas are. An edge that is not there is told as not there.
    """
    settings = read_settings(
        source=source,
        symbols=symbols,
        start=start,
        end=end,
        bars=bars,
        config=config,
        assignments=assignments,
    )
    from training.evaluation.alphas import evaluate_alphas

    with StepProgress(quiet=as_json) as progress:
        found = evaluate_alphas(settings, progress.show)
    if as_json:
        print_json_document(found.to_record())
        return
    for table in (_worth(found), _decay(found), _likeness(found)):
        console.print(table)
    for line in _lines(found, settings):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _worth(found: "AlphaEvaluation") -> "Table":
    table = _table(
        f"{found.source}: {found.n_symbols} symbols, {found.n_frames:,} frames, {found.horizon_bars} bars ahead",
        ("IC", "rank IC", "t", "a bar later", "t", "ICIR", "hit rate", "Sharpe", "turnover", "weight"),
    )
    for row in found.rows:
        skill, traded = row.skill, row.traded
        table.add_row(
            row.name,
            _signed(skill.ic),
            _signed(skill.rank_ic),
            _t(skill.rank_ic),
            _signed(skill.late_rank_ic),
            _t(skill.late_rank_ic),
            "n/a" if skill.rank_icir is None else f"{skill.rank_icir:+.2f}",
            "n/a" if skill.hit is None else f"{skill.hit.mean:.1%} ±{100 * (skill.hit.high - skill.hit.mean):.1f}",
            _sharpe(row),
            f"{traded.turnover_per_year:,.0f}",
            "" if row.mean_weight is None else f"{row.mean_weight:.0%}",
        )
    return table


def _decay(found: "AlphaEvaluation") -> "Table":
    table = _table("rank IC so many bars ahead", [str(horizon) for horizon in found.horizons])
    for row in found.rows:
        table.add_row(row.name, *("n/a" if each is None else f"{each:+.3f}" for each in row.skill.decay))
    return table


def _likeness(found: "AlphaEvaluation") -> "Table":
    names = [row.name for row in found.rows[: len(found.correlations)]]
    table = _table("correlation of the scores, across symbols", [str(n + 1) for n in range(len(names))])
    for n, (name, row) in enumerate(zip(names, found.correlations, strict=True)):
        table.add_row(f"{n + 1} {name}", *(f"{each:+.2f}" for each in row[: n + 1]))
    return table


def _table(title: str, columns: "list[str] | tuple[str, ...]") -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _lines(found: "AlphaEvaluation", settings: "Settings") -> list[str]:
    from training.evaluation.evaluate import LEAK_RANK_IC

    n_alphas = len(found.correlations)
    least = NormalDist().inv_cdf(1.0 - _LEVEL_FRAC / (2 * n_alphas))
    sides = "long and short" if settings.portfolio.allow_short else "long only (portfolio.allow_short)"
    lines = [
        "± and [ ] are intervals of 95 %; turnover is of the equity, a year; Sharpe ratios are after costs, of trading "
        f"{sides} as the settings say"
    ]
    ranks = {row.name: row.skill.rank_ic for row in found.rows if row.skill.rank_ic is not None}
    for name, ic in ranks.items():
        if ic.mean > LEAK_RANK_IC:
            lines.append(f"examine: {name} has a rank IC of {ic.mean:.3f}; above {LEAK_RANK_IC} look for a leak")
    late = {row.name: row.skill.late_rank_ic for row in found.rows if row.skill.late_rank_ic is not None}
    for told, of in (("", ranks), (" a bar later, when an order can trade", late)):
        skilled = ", ".join(name for name, ic in of.items() if ic.t >= least) or "no alpha"
        lines.append(f"{skilled}: rank IC above 0{told}, with t of at least {least:.1f}, as {n_alphas} were looked at")
    turned = ", ".join(name for name, ic in ranks.items() if ic.t <= -least)
    if turned:
        lines.append(f"{turned}: the other way round, with as much; an alpha is never turned round by itself")
    held = found.universe_sharpe or 0.0
    least_sharpe = 0.0 if settings.portfolio.allow_short else max(held, 0.0)
    intervals = [row.traded.sharpe_interval for row in found.rows]
    if not any(each is not None and each.low > least_sharpe for each in intervals):
        others = "" if settings.portfolio.allow_short else f" and above {held:+.2f}, that of holding the universe"
        lines.append(f"none has a Sharpe ratio whose interval is above 0{others}: there is no edge to trade here")
    return lines


def _signed(each: "MeanInterval | None") -> str:
    return "n/a" if each is None else f"{each.mean:+.3f} ±{each.high - each.mean:.3f}"


def _t(each: "MeanInterval | None") -> str:
    return "n/a" if each is None else f"{each.t:+.1f}"


def _sharpe(row: "AlphaFigures") -> str:
    traded = row.traded
    if traded.sharpe is None:
        return "n/a"
    found = traded.sharpe_interval
    return f"{traded.sharpe:+.2f}" + ("" if found is None else f" [{found.low:+.2f}, {found.high:+.2f}]")
