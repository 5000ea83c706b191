"""The terminal: where output goes, and how an error reads."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from rich.console import Console

from outcry.errors import OutcryError, ServiceError
from outcry.exit_status import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_MISUSED, EXIT_UNAVAILABLE

_FILE_WIDTH = 200  # of a table in a file or a pipe, where a terminal has its own and COLUMNS does not say

console = Console()
errors = Console(stderr=True)
if not console.is_terminal and "COLUMNS" not in os.environ:
    console.width = _FILE_WIDTH


def print_json_document(document: Any) -> None:
    """Print one JSON document, the machine form of a table."""
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")


def run_guarded(command: Callable[[], None]) -> None:
    """Run a command line to its exit code; an error of outcry is one readable message, not a traceback.

    ``--debug`` anywhere on the line, or ``OUTCRY_TEST_DEBUG``, shows tracebacks.
    """
    is_debugging = "--debug" in sys.argv or bool(os.environ.get("OUTCRY_TEST_DEBUG"))
    signal.signal(signal.SIGTERM, _interrupt)  # ended by a supervisor, a command cleans up as after Ctrl-C
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        command()
    except OutcryError as error:
        if is_debugging:
            raise
        errors.print(f"[bold red]error[/]: {_escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(EXIT_UNAVAILABLE if isinstance(error, ServiceError) else EXIT_MISUSED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        if is_debugging:
            raise
        errors.print("interrupted", highlight=False)
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        if is_debugging:
            raise
        errors.print(f"[bold red]error[/]: {_escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(EXIT_FAILED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
