"""The job API of a Ray cluster: the only place of the queue that knows it."""

import asyncio
import logging
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ray.exceptions import AuthenticationError
from ray.job_submission import JobSubmissionClient

from outcry.adapters.postgres.jobs import JobRecord
from outcry.errors import ClusterError, ConfigurationError
from outcry.exit_status import EXIT_MISUSED
from training.jobs.dispatcher import Submission, SubmissionStatus

Answer = TypeVar("Answer")

_ANSWER_S = 60.0
_UPLOAD_S = 600.0
_ADDRESS_VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
_LOGGERS = ("ray", "ray.dashboard.modules.dashboard_sdk")  # tell of every file that is not sent
_NO_PLACE = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
_NOT_FOUND = "status code 404"
_REFUSED = "status code 400"


class RayJobs:
    """`ClusterJobs` over the job API: commands of outcry, each from a copy of its folder that goes with the cluster.

    Parameters
    ----------
    address : str or None
        Of the dashboard or the cluster; None takes what ``ray job submit`` would, of the environment.

    Raises
    ------
    ConfigurationError
        Where no address is given.
    ClusterError
        Where the API does not answer, or refuses the token.
    """

    def __init__(self, address: str | None) -> None:
        if address is None and not any(os.environ.get(name) for name in _ADDRESS_VARIABLES):
            raise ConfigurationError(
                f"jobs.address, ray.address or {' or '.join(_ADDRESS_VARIABLES)} must name the cluster, none does"
            )
        if address is not None:
            os.environ[_ADDRESS_VARIABLES[0]] = address  # Ray prefers what the environment says to what it is given
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            self._client = JobSubmissionClient()
        except Exception as error:  # Ray raises what it finds on the way: of its own, of sockets, of HTTP
            where = next(os.environ[name] for name in _ADDRESS_VARIABLES if os.environ.get(name))
            raise ClusterError(f"Ray must take jobs at {where}, did not: {_first_line(error)}") from error

    @property
    def address(self) -> str:
        """Of the dashboard."""
        return str(self._client.get_address())

    async def submit(self, job: JobRecord) -> None:
        submission_id = str(job.submission_id)

        def ask() -> None:
            if not Path(job.working_dir).is_dir():
                raise ConfigurationError(f"the folder of job {job.job_id} must be there, {job.working_dir} is not")
            self._client.submit_job(
                entrypoint=shlex.join(["python", "-m", "cli", *job.arguments]),
                submission_id=submission_id,
                runtime_env={"working_dir": job.working_dir},
                entrypoint_num_cpus=job.num_cpus or None,
                entrypoint_num_gpus=job.num_gpus or None,
                entrypoint_memory=job.memory_bytes or None,
            )

        try:
            await self._ask(ask, _UPLOAD_S)
        except (RuntimeError, ValueError) as error:
            if await self.look(submission_id) is not None:
                return  # by whoever was here before
            if isinstance(error, ValueError) or _REFUSED in str(error):
                raise ConfigurationError(
                    f"Ray must take job {job.job_id}, refused: {_last_line(str(error))}"
                ) from error
            raise self._away(error) from error

    async def look(self, submission_id: str) -> Submission | None:
        try:
            found = await self._ask(lambda: self._client.get_job_info(submission_id))
        except RuntimeError as error:
            if _NOT_FOUND in str(error):
                return None
            raise self._away(error) from error
        if found.error_type == _NO_PLACE:
            return Submission(SubmissionStatus.UNPLACED)
        if found.driver_exit_code == EXIT_MISUSED:
            return Submission(SubmissionStatus.MISUSED, _explain(found))
        return Submission(SubmissionStatus[found.status.value], _explain(found))

    async def stop(self, submission_id: str) -> None:
        try:
            await self._ask(lambda: self._client.stop_job(submission_id))
        except RuntimeError as error:
            if _NOT_FOUND not in str(error):
                raise self._away(error) from error

    async def logs(self, submission_id: str) -> str | None:
        """Return what a try has printed; None where the cluster does not know it."""
        try:
            return await self._ask(lambda: self._client.get_job_logs(submission_id))
        except RuntimeError as error:
            if _NOT_FOUND in str(error):
                return None
            raise self._away(error) from error

    async def _ask(self, question: Callable[[], Answer], deadline_s: float = _ANSWER_S) -> Answer:
        """Ask in a thread: the client of Ray blocks, and knows no deadline."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(question), deadline_s)
        except (AuthenticationError, OSError) as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> ClusterError:
        return ClusterError(f"Ray at {self.address} must answer, did not: {_first_line(error)}")


def _explain(found: Any) -> str:
    if found.driver_exit_code is not None:
        return f"exit status {found.driver_exit_code}: {_last_line(found.message or '')}"
    return _first_line(found.message or "")


def _first_line(text: Exception | str) -> str:
    nothing = type(text).__name__ if isinstance(text, Exception) else ""
    return next((line.strip() for line in str(text).splitlines() if line.strip()), nothing)


def _last_line(text: str) -> str:
    return _first_line("\n".join(reversed(text.splitlines())))
