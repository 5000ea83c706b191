"""``outcry walk-forward`` on a Ray that is there: windows as tasks, kept when a command is cut short."""

import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from cli import walk_forward as command

N_WINDOWS = 3
SETTINGS = (
    "features.set=small",
    "training.selection=[]",
    "walk_forward.inner_folds=1",
    "portfolio.entry_edge=0.02",
    "portfolio.exit_edge=0.0",
    "walk_forward.train_sessions=250",
    "walk_forward.test_sessions=120",
)


def run(state_dir: Path, ray_address: str, n_workers: int) -> None:
    command.walk_forward(
        start=datetime(2000, 3, 1),  # noqa: DTZ001 - a date of the exchange
        end=datetime(2002, 9, 1),  # noqa: DTZ001
        assignments=[*SETTINGS, f"floor.state_dir={state_dir}", f"ray.address={ray_address}"],
        workers=n_workers,
        as_json=True,
    )


def trained(state_dir: Path) -> set[str]:
    return {path.name for path in (state_dir / "bundles" / "by_training").iterdir()}


def test_command_cut_short_keeps_its_windows_and_the_next_one_trains_the_others(
    state_dir: Path, ray_address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    show = command.WindowCount.show

    def interrupt_after_one(count: command.WindowCount, n_done: int, n_windows: int) -> None:
        show(count, n_done, n_windows)
        if n_done == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(command.WindowCount, "show", interrupt_after_one)
        with pytest.raises(KeyboardInterrupt):
            run(state_dir, ray_address, n_workers=1)
    assert f"1 of {N_WINDOWS} windows are kept" in capsys.readouterr().err
    kept = trained(state_dir)
    assert len(kept) == 1

    run(state_dir, ray_address, n_workers=2)
    document = json.loads(capsys.readouterr().out)
    assert document["n_models_trained"] == N_WINDOWS - 1
    assert kept < trained(state_dir)
    windows = document["windows"]
    assert len({window["model_version"] for window in windows}) == len(windows) == N_WINDOWS
    assert all(window["train_span_ns"][1] < window["test_span_ns"][0] for window in windows)
    assert all(earlier["test_span_ns"][1] < later["test_span_ns"][0] for earlier, later in pairwise(windows))
    assert sum(window["n_trades"] for window in windows) == document["trades"]["n_trades"]
    assert Path(document["report"]).stat().st_size > 0
    assert not list(state_dir.glob("windows-*"))
