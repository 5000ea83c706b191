"""An indicator: one call of a kernel, with its windows, the columns it writes and the state it keeps."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from outcry.errors import ConfigurationError
from outcry.features.column import Column
from outcry.features.kernels.bars import BAR_ROWS

MAX_PARAMS = 6
MAX_LOOKBACK_BARS = 2000


@dataclass(frozen=True, slots=True)
class Input:
    """A column of another indicator; a set computes it where it does not yet."""

    kind: str
    params: tuple[int, ...]
    column: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """One call of the kernel of a family.

    Attributes
    ----------
    opcode : int
        Which step of the family's kernel.
    params : tuple of int
        Its windows, at most `MAX_PARAMS`, as the step reads them.
    columns : tuple of Column
        What it writes, in order.
    n_slots : int
        float64 values of state a symbol.
    lookback_bars : int
        Bars it reads from the history, the newest included.
    inputs : tuple of Input
        Columns of families before its own that it reads of the same bar; their places follow `params`.
    """

    opcode: int
    params: tuple[int, ...]
    columns: tuple[Column, ...]
    n_slots: int = 0
    lookback_bars: int = 1
    inputs: tuple[Input, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of indicator: its name in a feature set, how to build it, and the windows it has by default.

    Attributes
    ----------
    name : str
    build : callable
        From the windows to an `Indicator`; the names of its parameters say what they are.
    defaults : tuple of tuple of int
        The windows of each indicator of this kind in a set that does not say otherwise.
    is_of_timeframe : bool
        The first window is a timeframe in minutes; `defaults` leave it out, and are repeated for each timeframe above
        the size of the bars.
    reads_clock : bool
        It reads more of a frame than its bars: when it closes, or how many bars a year has.
    rows : tuple of int
        Of the history, see `outcry.features.kernels.bars`: what it reads. A row beyond the bars is derived of all of
        them, so it brings them with it; what no indicator of a set reads is not written.
    """

    name: str
    build: Callable[..., Indicator]
    defaults: tuple[tuple[int, ...], ...] = ((),)
    is_of_timeframe: bool = False
    reads_clock: bool = False
    rows: tuple[int, ...] = BAR_ROWS

    def make(self, params: tuple[int, ...]) -> Indicator:
        """Build the indicator.

        Raises
        ------
        ConfigurationError
            Where the number of windows is another, or one is too short or too long.
        """
        names = tuple(inspect.signature(self.build).parameters)
        if len(params) != len(names):
            raise ConfigurationError(
                f"windows.{self.name} must give {len(names)} values ({', '.join(names)}), gave {list(params)}"
            )
        for name, value in zip(names, params, strict=True):
            if value < 1:
                raise ConfigurationError(f"windows.{self.name}: {name} must be positive, was {value}")
        indicator = self.build(*params)
        if indicator.lookback_bars > MAX_LOOKBACK_BARS:
            raise ConfigurationError(
                f"windows.{self.name} must look back at most {MAX_LOOKBACK_BARS} bars, {list(params)} looks back "
                f"{indicator.lookback_bars}"
            )
        return indicator


@dataclass(frozen=True, slots=True)
class Family:
    """Kinds of indicators that one kernel steps; the unit of compilation, and a group of a feature set."""

    name: str
    kinds: tuple[Kind, ...]
