"""The page of features is what the catalogue says."""

from pathlib import Path

from outcry.features.config import FeatureSetConfig
from outcry.features.cross.proxies import MARKET, PROXY_SYMBOLS
from outcry.features.feature_set import build_feature_set
from outcry.features.page import render_page

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


def test_the_page_is_generated_from_the_catalogue() -> None:
    features = build_feature_set(FeatureSetConfig(), 300 * 10**9, (MARKET, *PROXY_SYMBOLS.values()))
    assert PAGE.read_text() == render_page(features, "5min"), "write it anew: outcry features page > docs/features.md"


def test_every_column_is_on_it() -> None:
    features = build_feature_set(FeatureSetConfig(), 300 * 10**9, (MARKET, *PROXY_SYMBOLS.values()))
    page = PAGE.read_text()
    assert [name for name in features.names if f"`{name}`" not in page] == []
