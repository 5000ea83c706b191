"""Run the crossover in every engine, hold the trades against each other, and print one table.

Each engine runs in a process of its own, one after the other, and they take turns for several rounds: a shared machine
is slow for some seconds and fast for others, and what an engine is held against ran beside it. The exit status is 1
where trades differ; how fast an engine was decides nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import orjson
import polars as pl
from rich.console import Console
from rich.table import Table

from bench.peers.agreement import find_difference
from bench.peers.oracle import find_trades
from bench.peers.protocol import PRICES, Bars, Report, Trade, write_bars

REPOSITORY_DIR = Path(__file__).resolve().parents[2]
ENVIRONMENTS_DIR = Path(__file__).resolve().parent / ".venv"
DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
BARS_FILE = DATA_DIR / "us_equities_5min_2025_2026.parquet"
ONE_SYMBOL = "AAPL"
N_SYMBOLS = 20
N_REPEATS = 5
N_ROUNDS = 3
LEAST_CPU_FRAC = 0.9
PAGE_COLUMNS = 170  # where the table is not written to a terminal


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that answers as `bench.peers.process.serve` does, and the environment it runs in.

    `environment` names a folder of `bench/peers/.venv`; None is the interpreter that compares.
    """

    module: str
    environment: str | None = None


ENGINES = (
    Engine("bench.peers.outcry_peer"),
    Engine("bench.peers.nautilus_peer", "pandas2"),
    Engine("bench.peers.backtesting_peer", "pandas2"),
    Engine("bench.peers.vectorbt_peer", "pandas3"),
    Engine("bench.peers.backtrader_peer", "pandas2"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Bars that every engine trades, and the trades that come of them."""

    market: tuple[Bars, ...]
    trades: tuple[Trade, ...]

    @property
    def n_bars(self) -> int:
        """Bars of all symbols."""
        return sum(len(bars) for bars in self.market)


@dataclass(frozen=True, slots=True)
class Row:
    """What one engine did: a report a sample, and where its trades differ."""

    reports: tuple[Report, ...]
    differences: tuple[str | None, ...]
    is_own: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the engines and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers.compare", description="Compare backtesters.")
    parser.add_argument("--also", action="append", default=[], metavar="MODULE", help="a program of this environment")
    parser.add_argument("--only", action="append", metavar="WORD", help="engines whose module has the word in its name")
    parser.add_argument("--symbols", type=int, default=N_SYMBOLS, help="of the second sample")
    parser.add_argument("--repeats", type=int, default=N_REPEATS, help="of every run in a round, after a warm-up")
    parser.add_argument("--rounds", type=int, default=N_ROUNDS, help="in which the engines take turns")
    chosen = parser.parse_args(arguments)
    for name in ("repeats", "rounds"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name} must be at least 1, was {getattr(chosen, name)}")
    if not BARS_FILE.is_file():
        parser.error(f"no bars at {BARS_FILE}; OUTCRY_TEST_DATA names their folder")

    engines = [*(Engine(module) for module in chosen.also), *ENGINES]
    engines = [each for each in engines if not chosen.only or any(word in each.module for word in chosen.only)]
    samples = [load_sample(symbols) for symbols in ([ONE_SYMBOL], list_symbols()[: chosen.symbols])]
    rounds = [[run_engine(engine, samples, chosen.repeats) for engine in engines] for _ in range(chosen.rounds)]
    rows = [merge_rounds(of_engine) for of_engine in zip(*rounds, strict=True)]
    console = Console(width=None if sys.stdout.isatty() else PAGE_COLUMNS)
    console.print(build_table(rows, samples))
    for each in find_waits(rows):
        console.print(each, highlight=False)
    differences = [
        f"{row.reports[0]['engine']}, {len(sample.market)} symbols: {found}"
        for row in rows
        for sample, found in zip(samples, row.differences, strict=True)
        if found
    ]
    for each in differences or ["all trades agree with those of exact arithmetic"]:
        console.print(each, highlight=False)
    return 1 if differences else 0


def list_symbols() -> list[str]:
    """Return the symbols of the data, in order of the alphabet."""
    symbols: list[str] = (
        pl.scan_parquet(BARS_FILE).select("symbol").unique().sort("symbol").collect()["symbol"].to_list()
    )
    return symbols


def load_sample(symbols: Sequence[str]) -> Sample:
    """Read the bars of some symbols and work out their trades."""
    table = pl.scan_parquet(BARS_FILE).filter(pl.col("symbol").is_in(symbols)).collect().sort("symbol", "ts")
    market = tuple(
        Bars(
            str(symbol),
            part["ts"].dt.epoch("ns").to_numpy().astype("int64"),
            {name: part[name].to_numpy() for name in PRICES},
        )
        for (symbol,), part in table.partition_by("symbol", as_dict=True).items()
    )
    return Sample(market, tuple(trade for bars in market for trade in find_trades(bars)))


def run_engine(engine: Engine, samples: Sequence[Sample], n_repeats: int) -> Row:
    """Run an engine on each sample, in a process each, and hold its trades against those that are due.

    Raises
    ------
    FileNotFoundError
        If its environment is not there.
    subprocess.CalledProcessError
        If it fails; its last lines are printed before.
    """
    python = ENVIRONMENTS_DIR / engine.environment / "bin" / "python" if engine.environment else Path(sys.executable)
    if not python.is_file():
        raise FileNotFoundError(f"no interpreter at {python}: make peers makes it")
    reports: list[Report] = []
    for sample in samples:
        print(f"running {engine.module} on {len(sample.market)} symbols", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="oc-peers-") as folder:
            bars_file = Path(folder) / "bars.npz"
            write_bars(bars_file, sample.market)
            done = subprocess.run(
                [str(python), "-m", engine.module, str(bars_file), "--repeats", str(n_repeats)],
                cwd=REPOSITORY_DIR,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            done.check_returncode()
        reports.append(orjson.loads(done.stdout.splitlines()[-1]))
    differences = tuple(
        find_difference(sample.trades, [Trade(*each) for each in report["trades"]])
        for sample, report in zip(samples, reports, strict=True)
    )
    return Row(tuple(reports), differences, is_own=engine.environment is None)


def merge_rounds(rows: Sequence[Row]) -> Row:
    """Return what one engine did in all rounds: every time it took, its largest memory, the first difference."""
    reports = [
        Report(
            engine=of_sample[-1]["engine"],
            version=of_sample[-1]["version"],
            seconds=[each for report in of_sample for each in report["seconds"]],
            cpu_seconds=[each for report in of_sample for each in report["cpu_seconds"]],
            load_seconds=median(report["load_seconds"] for report in of_sample),
            peak_mib=max(report["peak_mib"] for report in of_sample),
            trades=of_sample[-1]["trades"],
        )
        for of_sample in zip(*(row.reports for row in rows), strict=True)
    ]
    differences = [
        next((each for each in of_sample if each), None)
        for of_sample in zip(*(row.differences for row in rows), strict=True)
    ]
    return Row(tuple(reports), tuple(differences), rows[0].is_own)


def build_table(rows: Sequence[Row], samples: Sequence[Sample]) -> Table:
    """Return an engine a row; where one is of this environment, how many times its time the others take."""
    own = next((row for row in rows if row.is_own), None)
    table = Table(
        title="the same crossover, fees and bars in each",
        caption=(
            "Seconds: from the library's own form of the bars to its record of the trades, median after a "
            "warm-up, of all rounds; CPU: what it computed for in that time. "
            "Loading: making that form, and for NautilusTrader the engines around it, once, for the larger sample. "
            "Peak: resident memory of its process there, libraries and bars included."
        ),
    )
    table.add_column("engine")
    table.add_column("version")
    for name in ("trades", "agree"):
        table.add_column(name, justify="right")
    for sample in samples:
        n_symbols = len(sample.market)
        table.add_column(f"{n_symbols} symbol{'s' * (n_symbols > 1)}: s", justify="right")
        table.add_column("CPU s", justify="right")
        table.add_column("bars/s", justify="right")
    table.add_column("loading s", justify="right")
    table.add_column("peak MiB", justify="right")
    if own:
        table.add_column(f"{own.reports[0]['engine']} is … x faster", justify="right")
    for row in rows:
        last = row.reports[-1]
        cells = [last["engine"], last["version"], f"{len(last['trades']):,}", "NO" if any(row.differences) else "yes"]
        for sample, report in zip(samples, row.reports, strict=True):
            seconds = median(report["seconds"])
            cells += [f"{seconds:,.3g}", f"{median(report['cpu_seconds']):,.3g}", f"{sample.n_bars / seconds:,.0f}"]
        cells += [f"{last['load_seconds']:,.3g}", f"{last['peak_mib']:,.0f}"]
        if own:
            cells.append("" if row is own else " / ".join(_ratios(row, own)))
        table.add_row(*cells)
    return table


def find_waits(rows: Sequence[Row]) -> list[str]:
    """Say which engines waited for a processor, so that a table from a busy machine is known for one."""
    waits = []
    for row in rows:
        cpu_frac = sum(sum(each["cpu_seconds"]) for each in row.reports) / sum(
            sum(each["seconds"]) for each in row.reports
        )
        if cpu_frac < LEAST_CPU_FRAC:
            waits.append(f"busy machine: {row.reports[0]['engine']} had {cpu_frac:.0%} of a processor")
    return waits


def _ratios(row: Row, own: Row) -> list[str]:
    return [
        f"{median(theirs['seconds']) / median(ours['seconds']):,.3g}"
        for theirs, ours in zip(row.reports, own.reports, strict=True)
    ]


if __name__ == "__main__":
    sys.exit(main())
