"""``outcry …``: one command a file."""

import typer

from cli import data, features
from cli.backtest import backtest
from cli.console import run_guarded
from cli.doctor import doctor
from cli.halt import halt, resume
from cli.report import report
from cli.run import run
from cli.status import status
from cli.stress import stress
from cli.train import train
from cli.verify import verify
from cli.walk_forward import walk_forward

app = typer.Typer(
    name="outcry",
    help="An actor-based trading runtime on Ray: one path from backtest to live. --debug shows tracebacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (run, backtest, walk_forward, report, stress, train, verify, status, halt, resume, doctor):
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(features.app, name="features")


def main() -> None:
    run_guarded(app)


if __name__ == "__main__":
    main()
