"""Write the report of a run to disk."""

import json
from pathlib import Path

from outcry.backtest.analytics.summary import Summary, analyse
from outcry.backtest.history import RunHistory
from outcry.backtest.report.page import render_page
from outcry.backtest.report.run_figures import FILE_NAME, figures_of, figures_to_json


def write_report(history: RunHistory, path: Path) -> Summary:
    """Write the page to `path`, the summary and what a comparison needs beside it, and return the summary.

    Folders that do not exist are made. The files, ``summary.json`` and ``run.json`` beside the page, are replaced
    each at once, so a reader never sees half of one.
    """
    analysis = analyse(history)
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, render_page(history, analysis))
    record = json.dumps(analysis.summary.to_record(), indent=2, ensure_ascii=False, allow_nan=False)
    _replace(path.with_name("summary.json"), record + "\n")
    _replace(path.with_name(FILE_NAME), figures_to_json(figures_of(history, analysis.summary)))
    return analysis.summary


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
