"""``outcry train``: fit an ensemble on the training span and write its bundle."""

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, Bars, ConfigFile, End, Source, Start, Symbols, read_settings
from cli.progress import StepProgress


def train(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Fit the ensemble on the first part of the data (training.train_frac) and write a bundle."""
    from training.prepare import prepare_run

    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    with StepProgress(quiet=as_json) as progress:
        prepared = prepare_run(settings, bundle=None, on_progress=progress.show)
    bundle = prepared.model
    document = {"path": str(prepared.plan.bundle_path), "manifest": bundle.manifest.model_dump(mode="json")}
    if as_json:
        print_json_document(document)
        return
    test = bundle.manifest.test
    console.print(f"bundle    {prepared.plan.bundle_path}")
    selection = bundle.manifest.selection
    how = f" of {selection.n_candidates}, by {', then '.join(selection.methods)}" if selection.methods else ""
    console.print(f"features  {len(bundle.feature_names)}{how}; horizon {bundle.horizon_bars} bars")
    if selection.nogueira is not None:
        console.print(
            f"folds     two of them share {selection.jaccard:.0%} of the columns that either chose; "
            f"agreement beyond chance {selection.nogueira:.2f} (1: always)"
        )
    console.print(
        f"test fold {test.n} rows never trained on: log loss {test.log_loss:.4f} "
        f"(class frequencies alone: {test.base_log_loss:.4f}), accuracy {test.accuracy:.1%}, "
        f"calibration error {test.ece_frac:.1%}"
    )
    if test.log_loss >= test.base_log_loss:
        console.print("[yellow]no skill[/]: on the test fold the ensemble is not better than the class frequencies")
