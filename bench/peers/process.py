"""What every engine's process does: read bars, time the runs after a warm-up, say what was found."""

import argparse
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

from bench.peers.protocol import Bars, Report, Trade, read_bars

N_REPEATS = 5
WARM_UP_S = 2.0
"""Runs that are not timed go on for so long, at least one: the first dozen of short ones wait for fresh memory."""
MOST_S = 10.0
"""After so many seconds of timed runs no other begins."""

Loaded = TypeVar("Loaded")
Ran = TypeVar("Ran")


def serve(
    engine: str,
    version: str,
    load: Callable[[list[Bars]], Loaded],
    run: Callable[[Loaded], Ran],
    list_trades: Callable[[list[Bars], Ran], list[Trade]],
) -> None:
    """Load the bars named on the command line, time the runs and print the report.

    Parameters
    ----------
    engine, version : str
    load : callable
        From bars to what the library would rather have; timed once, apart.
    run : callable
        From there to the library's own record of the trades; timed each time, after the warm-up.
    list_trades : callable
        From that record to trades; not timed.
    """
    parser = argparse.ArgumentParser(description=f"Trade the crossover in {engine}.")
    parser.add_argument("bars", type=Path)
    parser.add_argument("--repeats", type=int, default=N_REPEATS)
    chosen = parser.parse_args()
    market = read_bars(chosen.bars)

    started = perf_counter()
    loaded = load(market)
    load_seconds = perf_counter() - started
    started = perf_counter()
    ran = run(loaded)
    while perf_counter() - started < WARM_UP_S:
        ran = run(loaded)
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    while len(seconds) < chosen.repeats and sum(seconds) < MOST_S:
        started, cpu_started = perf_counter(), process_time()
        ran = run(loaded)
        seconds.append(perf_counter() - started)
        cpu_seconds.append(process_time() - cpu_started)
    peak_mib = measure_peak_mib()
    trades = [list(trade) for trade in list_trades(market, ran)]
    report = Report(
        engine=engine,
        version=version,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        load_seconds=load_seconds,
        peak_mib=peak_mib,
        trades=trades,
    )
    sys.stdout.write(json.dumps(report) + "\n")


def measure_peak_mib() -> float:
    """Return the most memory that this process has held, in MiB.

    Notes
    -----
    `ru_maxrss` of a child starts from what its parent held when it was made, so the kernel's own mark of this address
    space is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        marks = [line.split() for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        if marks:
            return int(marks[0][1]) / 1024
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return kib / 1024
