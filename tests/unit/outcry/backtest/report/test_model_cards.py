"""What a page says of a model: what it is, whether it has skill, what moves it."""

import re
from pathlib import Path

import pytest

from outcry.backtest.report.html_parts import Charts, chart_library
from outcry.backtest.report.model_cards import explanation_cards, fold_cards, identity_card
from outcry.backtest.report.model_figures import importance_figure
from outcry.models.explanation import explanation_path, read_explanation, write_explanation
from tests.unit.outcry.backtest.report.explained_model import explained, manifest_of
from training.model_page import render_model

EXPLANATION = explained("a", "a_column_with_a_very_long_name_of_its_own")


def titles(page: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", page)


def test_a_model_page_stands_alone_and_has_every_section():
    page = render_model(manifest_of("a", "b"), EXPLANATION).replace(chart_library(), "")
    assert titles(page) == [
        "The model",
        "Log loss by fold",
        "Folds",
        "Reliability",
        "What moves the forecast",
        "What it would lose",
        "What moves each member",
        "Where members look back",
        "Drift of the columns",
        "Columns of the model",
    ]
    assert not re.search(r"https?://|//cdn|src=|href=|@import|url\(", page)
    assert '<option value="0">xgboost, exact</option><option value="1">lstm, estimated</option>' in page
    assert "1 of 2 columns above 0.25" in page
    plain = render_model(manifest_of("a", "b"), reliability=EXPLANATION.reliability)
    assert titles(plain) == ["The model", "Log loss by fold", "Folds", "Reliability", "Columns of the model"]


def test_what_there_is_not_has_no_card():
    bare = EXPLANATION.model_copy(update={"attention": (), "drift": (), "contributions": EXPLANATION.contributions[:2]})
    assert titles("".join(explanation_cards(bare, Charts()))) == [
        "Reliability",
        "What moves the forecast",
        "What it would lose",
    ]


@pytest.mark.parametrize(
    ("loss", "told"), [(1.05, "loses 0.0486 nats a row less"), (1.0986, "NO SKILL"), (2.0, "NO SKILL")]
)
def test_skill_is_told_and_its_absence_too(loss: float, told: str):
    manifest = manifest_of("a")
    manifest = manifest.model_copy(update={"test": manifest.test.model_copy(update={"log_loss": loss})})
    assert told in "".join(fold_cards(manifest, Charts()))


def test_the_card_says_what_the_model_is():
    page = identity_card(manifest_of("a", "b"))
    for told in (
        "0123456789abcdef",
        "xgboost 100 %",
        "neutral within 0.10 % of the price",
        "2 columns of the feature set a",
    ):
        assert told in page


def test_bars_of_a_group_name_all_its_columns_and_a_long_name_loses_its_middle():
    figure = importance_figure(EXPLANATION.importance)
    assert figure.layout.yaxis.ticktext == ("a_column_wi…its_own +1",)
    assert figure.data[0].customdata[0] == "a_column_with_a_very_long_name_of_its_own<br>a"


def test_an_explanation_is_kept_and_one_that_cannot_be_read_is_none(tmp_path: Path):
    path = explanation_path(tmp_path, "v")
    assert read_explanation(path) is None
    write_explanation(path, EXPLANATION)
    assert read_explanation(path) == EXPLANATION
    assert [each.name for each in path.parent.iterdir()] == ["v.json"]
    path.write_bytes(path.read_bytes()[:-9])
    assert read_explanation(path) is None
