"""The command line as a whole: what is misused is told in one line."""

import sys

import pytest

from cli.__main__ import app
from cli.console import run_guarded
from outcry.exit_status import EXIT_MISUSED


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("backtest", "--search", "foo"), ("--search", "foo", "'grid', 'random', 'bayes', 'genetic'")),
        (("backtest", "--trials", "many"), ("--trials", "integer")),
        (("data", "check"), ("path",)),
    ],
)
def test_a_value_that_an_option_does_not_take_is_told_in_one_line(
    words: tuple[str, ...], told: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["outcry", *words])
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    with pytest.raises(SystemExit) as ended:
        run_guarded(app)
    assert ended.value.code == EXIT_MISUSED
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert all(word in output.err for word in told)
