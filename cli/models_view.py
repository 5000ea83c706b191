"""Registered models as tables on the terminal, and as JSON."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from cli.console import console

if TYPE_CHECKING:
    from outcry.adapters.postgres.decisions import DecisionRecord
    from outcry.adapters.registry.version import ModelVersion
    from training.promote import Judgement


def as_document(version: "ModelVersion") -> dict[str, Any]:
    """Return JSON values of a version."""
    return {key: getattr(version, key) for key in version.__slots__ if key != "tags"}


def show_versions(versions: "Sequence[ModelVersion]", metrics: Sequence[Mapping[str, float]]) -> None:
    """Print a table a model, a row a version, with what was measured on its test fold."""
    tables: dict[str, Table] = {}
    for version, scores in zip(versions, metrics, strict=True):
        if version.name not in tables:
            tables[version.name] = _table("version", "alias", "bundle", "saw", "log loss", "base", "ece", n_text=4)
            tables[version.name].title, tables[version.name].title_justify = escape(version.name), "left"
        tables[version.name].add_row(
            version.version,
            ", ".join(version.aliases),
            version.bundle_version[:8],
            f"{_day(version.tags['first_ts_ns'])} … {_day(version.tags['last_ts_ns'])}",
            *(_number(scores.get(f"test.{key}")) for key in ("log_loss", "base_log_loss", "ece_frac")),
        )
    for table in tables.values():
        console.print(table)


def show_version(version: "ModelVersion", metrics: Mapping[str, float], decisions: "Sequence[DecisionRecord]") -> None:
    """Print what is known of a version."""
    facts = {
        "alias": ", ".join(version.aliases) or "none",
        "registered": version.created_at.isoformat(timespec="seconds"),
        "bundle": str(version.bundle_path),
        "saw": f"{_day(version.tags['first_ts_ns'])} … {_day(version.tags['last_ts_ns'])}, "
        f"{version.tags['n_symbols']} symbols of {version.tags.get('source', '?')}",
        "features": f"{version.tags['n_features']} columns, set {version.tags['features_hash'][:12]}",
        "horizon": f"{version.tags['horizon_bars']} bars",
        "families": version.tags["families"].replace(",", ", "),
        "code, seed": f"{version.tags['code_version']}, {version.tags['seed']}",
        "deployed": version.tags.get("deployed_at", "never"),
        "run": version.run_id,
    }
    table = Table(show_header=False, title=str(version), title_justify="left")
    for key, value in {**facts, **{key: _number(value) for key, value in sorted(metrics.items())}}.items():
        table.add_row(key, escape(value))
    console.print(table)
    for each in decisions:
        when = each.created_at.isoformat(timespec="seconds")
        told = f"{when}  {each.action} {each.outcome}: {each.reason}"
        console.print(escape(told), highlight=False, soft_wrap=True)


def show_comparison(judgement: "Judgement", first: str, second: str) -> None:
    """Print the figures of both on the same rows."""
    found = judgement.comparison
    if found is None:
        return
    console.print(f"{found.test.n_frames:,} frames, {found.n_rows:,} rows that neither was trained on", highlight=False)
    table = _table("figure", first, second, n_text=1)
    for key in ("log_loss", "brier", "ece_frac", "accuracy"):
        table.add_row(key, *(_number(getattr(each, key)) for each in (found.first, found.second)))
    for key in found.first_classes.__slots__:
        table.add_row(key, *(_number(getattr(each, key)) for each in (found.first_classes, found.second_classes)))
    console.print(table)


def show_judgement(judgement: "Judgement") -> None:
    """Print every check with what was found."""
    table = _table("check", "", "found", "must be")
    for check in judgement.checks:
        table.add_row(check.name, "[green]holds[/]" if check.holds else "[red]fails[/]", check.found, check.rule)
    console.print(table)
    if judgement.comparison is not None:
        test = judgement.comparison.test
        console.print(
            f"against {judgement.rival}: {test.n_frames} frames, Newey-West with {test.n_lags} lags, "
            f"t {test.statistic:.2f}, p {test.p_value:.4f}",
            highlight=False,
            soft_wrap=True,
        )


def _table(*heads: str, n_text: int = 4) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column, head in enumerate(heads):
        table.add_column(head, justify="left" if column < n_text else "right", overflow="fold")
    return table


def _day(ts_ns: str) -> str:
    return str(np.datetime64(int(ts_ns), "ns").astype("datetime64[D]"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
