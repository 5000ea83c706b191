"""The families of models, one file each: parameters, fit, and what is read back.

Holds: one module a family, whose ``FAMILY`` is an `outcry.models.family.Family`; a file more is a family more.
Must not import, at the head of a module: what only a fit needs (scikit-learn, the booster libraries, torch).
Start reading at: `outcry.models.family`, then `outcry.models.families.xgboost`.

`FAMILY_NAMES`, `find_family`
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from outcry.errors import ConfigurationError
from outcry.models.family import Family

FAMILY_NAMES = tuple(sorted(module.name for module in iter_modules(__path__)))
"""Every family there is."""


@cache
def find_family(name: str) -> Family:
    """Return a family by its name.

    Raises
    ------
    ConfigurationError
        Where there is none of that name.
    """
    if name not in FAMILY_NAMES:
        raise ConfigurationError(f"family must be one of {', '.join(FAMILY_NAMES)}, was {name!r}")
    return cast(Family, import_module(f"{__name__}.{name}").FAMILY)
