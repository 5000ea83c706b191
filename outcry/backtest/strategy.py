"""A strategy of the user's own: from features, forecasts and prices to target weights.

A strategy is a class in a file of the user. One that looks at each frame by itself gives the weights of all frames at
once; one that remembers is asked frame by frame.
"""

import hashlib
import inspect
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar

import numpy as np

from outcry.errors import StrategyError
from outcry.market.frame import BoolArray, FloatArray, IntArray

KEEP = math.inf
"""The weight that leaves a symbol as it is."""
LARGEST_WEIGHT = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class MarketView:
    """What a strategy may look at: everything known at the close of each frame, and nothing later.

    Attributes
    ----------
    symbols : tuple of str
    ts_close_ns : int64 (n_frames,)
    open, high, low, close, volume : float64 (n_frames, n_symbols)
        As if no share had ever been split, as features see them; NaN where a symbol has no bar.
    features : mapping of str to float64 (n_frames, n_symbols)
        The columns the strategy asked for; NaN before the warm-up of a column.
    probability : float64 (n_frames, n_symbols, 3) or None
        Forecasts of the ensemble, columns up, neutral and down, for a strategy that asked for them.
    """

    symbols: tuple[str, ...]
    ts_close_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    features: Mapping[str, FloatArray]
    probability: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.ts_close_ns)

    @property
    def present(self) -> BoolArray:
        """Whether a symbol has a bar, bool (n_frames, n_symbols)."""
        return ~np.isnan(self.close)

    def row(self, t: int) -> "MarketView":
        """Return frame t alone, arrays of one row."""
        one = slice(t, t + 1)
        return MarketView(
            self.symbols, self.ts_close_ns[one], self.open[one], self.high[one], self.low[one], self.close[one],
            self.volume[one], MappingProxyType({name: column[one] for name, column in self.features.items()}),
            None if self.probability is None else self.probability[one],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """What is held when a strategy is asked.

    Attributes
    ----------
    equity, cash : float
        Account currency.
    weight : float64 (n_symbols,)
        Held or on their way, signed fractions of equity.
    entry_price : float64 (n_symbols,)
        Average price paid; 0 where flat.
    """

    equity: float
    cash: float
    weight: FloatArray
    entry_price: FloatArray

    @classmethod
    def of_lots(
        cls, money: tuple[float, float], lots: IntArray, entry_price: FloatArray, price: FloatArray, lot_shares: float
    ) -> "Holdings":
        """Return holdings from equity and cash, and lots held or on their way at last prices, NaN where never seen."""
        equity, cash = money
        weight = np.zeros(len(lots))
        if equity > 0:
            weight += lots * lot_shares * np.where(np.isnan(price), 0.0, price) / equity
        return cls(equity, cash, weight, entry_price)


class Strategy(ABC):
    """Give target weights from what one frame shows; all frames are asked for at once.

    The rows of the answer must depend on the same rows of the view only. A run checks this on some of them, since a
    strategy that looks at other rows looks ahead.

    Attributes
    ----------
    columns : tuple of str
        Names of the features it reads; `outcry features list` shows what there is.
    windows : mapping of str to sequence
        Windows in place of the usual ones, as under ``features.windows``: ``{"sma": [10, 30]}``.
    needs_forecast : bool
        Whether it reads `MarketView.probability`; the ensemble is then trained before the run.
    """

    columns: ClassVar[tuple[str, ...]] = ()
    windows: ClassVar[Mapping[str, Sequence[Any]]] = MappingProxyType({})
    needs_forecast: ClassVar[bool] = False

    @abstractmethod
    def weights(self, view: MarketView) -> FloatArray:
        """Return target weights, float64 (n_frames, n_symbols).

        Signed fractions of equity. `KEEP` leaves a symbol as it is, and so does NaN where the symbol has no bar or one
        of the columns is not known yet; elsewhere NaN is refused.
        """


class StatefulStrategy(ABC):
    """Give the target weights of one frame at a time, remembering what it likes of those before.

    `columns`, `windows` and `needs_forecast` are those of `Strategy`. A run makes a new object, and so
    starts anew.
    """

    columns: ClassVar[tuple[str, ...]] = ()
    windows: ClassVar[Mapping[str, Sequence[Any]]] = MappingProxyType({})
    needs_forecast: ClassVar[bool] = False

    @abstractmethod
    def on_frame(self, view: MarketView, holdings: Holdings) -> FloatArray:
        """Return target weights, float64 (n_symbols,), from a view of one row; see `Strategy.weights`."""


AnyStrategy = Strategy | StatefulStrategy


@dataclass(frozen=True, slots=True)
class StrategySource:
    """The file of a strategy as it was read: a process elsewhere makes the same strategy of it."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> "StrategySource":
        """Read a file; raise `StrategyError` where there is none, or it is not text."""
        if not path.is_file():
            raise StrategyError(f"strategy must name a file, was {path}")
        try:
            return cls(path, path.read_text())
        except UnicodeDecodeError:
            raise StrategyError(f"strategy must be a Python file, was {path}") from None

    @property
    def hash(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def load(self) -> type[AnyStrategy]:
        """Run the file and return the one strategy that it defines.

        Raises
        ------
        StrategyError
            Where it cannot be run, or does not define exactly one strategy.
        """
        path, name = self.path, f"outcry_strategy_{self.path.stem}"
        module = ModuleType(name)
        module.__file__ = str(path)
        sys.modules[name] = module
        try:
            exec(compile(self.text, str(path), "exec"), module.__dict__)  # noqa: S102 - what the user asks for
        except Exception as error:
            raise StrategyError(f"strategy {path} must run, failed with {type(error).__name__}: {error}") from error
        found = [
            each
            for each in vars(module).values()
            if inspect.isclass(each) and issubclass(each, Strategy | StatefulStrategy) and each.__module__ == name
        ]
        concrete = [each for each in found if not inspect.isabstract(each)]
        if len(concrete) != 1:
            names = ", ".join(each.__name__ for each in concrete) or "none"
            raise StrategyError(f"strategy {path} must define one class of Strategy or StatefulStrategy, found {names}")
        return concrete[0]


def load_strategy(path: Path, parameters: Mapping[str, Any] | None = None) -> AnyStrategy:
    """Return the one strategy that a file defines, made with `parameters`.

    Raises
    ------
    StrategyError
        Where there is no such file, it cannot be run, or does not define exactly one strategy.
    """
    return make_strategy(StrategySource.read(path).load(), parameters)


def make_strategy(kind: type[AnyStrategy], parameters: Mapping[str, Any] | None = None) -> AnyStrategy:
    """Return a strategy made with `parameters`; raise `StrategyError` where it does not take them."""
    try:
        return kind(**(parameters or {}))
    except Exception as error:
        raise StrategyError(f"strategy {kind.__name__} must take its parameters: {error}") from error


def parameters_of(kind: type[AnyStrategy]) -> dict[str, Any]:
    """Return the parameters that a strategy takes by name, with the type each is annotated with, ``object`` without.

    One that takes any has the name ``**``.
    """
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind, eval_str=True).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            found["**"] = object
        elif parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            found[name] = object if parameter.annotation is parameter.empty else parameter.annotation
    return found


def ask_weights(strategy: Strategy, view: MarketView, n_checked: int = 16) -> FloatArray:
    """Return the weights of all frames, checked.

    Raises
    ------
    StrategyError
        Where the strategy raises, where shape or values are not those of weights, and where a row depends on others.
    """
    name = type(strategy).__name__
    weights = check_weights(_call(name, view, lambda: strategy.weights(view)), view.close.shape, view, name)
    rows = np.unique(np.linspace(0, len(view) - 1, n_checked).astype(np.int64))
    for t in rows.tolist():
        row = view.row(t)
        alone = check_weights(_call(name, row, lambda row=row: strategy.weights(row)), row.close.shape, row, name)
        if not np.array_equal(alone[0], weights[t], equal_nan=True):
            raise StrategyError(
                f"{name}.weights must give a frame the same weights alone and among others, does not at "
                f"{_at(view, int(t))}: a strategy that reads other rows looks ahead, or is a StatefulStrategy"
            )
    return weights


def ask_frame(strategy: StatefulStrategy, view: MarketView, holdings: Holdings) -> FloatArray:
    """Return the weights of one frame, float64 (n_symbols,), checked as by `ask_weights`."""
    name = type(strategy).__name__
    shape = (len(view.symbols),)
    return check_weights(_call(name, view, lambda: strategy.on_frame(view, holdings)), shape, view, name)


def check_weights(weights: object, shape: Sequence[int], view: MarketView, name: str) -> FloatArray:
    """Return weights as float64, NaN where a symbol is left as it is; raise `StrategyError` naming what is wrong."""
    found = np.array(weights, dtype=np.float64)
    if found.shape != tuple(shape):
        raise StrategyError(f"{name} must return weights of shape {tuple(shape)}, returned {found.shape}")
    table = np.atleast_2d(found)
    is_known = view.present
    for column in view.features.values():
        is_known &= ~np.isnan(column)
    for is_wrong, rule in (
        (np.isnan(table) & is_known, "a number, or KEEP, for a symbol with a bar and all its features"),
        ((np.abs(table) > LARGEST_WEIGHT) & (table != KEEP), f"weights of at most {LARGEST_WEIGHT:g}"),
    ):
        if is_wrong.any():
            t, i = (int(x) for x in np.argwhere(is_wrong)[0])
            raise StrategyError(
                f"{name} must return {rule}, returned {table[t, i]:g} for {view.symbols[i]} at {_at(view, t)}"
            )
    found[found == KEEP] = np.nan
    return found


def _call(name: str, view: MarketView, ask: Any) -> Any:
    try:
        return ask()
    except Exception as error:
        where = f"at {_at(view, 0)}" if len(view) == 1 else f"for {len(view)} frames"
        raise StrategyError(f"{name} raised {type(error).__name__} {where}: {error}") from error


def _at(view: MarketView, t: int) -> str:
    return str(np.datetime64(int(view.ts_close_ns[t]), "ns").astype("datetime64[s]"))
