"""``outcry …``: one command a file."""

from typing import Any

import typer
from typer.core import TyperGroup

from cli import data, features, jobs, models
from cli.alphas import alphas
from cli.backtest import backtest
from cli.console import run_guarded
from cli.doctor import doctor
from cli.evaluate import evaluate
from cli.halt import halt, resume
from cli.learn import learn
from cli.report import report
from cli.run import run
from cli.status import status
from cli.stress import stress
from cli.sweep import sweep
from cli.train import train
from cli.verify import verify
from cli.walk_forward import walk_forward
from outcry.errors import ConfigurationError


class Commands(TyperGroup):
    """The commands; a value that an option does not take is an error of one line, as one in the settings is."""

    def invoke(self, ctx: Any) -> Any:  # its class is of a package that Typer keeps to itself
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            raise ConfigurationError(error.format_message()) from None


app = typer.Typer(
    name="outcry",
    cls=Commands,
    help="An actor-based trading runtime on Ray: one path from backtest to live. --debug shows tracebacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (
    run,
    backtest,
    walk_forward,
    report,
    stress,
    train,
    sweep,
    evaluate,
    alphas,
    learn,
    verify,
    status,
    halt,
    resume,
    doctor,
):
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(features.app, name="features")
app.add_typer(models.app, name="models")
app.add_typer(jobs.app, name="jobs")


def main() -> None:
    run_guarded(app)


if __name__ == "__main__":
    main()
