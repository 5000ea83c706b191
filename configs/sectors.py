"""The sector of well-known symbols."""

from pathlib import Path

import yaml

SECTORS_FILE = Path(__file__).parent / "universes" / "sectors_us.yaml"


def load_sectors() -> dict[str, str]:
    """Return sector by symbol; a symbol that is not listed has none."""
    sectors: dict[str, str] = yaml.safe_load(SECTORS_FILE.read_text())
    return sectors
