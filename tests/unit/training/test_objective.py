"""An objective is a named figure or a function of the user's, and what is wrong with one is named."""

from pathlib import Path

import numpy as np
import pytest

from actors.trials import TrialOutcome
from outcry.errors import ConfigurationError, OutcryError, StrategyError
from training.objective import NAMED, read_objective

OUTCOME = TrialOutcome(0, {"sharpe": 1.5, "calmar": None}, np.array([0.01, 0.02]), "", 1.0)


def write(folder: Path, body: str) -> str:
    path = folder / "mine.py"
    path.write_text(f"import numpy as np\ndef score(trial):\n    {body}\n")
    return f"{path}:score"


@pytest.mark.parametrize("name", NAMED)
def test_named_figures_are_those_of_the_trial(name):
    objective = read_objective(name)
    assert (objective.name, objective.version) == (name, "")
    assert objective.judge(OUTCOME, {}) is OUTCOME


def test_function_is_given_point_metrics_and_returns(tmp_path: Path):
    objective = read_objective(
        write(tmp_path, "return trial.metrics['sharpe'] + trial.returns.sum() + trial.point['k']")
    )
    judged = objective.judge(OUTCOME, {"k": 10})
    assert judged.metrics["mine.py:score"] == pytest.approx(11.53)
    assert "mine.py:score" not in OUTCOME.metrics


def test_other_file_is_another_version(tmp_path: Path):
    versions = {read_objective(write(tmp_path, f"return {k}")).version for k in (1, 2, 1)}
    assert len(versions) == 2


def test_failed_trial_is_not_judged(tmp_path: Path):
    failed = TrialOutcome(0, None, None, "fell", 1.0)
    assert read_objective(write(tmp_path, "raise RuntimeError")).judge(failed, {}) is failed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return trial.metrics['shape']", "raised KeyError: 'shape'"),
        ("return 'high'", "raised ValueError: could not convert"),
        ("return float('-inf')", "must be finite, or NaN for a trial to pass over, was -inf"),
        ("return trial.metrics['calmar'] * 2", "raised TypeError"),
    ],
)
def test_what_a_function_does_wrong_is_named_with_the_point(tmp_path: Path, body, message):
    with pytest.raises(StrategyError) as error:
        read_objective(write(tmp_path, body)).judge(OUTCOME, {"param.edge": 0.1})
    assert str(error.value).startswith("objective mine.py:score at param.edge=0.1 must")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("body", "value"), [("return None", None), ("return np.nan", None), ("return True", 1.0)])
def test_none_and_nan_are_no_value(tmp_path: Path, body, value):
    assert read_objective(write(tmp_path, body)).judge(OUTCOME, {}).metrics["mine.py:score"] == value


def test_text_that_names_nothing_is_refused(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text("score = 3\n")
    broken = tmp_path / "broken.py"
    broken.write_text("import nothing_like_it\n")
    for text, message in (
        ("sharp", "must be one of sharpe"),
        ("mine.txt:score", "FILE.py:FUNCTION"),
        (f"{path}:", "FILE.py:FUNCTION"),
        (f"{tmp_path}/none.py:score", "must name a file"),
        (f"{path}:score", "must define a function score"),
        (f"{broken}:score", "must run, failed with ModuleNotFoundError"),
    ):
        with pytest.raises(OutcryError, match=message):
            read_objective(text)
    with pytest.raises(ConfigurationError):
        read_objective("sharp")
