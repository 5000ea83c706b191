"""What there is: every family with its kernel, and the hash of the code that defines the values."""

import ast
import hashlib
from functools import cache
from pathlib import Path

from outcry.features.families.candles import CANDLES
from outcry.features.families.micro import MICRO
from outcry.features.families.momentum import MOMENTUM
from outcry.features.families.price_action import PRICE_ACTION
from outcry.features.families.regime import REGIME
from outcry.features.families.returns import RETURNS
from outcry.features.families.rolling import ROLLING
from outcry.features.families.session import SESSION
from outcry.features.families.shape import SHAPE
from outcry.features.families.statistics import STATISTICS
from outcry.features.families.timeframes import TIMEFRAMES
from outcry.features.families.trend import TREND
from outcry.features.families.volatility import VOLATILITY
from outcry.features.families.volume import VOLUME
from outcry.features.indicator import Family
from outcry.features.kernels.advance import Step
from outcry.features.kernels.candles import step_candles
from outcry.features.kernels.micro import step_micro
from outcry.features.kernels.momentum import step_momentum
from outcry.features.kernels.price_action import step_price_action
from outcry.features.kernels.regime import step_regime
from outcry.features.kernels.returns import step_returns
from outcry.features.kernels.rolling import step_rolling
from outcry.features.kernels.session import step_session
from outcry.features.kernels.shape import step_shape
from outcry.features.kernels.statistics.step import step_statistics
from outcry.features.kernels.timeframes import step_timeframes
from outcry.features.kernels.trend import step_trend
from outcry.features.kernels.volatility import step_volatility
from outcry.features.kernels.volume import step_volume

_KERNELS: tuple[tuple[Family, Step], ...] = (
    (TREND, step_trend),
    (MOMENTUM, step_momentum),
    (VOLATILITY, step_volatility),
    (VOLUME, step_volume),
    (RETURNS, step_returns),
    (SHAPE, step_shape),
    (CANDLES, step_candles),
    (PRICE_ACTION, step_price_action),
    (SESSION, step_session),
    (ROLLING, step_rolling),
    (STATISTICS, step_statistics),
    (MICRO, step_micro),
    (TIMEFRAMES, step_timeframes),
    (REGIME, step_regime),
)
FAMILIES: tuple[Family, ...] = tuple(family for family, _ in _KERNELS)
"""In the order they run: an indicator may read columns of the families before its own."""

STEPS: dict[str, Step] = {family.name: step for family, step in _KERNELS}


@cache
def code_hash(family: str | None = None) -> str:
    """Return the SHA-256, in hex, of the code that defines the values; comments, docstrings and layout do not count.

    Parameters
    ----------
    family : str, optional
        Leave out what belongs to other families only.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    others = {"cross", *(other.name for other in FAMILIES)} - {family} if family else set()
    modules = [
        *here.glob("kernels/**/*.py"),
        *here.glob("families/*.py"),
        *here.glob("cross/*.py"),
        here / "regimes.py",
    ]
    for path in sorted(modules):
        place = path.relative_to(here)
        if others.isdisjoint((*place.parts, path.stem)):
            digest.update(f"{place}\n{_code(path.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()


@cache
def _code(source: str) -> str:
    """Return the code of a module without comments and docstrings, laid out in one way."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            node.body = [statement for statement in node.body if not _is_text(statement)] or [ast.Pass()]
    return ast.unparse(tree)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
