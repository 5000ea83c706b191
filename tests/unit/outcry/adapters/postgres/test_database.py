import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from outcry.adapters.postgres.database import Database, describe_database
from outcry.errors import ServiceError

PASSWORDS = st.text("abcXYZ0189-_.~", min_size=8)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:secret@db.example:6543/book", "host db.example port 6543 database book"),
        ("postgresql://db.example", "host db.example port 5432 database of the user"),
        ("postgresql://u@/book?host=/run/pg&port=5432", "host /run/pg port 5432 database book"),
        ("postgresql://u:secret@[::1", "a URL that is not one"),
    ],
)
def test_database_is_described_by_host_port_and_name(url: str, expected: str) -> None:
    assert describe_database(SecretStr(url)) == expected


@given(PASSWORDS)
def test_description_never_holds_the_password(password: str) -> None:
    assert password not in describe_database(f"postgresql://trader:{password}@h:5432/d?sslmode=require")


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@127.0.0.1:1/b", "nonsense hunter2", "postgresql://u:hunter2@h:p/b"]
)
async def test_error_of_a_database_that_cannot_be_opened_survives_pickling_without_the_password(url: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await Database(url).open()
    assert "hunter2" not in str(pickle.loads(pickle.dumps(caught.value)))  # noqa: S301 - our own error


async def test_statement_before_opening_is_refused() -> None:
    with pytest.raises(ServiceError, match="is not open"):
        await Database("postgresql://h/b").fetch("SELECT 1")
