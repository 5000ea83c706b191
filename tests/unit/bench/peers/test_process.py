from pathlib import Path

import numpy as np
import orjson
import psutil
import pytest

from bench.peers import process
from bench.peers.process import measure_peak_mib, serve
from bench.peers.protocol import PRICES, Bars, Trade, write_bars


@pytest.fixture
def _three_repeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give `serve` four bars, and a command line that asks for three runs after a single one that is not timed."""
    path = tmp_path / "bars.npz"
    write_bars(path, [Bars("X", np.arange(4), {name: np.ones(4) for name in PRICES})])
    monkeypatch.setattr("sys.argv", ["peer", str(path), "--repeats", "3"])
    monkeypatch.setattr(process, "WARM_UP_S", 0.0)


@pytest.mark.usefixtures("_three_repeats")
def test_runs_are_timed_after_one_that_is_not_and_reported_on_the_last_line(capsys: pytest.CaptureFixture[str]):
    runs: list[int] = []

    def run(n_bars: int) -> int:
        print("a library talks")
        runs.append(n_bars)
        return len(runs)

    def list_trades(market: list[Bars], ran: int) -> list[Trade]:
        return [Trade(market[0].symbol, 1, 2, 1.0, 1.0, ran, 0.2)]

    serve("engine", "1.2", lambda market: len(market[0]), run, list_trades)
    report = orjson.loads(capsys.readouterr().out.splitlines()[-1])
    assert runs == [4, 4, 4, 4]
    assert len(report["seconds"]) == 3
    assert (report["engine"], report["version"]) == ("engine", "1.2")
    assert report["trades"] == [["X", 1, 2, 1.0, 1.0, 4, 0.2]]
    assert report["peak_mib"] > 1


@pytest.mark.usefixtures("_three_repeats")
def test_no_other_run_begins_after_the_longest_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(process, "MOST_S", 1e-9)
    serve("engine", "1.2", lambda market: market, lambda market: market, lambda market, ran: [])
    assert len(orjson.loads(capsys.readouterr().out.splitlines()[-1])["seconds"]) == 1


def test_peak_is_at_least_what_is_held_now_and_less_than_a_machine_has():
    held_mib = psutil.Process().memory_info().rss / 2**20
    assert held_mib - 1 <= measure_peak_mib() <= psutil.virtual_memory().total / 2**20
