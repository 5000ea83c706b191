"""Where a command puts the report of its run."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from configs.schema import Settings


def make_report_path(settings: "Settings", run_id: str, chosen: Path | None = None) -> Path:
    """Return the path of a report, the one chosen or that of its run; its folder is there."""
    path = chosen or settings.floor.state_dir / "runs" / run_id / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
