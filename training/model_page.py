"""A page on a trained model: what it is, how the folds went, does a probability come true, what moves it."""

from collections.abc import Sequence

from outcry.backtest.report.html_parts import Charts, document
from outcry.backtest.report.model_cards import explanation_cards, fold_cards, identity_card, selection_card
from outcry.backtest.report.model_figures import reliability_figure
from outcry.models.explanation import Explanation
from outcry.models.manifest import BundleManifest
from outcry.models.reliability import ReliabilityCurve


def render_model(
    manifest: BundleManifest, explanation: Explanation | None = None, reliability: Sequence[ReliabilityCurve] = ()
) -> str:
    """Return the page; it refers to no other file and no address.

    Parameters
    ----------
    manifest : BundleManifest
    explanation : Explanation or None
    reliability : sequence of ReliabilityCurve (3,)
        Of the test fold, where there is no explanation.
    """
    charts = Charts()
    parts = [f"<header><h1>Model {manifest.version}</h1></header>", identity_card(manifest)]
    parts += fold_cards(manifest, charts)
    if explanation is not None:
        parts += explanation_cards(explanation, charts)
    elif reliability:
        note = "Rows of the test fold, ten bins a class."
        parts.append(charts.card("Reliability", reliability_figure(reliability), note))
    parts.append(selection_card(manifest.selection))
    return document(f"outcry · model {manifest.version}", "\n".join(filter(None, parts)), charts)
