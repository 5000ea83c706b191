"""The way to MLflow: its client straight on a database, or on a tracking server, with errors that name no password."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import asyncpg
from pydantic import SecretStr

from outcry.adapters.postgres.database import Database, describe_database
from outcry.errors import ConfigurationError, OutcryError, ServiceError

DATABASE_NAME = "mlflow"
_NEEDED = ("mlflow", "psycopg2")
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # of seven, with pauses that double: two minutes before it says so
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def is_installed() -> bool:
    """Say whether the libraries of the extra ``train`` that the registry needs are there."""
    return all(find_spec(name) is not None for name in _NEEDED)


class MlflowConnection:
    """MLflow's client, and a place for artifacts where it has no server that keeps them.

    Parameters
    ----------
    url : SecretStr or None
        A database (``postgresql://``, ``sqlite:///``) or a tracking server (``http://``) of MLflow. None takes the
        database ``mlflow`` on the server of `database_url`, and makes it.
    database_url : str
        Of the journal.
    folder : Path
        Artifacts are kept in it, where `url` is not that of a tracking server.

    Raises
    ------
    ConfigurationError
        Where MLflow is not installed.
    ServiceError
        Where the database or server cannot be reached, or is not one of MLflow. The message names host, port and
        database, never the password.

    Notes
    -----
    The first connection to an empty database makes MLflow's tables, which takes 3 s.
    """

    def __init__(self, url: SecretStr | None, *, database_url: str, folder: Path) -> None:
        if not is_installed():
            raise ConfigurationError("the model registry needs MLflow: pip install 'outcry[train]'")
        if url is None:
            asyncio.run(_make_database(database_url))
        self._url = _beside(database_url) if url is None else url.get_secret_value()
        self._folder = folder.expanduser().resolve()
        if (plain := _plain_postgres(self._url)) is not None:
            asyncio.run(_check_postgres(plain))  # MLflow itself would try for minutes
        with self.asking():
            self._client = _open_client(_for_sqlalchemy(self._url))
            self._client.search_registered_models(max_results=1)

    @property
    def client(self) -> Any:
        """An `mlflow.MlflowClient`; call it inside `asking`."""
        return self._client

    @property
    def artifact_location(self) -> str | None:
        """Where a new experiment keeps its artifacts, a URI; None where a tracking server decides."""
        if urlsplit(self._url).scheme in {"http", "https"}:
            return None
        return (self._folder / "artifacts").as_uri()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Make a `ServiceError` of one line of whatever MLflow and its database raise inside the block."""
        try:
            yield
        except OutcryError:
            raise
        except Exception as error:  # MLflow's own, of SQLAlchemy, of requests, of the file system
            raise ServiceError(f"model registry at {describe(self._url)} {_reason(error, self._url)}") from None


def describe(url: str) -> str:
    """Return what a URL points at; user and password are left out."""
    plain = _plain_postgres(url)
    if plain is not None:
        return describe_database(plain)
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "a URL that is not one"


def _open_client(url: str) -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds

    logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # it logs what it also raises; set after it has set its own
    return MlflowClient(tracking_uri=url, registry_uri=url)


def _reason(error: Exception, url: str) -> str:
    lines = str(error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    with suppress(ValueError):
        parts = urlsplit(url)
        secrets = {parts.password or "", unquote(parts.password or ""), *parse_qs(parts.query).get("password", [])}
        if any(secret in reason for secret in secrets if secret):
            reason = type(error).__name__
    return f"cannot be used: {reason}"


def _beside(database_url: str) -> str:
    return urlunsplit(urlsplit(database_url)._replace(path=f"/{DATABASE_NAME}"))


def _plain_postgres(url: str) -> str | None:
    """Return the URL without the driver that SQLAlchemy reads; None where it is of no PostgreSQL."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}" if scheme.partition("+")[0] in {"postgresql", "postgres"} else None


def _for_sqlalchemy(url: str) -> str:
    """Name the driver that the extra installs: without a name SQLAlchemy asks for another one."""
    plain = _plain_postgres(url)
    if plain is None or "+" in url.partition("://")[0]:
        return url
    return plain.replace("postgresql://", "postgresql+psycopg2://", 1)


async def _check_postgres(url: str) -> None:
    try:
        async with Database.connect(url):
            pass
    except ServiceError as error:
        raise ServiceError(f"model registry: {error}") from None


async def _make_database(database_url: str) -> None:
    async def make(connection: asyncpg.Connection) -> None:
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE_NAME) is None:
            with suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):  # another command was first
                await connection.execute(f"CREATE DATABASE {DATABASE_NAME}")

    try:
        async with Database.connect(database_url) as database:
            await database.run(make)
    except ServiceError as error:
        hint = "OUTCRY_MLFLOW_URL names another database or server"
        raise ServiceError(f"model registry: {error}; {hint}") from None
