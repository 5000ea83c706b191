"""The cards of a model: what it is, how it did out of sample, what moves its forecasts."""

from collections.abc import Iterator

from outcry.backtest.report.html_parts import Charts, caption, card, table, told
from outcry.backtest.report.model_figures import (
    attention_figure,
    contribution_figure,
    fold_figure,
    fold_names,
    importance_figure,
    reliability_figure,
)
from outcry.backtest.report.number_format import day, duration, percent, plain, span
from outcry.models.explanation import Explanation
from outcry.models.manifest import BundleManifest, LabelSpec, SelectionRecord

MAX_COLUMNS = 20
MAX_MOVED = 10
MUCH_DRIFT = 0.25


def identity_card(manifest: BundleManifest) -> str:
    """Return what the model is, and where it comes from."""
    members = ", ".join(f"{member.name} {percent(member.weight_frac, 0)}" for member in manifest.members)
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(manifest.libraries.items()))
    data = span((manifest.first_ts_ns, manifest.last_ts_ns))
    rows = (
        ("Version", manifest.version),
        ("Members", members),
        ("Forecasts", _target(manifest.label)),
        ("Trained on", f"{data}; {len(manifest.symbols):,} symbols, bars of {duration(manifest.bar_ns / 1e9)}"),
        ("Reads", f"{len(manifest.feature_names):,} columns of the feature set {manifest.features_hash[:12]}"),
        ("Code, seed", f"outcry {manifest.code_version}, {manifest.seed}"),
        ("Libraries", libraries),
    )
    return card("The model", told(rows))


def fold_cards(manifest: BundleManifest, charts: Charts) -> Iterator[str]:
    """Yield how the folds went, each judged by what had not seen it."""
    test = manifest.test
    gain = test.base_log_loss - test.log_loss
    verdict = (
        f"On the test fold it loses {gain:.4f} nats a row less than the class frequencies of its training rows."
        if gain > 0
        else "NO SKILL: on the test fold it is not better than the class frequencies of its training rows."
    )
    rows = [
        (
            name,
            *(f"{value:.4f}" for value in (fold.log_loss, fold.base_log_loss, fold.ece_frac, fold.brier)),
            f"{fold.n:,}",
            f"{day(fold.first_ts_ns)} to {day(fold.last_ts_ns)}",
        )
        for name, fold in zip(fold_names(manifest), (*manifest.folds, test), strict=True)
    ]
    heads = ("Fold", "Log loss", "Base", "ECE", "Brier", "Rows", "Frames")
    note = f"{verdict} Nats a row, out of sample; less is better."
    yield charts.card("Log loss by fold", fold_figure(manifest), note)
    note = "Base: the log loss of the class frequencies. ECE: expected calibration error, a fraction."
    yield card("Folds", caption(note) + table(heads, rows, first_number=1))


def explanation_cards(found: Explanation, charts: Charts) -> Iterator[str]:
    """Yield reliability, contributions beside importance, attention and drift; all of the test fold."""
    of_fold = f"{found.n_rows:,} rows of the test fold, {span((found.first_ts_ns, found.last_ts_ns))}"
    yield charts.card("Reliability", reliability_figure(found.reliability), f"{of_fold}; ten bins a class.")
    ensemble, *members = found.contributions
    moved = charts.card(
        "What moves the forecast",
        contribution_figure(ensemble, found.feature_names),
        "The mean size of what a column adds to the log-odds of each class (Shapley values), in "
        f"{found.n_explained_rows:,} of these rows; of the ensemble as it trades, estimated in drawn orders.",
    )
    lost = charts.card(
        "What it would lose",
        importance_figure(found.importance),
        f"The rise of the log loss, {found.log_loss:.4f} on these rows, where a column has the values of other rows: "
        f"mean and deviation of {found.n_repeats} draws. To the right: the model is worse without the column.",
    )
    yield f'<div class="pair">{moved}{lost}</div>'
    yield caption(
        "The test fold measures. Whoever chooses columns by what is seen here has used it up, and needs another."
    )
    if len(members) > 1:
        figures = {
            f"{each.whom}, {'exact' if each.is_exact else 'estimated'}": contribution_figure(each, found.feature_names)
            for each in members
        }
        note = "The same of each member by itself, before the vote and its calibration."
        yield charts.choice_card("What moves each member", figures, note, "Member")
    if found.attention:
        note = "Mean over the rows. Dotted: as much on every bar of the window."
        yield charts.card("Where members look back", attention_figure(found.attention), note)
    yield _drift_card(found)


def selection_card(record: SelectionRecord) -> str:
    """Return how the columns were chosen, and how far the folds agree."""
    *_, test = record.chosen
    if not record.methods:
        how = f"The model reads all {record.n_candidates:,} columns: none was selected."
        return card("Columns of the model", caption(how))
    n_choices = len(record.chosen)
    when = f"anew in each of {n_choices} folds on its training rows"
    if n_choices == 1:
        when = "once, on the training rows of the first fold"
    beyond = "" if record.nogueira is None else f" and agree to {record.nogueira:.2f} beyond chance (1: always)"
    agreement = "" if record.jaccard is None else f" Two folds share {record.jaccard:.0%} of what either chose{beyond}."
    how = (
        f"{len(test):,} of {record.n_candidates:,} columns, chosen by {', then '.join(record.methods)}, {when}."
        f"{agreement} The best {MAX_COLUMNS} of the last fold:"
    )
    rows = [(name, f"{sum(name in fold for fold in record.chosen)} of {n_choices}") for name in test[:MAX_COLUMNS]]
    listed = table(("Column", "Chosen in"), rows, first_number=1)
    return card("Columns of the model", caption(how) + listed)


def _drift_card(found: Explanation) -> str:
    """Return the columns that have moved most since the rows before the test fold; nothing without later rows."""
    if not found.drift:
        return ""
    last = found.drift[-1]
    ranked = sorted(range(len(last.index)), key=lambda column: -last.index[column])[:MAX_MOVED]
    rows = [(found.feature_names[column], *(plain(each.index[column]) for each in found.drift)) for column in ranked]
    n_much = sum(value > MUCH_DRIFT for value in last.index)
    note = (
        f"Population stability index against the rows before the test fold; below 0.1 is little. "
        f"{span((last.first_ts_ns, last.last_ts_ns))}: {n_much:,} of {len(last.index):,} columns above {MUCH_DRIFT}, "
        "which is much. One that is the same for all symbols has few values, and moves by chance. The most moved:"
    )
    heads = ("Column", "Test fold", "Since")[: 1 + len(found.drift)]
    return card("Drift of the columns", caption(note) + table(heads, rows, first_number=1))


def _target(label: LabelSpec) -> str:
    ahead = f"up, neutral or down {label.horizon_bars:,} bars ahead"
    if label.volatility_window_bars is None:
        return f"{ahead}; neutral within {percent(label.band_value)} of the price"
    return f"{ahead}; neutral within {label.band_value:g} trailing volatilities of {label.volatility_window_bars} bars"
