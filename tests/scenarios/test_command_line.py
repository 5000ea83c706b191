"""The commands as a user types them."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import psutil
import pytest

from cli.__main__ import main
from cli.ledger import ask_ledger, find_run
from configs.loader import load_settings
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.runs import RunRegistry
from outcry.adapters.services import Services
from outcry.errors import RecoveryError, ServiceError

SMALL = ("--from", "2010-01-01", "--to", "2012-05-31")
SETTINGS = (
    "features.set=small",
    "training.train_frac=0.83",
    "training.n_threads=1",
    "floor.warmup_frames=250",
    "floor.recovery_deadline_s=300",
    "serving.start_deadline_s=600",
    "portfolio.entry_edge=0.0",
    "portfolio.exit_edge=0.0",
)
SLOWLY = "100000"  # times real time: a daily bar a second


@dataclass
class CommandLine:
    """``outcry`` in a folder of its own; every process it starts carries `mark` in its environment."""

    folder: Path
    port: int
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def settings(self) -> list[str]:
        return [f"floor.state_dir={self.folder}/state", f"serving.port={self.port}", *SETTINGS]

    @property
    def options(self) -> list[str]:
        return [word for setting in self.settings for word in ("--set", setting)]

    def start(self, *words: str, configured: bool = True) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words, *(self.options if configured else ())],
            env=environment | {"OUTCRY_TEST_MARK": self.mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, configured: bool = True) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, configured=configured)
        stdout, stderr = process.communicate(timeout=400)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def survivors(self) -> list[str]:
        """Return the processes this command line left behind."""
        found = []
        for process in psutil.process_iter():
            try:
                words = " ".join(process.cmdline())  # the embedded servers have an environment of their own
                if str(self.folder) in words or process.environ().get("OUTCRY_TEST_MARK") == self.mark:
                    found.append(words)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    def check_no_survivors(self) -> None:
        deadline = time.monotonic() + 15  # Ray's own reaper takes a moment
        while (left := self.survivors()) and time.monotonic() < deadline:
            pass
        assert left == []


@pytest.fixture
def outcry() -> Iterator[CommandLine]:
    folder = Path(tempfile.mkdtemp(prefix="outcry-test-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    yield CommandLine(folder, port)
    shutil.rmtree(folder)


def ask_mark(outcry: CommandLine) -> tuple[str, int, bool]:
    """Return the newest run, how many of its frames are complete, and whether it is halted after the last of them."""

    async def look(services: Services, registry: RunRegistry) -> tuple[str, int, bool]:
        run_id = (await find_run(registry, None)).run_id
        async with JournalReader.connect(services.database_url, run_id) as reader:
            mark = await reader.last_mark()
        return (run_id, 0, False) if mark is None else (run_id, int(mark.seq[-1]) + 1, bool(mark.is_halted[-1]))

    return ask_ledger(load_settings(assignments=outcry.settings), look)


def await_mark(outcry: CommandLine, process: subprocess.Popen[str], is_met: Callable[[int, bool], bool]) -> str:
    """Return the newest run as soon as its complete frames, and whether it is halted, are as asked."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, "\n".join(process.communicate())
        with contextlib.suppress(ServiceError, RecoveryError):  # the services start, the run is not recorded yet
            run_id, n_frames, is_halted = ask_mark(outcry)
            if is_met(n_frames, is_halted):
                return run_id
    raise AssertionError("the run must come so far within 300 s")


def wait_until_free(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return
        assert time.monotonic() < deadline, f"port {port} must become free within 30 s"


def test_a_run_that_is_halted_then_stopped_then_killed_goes_on_reports_and_replays(outcry: CommandLine) -> None:
    process = outcry.start("run", *SMALL, "--speed", SLOWLY)
    run_id = await_mark(outcry, process, lambda n_frames, is_halted: n_frames >= 5)
    assert outcry.run("halt", "--flatten", "--reason", "a test").returncode == 0
    await_mark(outcry, process, lambda n_frames, is_halted: is_halted)
    assert outcry.run("resume").returncode == 0
    await_mark(outcry, process, lambda n_frames, is_halted: not is_halted)

    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert f"outcry run --resume {run_id}" in stderr
    assert "report  " in stdout
    assert "Traceback" not in stderr
    outcry.check_no_survivors()

    # Only the machine is named again: the settings are those of the run.
    goes_on = ["run", "--resume", run_id, "--set", f"floor.state_dir={outcry.folder}/state"]
    goes_on += ["--set", f"serving.port={outcry.port}"]
    refused = outcry.run(*goes_on, "--set", "floor.n_shards=3", configured=False)
    assert refused.returncode == 2
    assert "floor.n_shards" in refused.stderr

    _, n_before, _ = ask_mark(outcry)
    process = outcry.start(*goes_on, "--speed", SLOWLY, configured=False)
    await_mark(outcry, process, lambda n_frames, is_halted: n_frames >= n_before + 3)
    process.kill()
    process.communicate(timeout=120)
    wait_until_free(outcry.port)  # Ray and HAProxy notice within seconds that their driver is gone

    resumed = outcry.run(*goes_on, configured=False)
    assert resumed.returncode == 0, resumed.stderr
    assert "Traceback" not in resumed.stderr
    report = Path(resumed.stdout.split("report  ")[-1].strip())
    assert report.is_file()
    assert report.with_name("summary.json").is_file()
    verified = json.loads(outcry.run("verify", run_id, "--json").stdout)
    assert verified["identical"]
    assert verified["n_orders"] > 0
    status = json.loads(outcry.run("status", "--json").stdout)[0]
    assert (status["run_id"], status["status"], status["halted"]) == (run_id, "completed", False)
    outcry.check_no_survivors()


@pytest.mark.parametrize(
    ("moment", "number"), [("state/redis/redis.sock", signal.SIGTERM), ("state/bundles/by_training/*", signal.SIGINT)]
)
def test_a_start_that_is_cut_off_leaves_no_process(outcry: CommandLine, moment: str, number: signal.Signals) -> None:
    process = outcry.start("run", *SMALL)
    deadline = time.monotonic() + 60
    while not any(outcry.folder.glob(moment)):
        assert time.monotonic() < deadline
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    outcry.check_no_survivors()


BARS = pl.DataFrame(
    {
        "symbol": ["A"] * 4,
        "ts": pl.Series([f"2020-01-0{d}T14:30:00" for d in (2, 3, 6, 7)]).str.to_datetime(time_zone="UTC"),
        "open": [10.0, 10.0, 10.0, 10.0],
        "high": [11.0, 11.0, 11.0, 11.0],
        "low": [9.0, 9.0, 9.0, 9.0],
        "close": [10.0, 10.5, 10.0, 10.5],
        "volume": [100.0] * 4,
    }
)


def with_value(column: str, value: float | None) -> pl.DataFrame:
    return BARS.with_columns(pl.Series(column, [10.0, value, 10.0, 10.0]))


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "bars.parquet"),
    "unreadable": (lambda path: path.write_bytes(b"not parquet"), "bars.parquet"),
    "wrong columns": (lambda path: BARS.drop("close").write_parquet(path), "close"),
    "NaN price": (lambda path: with_value("close", None).write_parquet(path), "finite"),
    "negative price": (lambda path: with_value("low", -1.0).write_parquet(path), "-1.0"),
    "high below low": (lambda path: with_value("high", 5.0).write_parquet(path), "high"),
    "time going backwards": (lambda path: BARS.reverse().write_parquet(path), "backwards"),
    "duplicate bar": (lambda path: pl.concat([BARS[:2], BARS[1:]]).write_parquet(path), "A"),
}


Refuse = Callable[..., None]


@pytest.fixture
def check_refused(outcry: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Run a command line in this process, which saves its start; it must end in one message that has `named`."""

    def check(*words: str, named: str, code: int = 2) -> None:
        monkeypatch.setattr(sys, "argv", ["outcry", *words, *outcry.options])
        handler = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, handler)
        printed, told = capsys.readouterr()
        assert ended.value.code == code, printed + told
        assert named in told
        assert "Traceback" not in told
        assert "hunter2" not in printed + told
        outcry.check_no_survivors()

    return check


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_one_message_and_nothing_starts(outcry: CommandLine, check_refused: Refuse, case: str) -> None:
    write, named = BAD_FILES[case]
    path = outcry.folder / "bars.parquet"
    write(path)
    check_refused("run", "--source", str(path), named=named)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["run", "--symbols", "APPL"], "did you mean AAPL"),
        (["run", "--from", "2031-01-01"], "2031-01-01"),
        (["run", "--from", "2012-01-01", "--to", "2011-01-01"], "2011-01-01"),
        (["run", "--set", "risk.max_positon_frac=0.1"], "did you mean risk.max_position_frac"),
        (["run", "--mode", "yolo"], "yolo"),
        (["run", "--bundle", "/nowhere"], "/nowhere"),
        (["run", "--bars", "7parsecs"], "7parsecs"),
        (["run", "--resume", "unknown"], "unknown"),
        (["verify", "unknown"], "unknown"),
        (["halt"], "outcry run"),
        (["backtest", "--config", "/nowhere.yaml"], "/nowhere.yaml"),
        (["run", "--benchmark", "SPY=0.6"], "must sum to 1"),
        (["run", "--benchmark", "SPY@/nowhere.csv"], "/nowhere.csv"),
        (["walk-forward", "--benchmark", "SPY"], "SPY"),
    ],
)
def test_a_wrong_word_is_one_message_that_names_it(check_refused: Refuse, words: list[str], named: str) -> None:
    check_refused(*words, named=named)


def test_a_service_that_is_not_there_is_named_and_may_be_tried_again(check_refused: Refuse) -> None:
    url = "storage.database_url=postgresql://me:hunter2@127.0.0.1:1/x"
    check_refused("status", "--set", url, named="port 1", code=69)


def test_a_taken_port_is_named_before_anything_starts(outcry: CommandLine, check_refused: Refuse) -> None:
    with socket.create_server(("127.0.0.1", outcry.port)):
        check_refused("run", *SMALL, named=str(outcry.port), code=69)
    assert not (outcry.folder / "state").exists()


def test_a_misused_command_exits_with_its_code_and_one_message(outcry: CommandLine) -> None:
    done = outcry.run("run", "--source", "/nowhere.parquet")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "/nowhere.parquet" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    outcry.check_no_survivors()
