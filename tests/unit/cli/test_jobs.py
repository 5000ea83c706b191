"""What can be queued, and what a queue tells of itself."""

from datetime import UTC, datetime

import pytest

from cli.jobs import check_command
from cli.jobs_view import count_document, describe_standing
from outcry.adapters.postgres.jobs import JobRecord, JobState
from outcry.errors import ConfigurationError


@pytest.mark.parametrize(
    "words", ["train --family lstm --set floor.state_dir=/x", "features list", "models promote --force --reason x"]
)
def test_a_command_of_outcry_can_be_queued(words: str) -> None:
    check_command(words.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("trian", "command of outcry: run, backtest,.*; was 'trian'"),
        ("features", "command of outcry features: list, .*; was ''"),
        ("train --familly lstm", "No such option: --familly"),
        ("train --from 2010-99-01", "Invalid value for '--from'"),
        ("train --help", "must do something"),
        ("train --set storage.database_url=postgresql://me:secret@host/db", "must not name storage"),
        ("train --set=storage.redis_url=redis://:secret@host", "must not name storage"),
    ],
)
def test_what_would_fail_at_once_or_hold_a_password_is_refused(words: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        check_command(words.split())
    assert "secret" not in str(raised.value)


def test_a_queue_counts_what_runs_what_waits_and_what_has_ended() -> None:
    counts = {state: number for number, state in enumerate(JobState, start=1)}
    assert count_document(counts) == {
        "active": 2,
        "queued": 1,
        "completed": 3 + 4 + 5 + 6,
        "succeeded": 3,
        "failed": 4,
        "cancelled": 5,
        "timed_out": 6,
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": JobState.RUNNING}, "starting"),
        ({"state": JobState.RUNNING, "started_at": datetime(2020, 1, 1, tzinfo=UTC)}, "running"),
        ({"state": JobState.RUNNING, "stop_as": "timed_out"}, "stopping"),
        ({"not_before": datetime(2020, 1, 1, tzinfo=UTC)}, "queued"),
        ({"state": JobState.TIMED_OUT}, "timed out"),
    ],
)
def test_a_job_says_in_a_word_how_it_stands(changes: dict[str, object], told: str) -> None:
    values: dict[str, object] = dict.fromkeys(JobRecord.__dataclass_fields__) | {"state": JobState.QUEUED}
    assert describe_standing(JobRecord(**(values | changes))) == told  # type: ignore[arg-type]
