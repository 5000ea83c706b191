"""Forecasts and books, from the numbers that matter, and the sizing kernel."""

from decimal import Decimal

import numba
import numpy as np
import pytest

from outcry.messages import Book, Forecast, Input, InputKind
from outcry.portfolio.arrays import forecast_arrays
from outcry.portfolio.kernels.sizing import sizing_rules, write_weights

N_SYMBOLS = 3


def spread(values, dtype=float):
    return np.broadcast_to(np.asarray(values, dtype), N_SYMBOLS).copy()


@pytest.fixture(scope="session")
def build_forecast():
    """Return a function from the edge p_up − p_down of each symbol to a forecast."""

    def build(edge, volatility=0.3, seq=0) -> Forecast:
        edge = spread(edge)
        flat = np.where(np.abs(edge) > 0, 0.1, 0.8)
        probability = np.stack([(1 - flat + edge) / 2, flat, (1 - flat - edge) / 2], axis=1)
        inputs = (Input(seq, InputKind.FORECAST_FALLBACK),)
        return Forecast(seq, probability, np.abs(edge), spread(volatility), "model", inputs)

    return build


@pytest.fixture(scope="session")
def build_book():
    """Return a function to a book of equity 100,000 at price 100."""

    def build(quantity=0.0, working=0.0, price=100.0, stale=False, seq=0, equity=100_000) -> Book:
        amount = Decimal(equity)
        return Book(
            seq, seq + 1, amount, amount, Decimal(0), Decimal(0), Decimal(0), spread(quantity), spread(working),
            spread(price), spread(price), spread(stale, bool),
        )  # fmt: skip

    return build


@numba.njit
def _write(probability, volatility, is_abstained, current, is_tradable, rules, edge, role, out):
    write_weights(probability, volatility, is_abstained, current, is_tradable, rules, edge, role, out)


@pytest.fixture(scope="session")
def size_weights():
    """Return a function from settings, a forecast, current weights and what is tradable to wanted weights."""

    def size(config, forecast, current, is_tradable):
        n = len(current)
        out = np.empty(n)
        scratch = np.empty(n), np.empty(n, dtype=np.int64)
        current, is_tradable = np.array(current, dtype=float), np.array(is_tradable, dtype=bool)
        _write(*forecast_arrays(forecast), current, is_tradable, sizing_rules(config), *scratch, out)
        return out

    return size
