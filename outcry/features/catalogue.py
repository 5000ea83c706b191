"""Every column of the feature matrix, in order: the names, and what defines their values."""

import ast
import hashlib
from functools import cache
from itertools import chain
from pathlib import Path

from outcry.features.column import Column
from outcry.features.columns.volatility import VOLATILITY_COLUMN
from outcry.features.kernels.advance import COLUMN_BLOCKS

__all__ = ["CATALOGUE", "FEATURE_NAMES", "VOLATILITY_COLUMN", "Column", "catalogue_hash"]

CATALOGUE: tuple[Column, ...] = tuple(chain.from_iterable(COLUMN_BLOCKS))
FEATURE_NAMES: tuple[str, ...] = tuple(column.name for column in CATALOGUE)


@cache
def catalogue_hash() -> str:
    """Return the SHA-256, in hex, of everything that defines the values: columns, and the code of the kernels.

    Comments, docstrings and layout do not count. A bundle or a snapshot carries this hash, and is refused by an engine
    that would compute something else.
    """
    digest = hashlib.sha256()
    for name in FEATURE_NAMES:
        digest.update(name.encode() + b"\n")
    here = Path(__file__).parent
    for path in sorted([*here.glob("kernels/*.py"), *here.glob("columns/*.py")]):
        digest.update(f"{path.parent.name}/{path.name}\n{_code(path.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()


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
