"""The commands, put together.

Belongs here: names and order. Importing this must stay quick: `assess --help` imports all of it.
"""

from typing import Annotated

import typer

from assess_assets.cli import customers, services
from assess_assets.cli.accept_loss import accept_loss
from assess_assets.cli.answers import answers, report
from assess_assets.cli.demo import demo
from assess_assets.cli.demo_services import demo_services
from assess_assets.cli.docs import docs
from assess_assets.cli.doctor import doctor
from assess_assets.cli.errors import Commands
from assess_assets.cli.explain import explain
from assess_assets.cli.follow import follow
from assess_assets.cli.history import history
from assess_assets.cli.land import land
from assess_assets.cli.publish import publish
from assess_assets.cli.rebuild import rebuild
from assess_assets.cli.removal import remove
from assess_assets.cli.sample import sample
from assess_assets.cli.show import show, sql
from assess_assets.cli.verify import verify


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"assess-assets {version('assess-assets')}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    name="assess",
    help="Assessment attempts in a lakehouse: deliver, look, ask, rebuild, diagnose. "
    "Runs, backfills and checks are Dagster's: `dagster dev`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def assess(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version."),
    ] = False,
) -> None:
    """Options that come before any command."""


app.command()(demo)
app.command("demo-services")(demo_services)
app.command()(sample)
app.command()(land)
app.command()(publish)
app.command(short_help="Run what is new, every few seconds, in one process.")(follow)
app.command()(answers)
app.command()(report)
app.command()(show)
app.command()(sql)
app.command()(explain)
app.command()(history)
app.command()(verify)
app.command()(rebuild)
app.command("accept-loss")(accept_loss)
app.command()(doctor)
app.command()(docs)
customers.commands.command()(remove)
app.add_typer(customers.commands, name="customers")
app.add_typer(services.commands, name="services")
