from pathlib import Path

import orjson
import pytest
from rich.console import Console

from bench.__main__ import build_table, main, write_results
from bench.harness import result


def test_figure_replaces_its_older_self_and_leaves_the_others(tmp_path: Path):
    path = tmp_path / "results" / "latest.json"
    write_results([result("a", 1.0, "ms", "how"), result("b", 2.0, "ms", "how")], path)
    write_results([result("b", 3.0, "ms", "how", at_most=2)], path)
    assert [(each["name"], each["value"], each["holds"]) for each in orjson.loads(path.read_bytes())] == [
        ("a", 1.0, True),
        ("b", 3.0, False),
    ]


def test_table_says_which_goal_is_missed():
    console = Console(width=120)
    with console.capture() as captured:
        console.print(build_table([result("slow", 9.0, "ms", "how", at_most=2), result("plain", 1.0, "ms", "how")]))
    rows = {line.split()[1]: line for line in captured.get().splitlines() if "│" in line}
    assert "NO" in rows["slow"]
    assert "NO" not in rows["plain"]


def test_unknown_part_ends_with_the_names_of_the_known_ones(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert "invalid choice: 'nothing'" in capsys.readouterr().err
