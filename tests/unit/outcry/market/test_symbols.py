import pytest

from outcry.errors import DataValidationError
from outcry.market.symbols import normalise_symbol


@pytest.mark.parametrize("symbol", ["AAPL", "BRK.B", "BTC/USD", "BTC-PERP", "6EH4", "BTCUSD.PERP.BINANCE", "^VIX"])
def test_shares_classes_pairs_and_contracts_are_symbols(symbol: str) -> None:
    assert normalise_symbol(symbol) == symbol
    assert normalise_symbol(f" {symbol.lower()} ") == symbol


@pytest.mark.parametrize("text", ["", " ", "A A", "BRK..B", ".B", "BTC/", "A;DROP", "Ä", "A" * 33])
def test_anything_else_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(DataValidationError, match=r"symbol must be .* was '"):
        normalise_symbol(text)
