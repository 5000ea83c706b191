"""``outcry sweep`` on a Ray that is there: trials of Tune, in the journal, and a winner that is fitted once."""

import json
import os
import signal
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli import sweep as command
from configs.loader import load_settings
from outcry.errors import ModelError
from outcry.models.bundle import load_bundle
from training.model_sweep import tuner
from training.model_sweep.trial import run_trial

SETTINGS = (
    "features.set=small",
    "training.selection=[]",
    "training.n_folds=3",
    "training.train_frac=0.7",
    "training.lightgbm.max_rounds=15",
    "portfolio.entry_edge=0.02",
    "portfolio.exit_edge=0.0",
)
SPACE = ["lightgbm.n_leaves=7,15", "lightgbm.learning_rate=0.05,0.1"]


Sweep = Callable[..., None]


@pytest.fixture
def sweep(state_dir: Path, ray_address: str) -> Sweep:
    return partial(_sweep, [*SETTINGS, f"floor.state_dir={state_dir}", f"ray.address={ray_address}"])


def _sweep(assignments: list[str], **options: Any) -> None:
    command.sweep(
        start=datetime(2000, 3, 1),  # noqa: DTZ001 - a date of the exchange
        end=datetime(2002, 9, 1),  # noqa: DTZ001
        families=["lightgbm"],
        assignments=assignments,
        space=SPACE,
        as_json=True,
        **{"trials": 4, "algorithm": command.Algorithm.GRID, "stop_early": False, "workers": 2} | options,
    )


def points(document: Mapping[str, Any]) -> list[str]:
    return sorted(json.dumps(trial["point"], sort_keys=True) for trial in document["trials"])


def test_a_search_that_was_cut_short_goes_on_with_what_is_left(
    sweep: Sweep, state_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = command._Search._on_report
    n_ended = 0

    def interrupt_after_two(search: command._Search, report: tuner.TrialReport, is_end: bool) -> None:
        nonlocal n_ended
        write(search, report, is_end)
        n_ended += is_end
        if n_ended == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(command._Search, "_on_report", interrupt_after_two)
        with pytest.raises(KeyboardInterrupt):
            sweep()
    capsys.readouterr()
    assert not list(state_dir.glob("sweep-*"))

    asked: list[int] = []
    run_trials = tuner.run_trials

    def count_known(*arguments: Any, **options: Any) -> None:
        asked.append(len(arguments[2]))
        run_trials(*arguments, **options)

    monkeypatch.setattr(tuner, "run_trials", count_known)
    sweep()
    document = json.loads(capsys.readouterr().out)
    assert asked == [2]
    assert len(document["trials"]) == len(set(points(document))) == 4
    assert {trial["n_folds"] for trial in document["trials"]} == {2}
    assert document["evidence"]["n_trials"] == 4
    assert document["best"]["score"] == max(trial["score"] for trial in document["trials"])
    bundle = load_bundle(Path(document["bundle"]))
    assert bundle.manifest.test.model_dump(mode="json") == document["test"]
    assert [member.family for member in bundle.manifest.members] == ["lightgbm"]

    sweep()  # nothing is left to do
    again = json.loads(capsys.readouterr().out)
    assert asked == [2]
    assert again["best"] == document["best"]
    assert again["bundle"] == document["bundle"]


def test_optuna_proposes_and_the_lower_two_thirds_are_stopped(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(algorithm=command.Algorithm.OPTUNA, stop_early=True, trials=5, workers=1)
    document = json.loads(capsys.readouterr().out)
    folds = [trial["n_folds"] for trial in document["trials"]]
    assert len(folds) == 5
    assert folds[0] == 2  # nobody came before it
    assert 1 in folds


def test_a_trial_whose_process_dies_is_tried_again_and_one_that_fails_is_told(
    sweep: Sweep, state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    marker = tmp_path / "died"

    def dangerous(market: Any, point: Mapping[str, Any]) -> Any:
        if point["lightgbm.n_leaves"] == 15:
            raise ModelError("lightgbm.n_leaves of 15 is unlucky")
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return run_trial(market, point)

    monkeypatch.setattr(tuner, "run_trial", dangerous)
    sweep(workers=1)
    document = json.loads(capsys.readouterr().out)
    errors = [trial["error"] for trial in document["trials"]]
    assert marker.exists()
    assert sorted(map(bool, errors)) == [False, False, True, True]
    assert {error for error in errors if error} == {"ModelError: lightgbm.n_leaves of 15 is unlucky"}
    assert document["evidence"]["n_trials"] == 2
    settings = load_settings(assignments=[f"floor.state_dir={state_dir}"])
    assert settings.floor.state_dir == state_dir
