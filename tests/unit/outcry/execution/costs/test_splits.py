import pytest

T, WINDOW = 60, 20


@pytest.mark.parametrize(
    "model",
    [
        {"slippage": "volume", "slippage_volume_bps": 900.0, "max_slippage_bps": 9_000.0},
        {"slippage": "volatility"},
        {"slippage": "spread", "slippage_bps": 0.0},
        {"impact": "square_root"},
        {"impact": "almgren_chriss"},
    ],
    ids=lambda model: "-".join(map(str, model.values())),
)
@pytest.mark.parametrize("row", [T, T - 1, T - 7, T - WINDOW])
def test_a_split_in_the_past_changes_no_cost(past, model, row):
    model = model | {"window_bars": WINDOW}
    split = past.split_in(row, 4.0)
    assert split.price(T, 4 * 50_000, **model) == past.price(T, 50_000, **model)
    assert split.moved(T, 4 * 50_000, **model) == past.moved(T, 50_000, **model)
