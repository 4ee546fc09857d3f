"""`assess services`: a real Kafka, HDFS and Spark on this machine, without Docker.

Belongs here: the commands. How the services are run is platform's business.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assess_assets.cli.errors import CommandFailed, Commands
from assess_assets.cli.options import AsJson, shell_quoted
from assess_assets.cli.output import print_json, print_rows

if TYPE_CHECKING:
    from assess_assets.platform.services import Services, Status

commands = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Run a real Kafka, HDFS and Spark here, without Docker. They need Java 17, and listen on "
    "this machine's loopback alone.",
)

Folder = Annotated[
    Path,
    typer.Option("--folder", metavar="DIR", help="Data, logs, ports and process ids of them."),
]
DEFAULT_FOLDER = Path("data/services")


@commands.command()
def up(
    folder: Folder = DEFAULT_FOLDER,
    only: Annotated[
        str | None, typer.Option("--only", metavar="A,B", help="Only these of kafka,hdfs,spark.")
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(
            "--user", metavar="USER=GROUP", help="HDFS: who is in which group, from its next start."
        ),
    ] = None,
) -> None:
    """Start what doesn't run yet, and wait until all of it is ready."""
    services, names = _services(folder), _names(only)
    began = time.monotonic()
    try:
        started = services.up(names, _users(user))
    except KeyboardInterrupt:
        left = ", ".join(one.service for one in services.status() if one.running) or "nothing"
        typer.echo(
            f"Interrupted. Still running: {left}. Stop them: assess services down{_same(folder)}",
            err=True,
        )
        raise typer.Exit(130) from None
    for name in names:
        typer.echo(f"{name}: {'started' if name in started else 'was running'}")
    seconds = time.monotonic() - began
    typer.echo(f"Ready after {seconds:.0f} s. Logs: {services.folder}/*/*.log")
    typer.echo(f'Use them here: eval "$(assess services env{_same(folder)})"')
    typer.echo(f"Stop them: assess services down{_same(folder)}")


@commands.command()
def down(folder: Folder = DEFAULT_FOLDER) -> None:
    """Stop exactly what `up` started. Data, logs and ports stay, for the next `up`."""
    services = _services(folder)
    stopped = services.down()
    for name in stopped:
        typer.echo(f"{name}: stopped")
    typer.echo(f"Nothing that was started in {services.folder} runs any more.")


@commands.command()
def status(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Show each process. Exit code 1 if one has ended in another way than by `down`."""
    services = _services(folder)
    found = services.status()
    if as_json:
        print_json({"environment": services.environment(), "services": _rows(found)})
    elif found:
        print_rows(
            ["service", "state", "pid", "ports", "log"],
            [
                (one.service, _state(one), one.pid, " ".join(map(str, one.ports)), one.log)
                for one in found
            ],
        )
    else:
        typer.echo(f"No services were started in {services.folder}: assess services up")
    if found and services.is_down():
        typer.echo(f"Nothing runs. Start them: assess services up{_same(folder)}", err=True)
    elif not all(one.ready for one in found):
        raise typer.Exit(1)


@commands.command()
def env(folder: Folder = DEFAULT_FOLDER) -> None:
    """Print the lines that make a shell use them.

    Like this: eval "$(assess services env)"
    """
    services = _services(folder)
    variables = services.environment()
    if not variables:
        raise CommandFailed(
            f"No services run in {services.folder}. Run: assess services up{_same(folder)}"
        )
    for name, value in variables.items():
        typer.echo(f"export {name}={shell_quoted(value)}")


@commands.command()
def fetch(
    only: Annotated[
        str | None, typer.Option("--only", metavar="A", help="Only kafka, hdfs or delta.")
    ] = None,
) -> None:
    """Fetch the pinned jars, for a machine that will be offline.

    They are kept in the cache (ASSESS_CACHE).
    """
    from assess_assets.platform.artifacts import jars, pinned

    components = sorted({artifact.component for artifact in pinned()})
    if only is not None and only not in components:
        raise typer.BadParameter(f"There are no jars of {only!a}, only of {', '.join(components)}.")
    for component in [only] if only else components:
        found = jars(component)
        size = sum(path.stat().st_size for path in found) / 1e6
        typer.echo(f"{component}: {len(found)} jars, {size:.0f} MB, in {found[0].parent}")


def _rows(found: "list[Status]") -> "list[dict[str, object]]":
    from dataclasses import asdict

    return [asdict(one) for one in found]


def _services(folder: Path) -> "Services":
    from assess_assets.platform.services import Services

    return Services(folder)


def _names(only: str | None) -> list[str]:
    from assess_assets.platform.services import NAMES

    chosen = [name.strip() for name in only.split(",")] if only else list(NAMES)
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        raise typer.BadParameter(
            f"There is no service {unknown[0]!a}. Services: {', '.join(NAMES)}."
        )
    return [name for name in NAMES if name in chosen]


def _users(given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None  # as they were
    for pair in given:
        user, equals, group = pair.partition("=")
        if not (user and equals and group) or ";" in pair:
            raise typer.BadParameter(f"{pair!a} is not USER=GROUP.")
    return dict(pair.split("=", 1) for pair in given)


def _state(one: "Status") -> str:
    if one.ready:
        return "ready"
    return "running, not ready" if one.running else "down"


def _same(folder: Path) -> str:
    return "" if folder == DEFAULT_FOLDER else f" --folder {shell_quoted(str(folder))}"
