from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from outcry.adapters.postgres.bars import to_timestamp


@given(st.datetimes(datetime(1970, 1, 1), datetime(2262, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC)))  # noqa: DTZ001 - Hypothesis wants naive bounds
def test_timestamp_is_exact_to_the_microsecond(instant: datetime) -> None:
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    ts_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert to_timestamp(ts_us * 1000) == instant
    assert to_timestamp(ts_us * 1000 + 999) == instant
