"""A member of an ensemble: a family, and over which horizon it learns."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from outcry.errors import ConfigurationError

_FORM = re.compile(r"(?P<family>[a-z0-9_]+)(@(?P<bars>[1-9][0-9]*))?")


@dataclass(frozen=True, slots=True)
class Member:
    """A family at a horizon.

    Attributes
    ----------
    family : str
    horizon_bars : int, optional
        Absent: that of the ensemble.
    """

    family: str
    horizon_bars: int | None = None

    @property
    def name(self) -> str:
        """``lightgbm``, or ``lightgbm@20`` where it has a horizon of its own."""
        return self.family if self.horizon_bars is None else f"{self.family}@{self.horizon_bars}"

    def file_name(self, of_family: str) -> str:
        """Return the name that a file of the family has in a bundle: ``lightgbm.txt`` is ``lightgbm@20.txt`` there."""
        if self.horizon_bars is None:
            return of_family
        stem, dot, ending = of_family.rpartition(".")
        return f"{stem}@{self.horizon_bars}{dot}{ending}"

    def file_of_family(self, name: str) -> str:
        """Return what the family calls a file of a bundle: the way back from `file_name`."""
        return name if self.horizon_bars is None else name.replace(f"@{self.horizon_bars}.", ".")


def check_one_horizon(members: Iterable[Member]) -> None:
    """Refuse members that could not learn from the outcomes of their ensemble.

    Raises
    ------
    ConfigurationError
        Where one has a horizon of its own: what it forecast is known at another frame than what the ensemble did.
    """
    for member in members:
        if member.horizon_bars is not None:
            raise ConfigurationError(
                f"to learn while trading (online.enabled, outcry learn) all members must forecast the horizon of the "
                f"ensemble, {member.name} has its own: what came of it is known at another frame"
            )


def parse_member(name: str) -> Member:
    """Return the member of a name; whether there is such a family is not asked.

    Raises
    ------
    ConfigurationError
        Where the name has another form.

    Examples
    --------
    >>> parse_member("lightgbm@20")
    Member(family='lightgbm', horizon_bars=20)
    """
    found = _FORM.fullmatch(name)
    if found is None:
        raise ConfigurationError(f"a member must be FAMILY or FAMILY@BARS, with at least 1 bar; {name!r} is not")
    return Member(found["family"], int(found["bars"]) if found["bars"] else None)
