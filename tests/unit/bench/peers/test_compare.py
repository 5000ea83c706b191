import numpy as np
from rich.console import Console

from bench.peers.agreement import find_difference
from bench.peers.compare import Row, Sample, build_table, find_waits, merge_rounds
from bench.peers.protocol import PRICES, Bars, Report, Trade

TRADE = Trade("X", 1, 2, 10.0, 11.0, 100, 2.1)


def build_sample(n_symbols: int) -> Sample:
    """Return symbols of a thousand bars each, with one trade in all."""
    bars = tuple(Bars(f"S{i}", np.arange(1_000), {name: np.ones(1_000) for name in PRICES}) for i in range(n_symbols))
    return Sample(bars, (TRADE,))


def build_row(engine: str, seconds: float, trade: Trade = TRADE, *, cpu_frac: float = 1.0, is_own: bool = False) -> Row:
    """Return an engine that takes `seconds` for one symbol and ten times that for the others."""
    reports = tuple(
        Report(
            engine=engine,
            version="1.0",
            seconds=[seconds * scale * noise for noise in (9.0, 1.0, 0.5)],
            cpu_seconds=[seconds * scale * noise * cpu_frac for noise in (9.0, 1.0, 0.5)],
            load_seconds=0.25,
            peak_mib=123.4,
            trades=[list(trade)],
        )
        for scale in (1, 10)
    )
    return Row(reports, (find_difference([TRADE], [trade]),) * 2, is_own=is_own)


def print_table(rows: list[Row]) -> dict[str, list[str]]:
    """Return the cells of each row by its first, and the headings under an empty name."""
    console = Console(width=250)
    with console.capture() as captured:
        console.print(build_table(rows, [build_sample(1), build_sample(20)]))
    lines = [line for line in captured.get().splitlines() if line[:1] in "│┃"]
    cells = [[cell.strip() for cell in line.replace("┃", "│").strip("│").split("│")] for line in lines if line]
    return {"": cells[0]} | {each[0]: each[1:] for each in cells[1:]}


def test_row_has_medians_rates_and_the_memory_of_the_larger_sample():
    table = print_table([build_row("slow", 2.0, cpu_frac=0.5)])
    assert table["slow"] == ["1.0", "1", "yes", "2", "1", "500", "20", "10", "1,000", "0.25", "123"]
    assert table[""][4:10] == ["1 symbol: s", "CPU s", "bars/s", "20 symbols: s", "CPU s", "bars/s"]
    assert "faster" not in " ".join(table[""])


def test_own_engine_is_held_against_each_of_the_others():
    table = print_table([build_row("outcry", 0.5, is_own=True), build_row("slow", 2.0), build_row("quick", 0.25)])
    assert table[""][-1] == "outcry is … x faster"
    assert [table[name][-1] for name in ("outcry", "slow", "quick")] == ["", "4 / 4", "0.5 / 0.5"]


def test_times_of_all_rounds_count_and_a_difference_in_any():
    wrong = build_row("engine", 1.0, TRADE._replace(exit_price=11.01))
    row = merge_rounds([build_row("engine", 1.0), wrong, build_row("engine", 4.0)])
    assert row.reports[0]["seconds"] == [9.0, 1.0, 0.5, 9.0, 1.0, 0.5, 36.0, 4.0, 2.0]
    assert row.reports[1]["cpu_seconds"] == [90.0, 10.0, 5.0, 90.0, 10.0, 5.0, 360.0, 40.0, 20.0]
    assert row.differences == wrong.differences
    assert print_table([row])["engine"][:4] == ["1.0", "1", "NO", "2"]  # the median of the nine


def test_other_trades_are_said_in_the_table():
    table = print_table([build_row("wrong", 1.0, TRADE._replace(exit_price=11.01)), build_row("right", 1.0)])
    assert table["wrong"][2] == "NO"
    assert table["right"][2] == "yes"


def test_engine_that_waited_for_a_processor_is_named():
    rows = [build_row("quiet", 1.0), build_row("waited", 1.0, cpu_frac=0.5)]
    assert find_waits(rows) == ["busy machine: waited had 50% of a processor"]
