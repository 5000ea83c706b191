"""Run the benchmarks, print one table and write ``bench/results/latest.json``.

A missed goal is said in the table and on the last line; the exit status stays 0, because a shared machine is no judge.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.harness import Result

PARTS = (
    "features",
    "models",
    "boosting",
    "neural",
    "storage",
    "serve",
    "floor",
    "backtest",
    "sweep",
    "walk_forward",
    "stress",
    "registry",
)
RESULTS_FILE = Path("bench/results/latest.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts asked for and return the exit status."""
    present = [part for part in PARTS if find_spec(f"bench.{part}") is not None]
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure outcry against its goals.")
    parser.add_argument("--only", choices=present, metavar="NAME", help=f"one of: {', '.join(present) or 'none yet'}")
    chosen = parser.parse_args(arguments).only

    results: list[Result] = []
    for part in [chosen] if chosen else present:
        print(f"measuring {part}", file=sys.stderr)
        results += importlib.import_module(f"bench.{part}").run()

    write_results(results, RESULTS_FILE)
    console = Console()
    console.print(build_table(results))
    missed = [each["name"] for each in results if not each["holds"]]
    n_goals = sum(bool(each["goal"]) for each in results)
    console.print(
        f"{n_goals - len(missed)} of {n_goals} goals hold" + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    return 0


def build_table(results: Sequence[Result]) -> Table:
    """Return the figures as a table, one row each."""
    table = Table("name", "value", "unit", "goal", "holds", "how", title="outcry bench")
    for each in results:
        verdict = ("yes" if each["holds"] else "NO") if each["goal"] else ""
        table.add_row(each["name"], f"{each['value']:,.4g}", each["unit"], each["goal"], verdict, each["how"])
    return table


def write_results(results: Sequence[Result], path: Path) -> None:
    """Write the figures as JSON; those of other parts measured before stay in the file.

    A figure replaces the one of the same name.
    """
    named = {each["name"]: each for each in orjson.loads(path.read_bytes())} if path.exists() else {}
    named.update({each["name"]: each for each in results})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(list(named.values()), option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    sys.exit(main())
