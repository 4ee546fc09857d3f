"""`assess demo-services`: the demo on a real Kafka, HDFS and Spark, and the same answers from each.

Belongs here: which deployments are run, and that their answers are compared. A deployment is run by
`assess demo` in a process of its own, with the variables that a user would set.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assess_assets.cli.demo import CUSTOMERS
from assess_assets.cli.errors import CommandFailed

if TYPE_CHECKING:
    from assess_assets.platform.services import Services


@dataclass(frozen=True)
class Deployment:
    """One way to run the demo: where messages come from, which engine, where tables lie."""

    source: str  # landing, kafka
    engine: str  # sail, spark
    lake: str = "hdfs"

    @property
    def name(self) -> str:
        return f"{self.source}-{self.engine}" if self.lake == "hdfs" else self.lake


# `make demo` itself; then Sail before Spark, which takes minutes.
DEPLOYMENTS = (
    Deployment("landing", "sail", lake="make-demo"),
    Deployment("landing", "sail"),
    Deployment("kafka", "sail"),
    Deployment("landing", "spark"),
    Deployment("kafka", "spark"),
)


def demo_services(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Of the services, as in services up.")
    ] = Path("data/services"),
    demo: Annotated[
        Path, typer.Option("--demo", metavar="DIR", help="Of `make demo`, which is run too.")
    ] = Path("demo"),
    engine: Annotated[
        str | None, typer.Option("--engine", metavar="NAME", help="Only this one: sail or spark.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave services running that this has started.")
    ] = False,
) -> None:
    """Run the demo on a real Kafka, HDFS and Spark; compare.

    From files and from Kafka, on Sail and on Spark, to HDFS: the answers have to be equal. A second
    run finds everything there and changes nothing. Services that run are used.
    """
    from assess_assets.platform.services import Services

    if engine not in (None, "sail", "spark"):
        raise typer.BadParameter(f"There is no engine {engine!a}, only sail and spark.")
    chosen = [one for one in DEPLOYMENTS if engine in (None, one.engine) or one.lake != "hdfs"]
    services = Services(folder)
    names = ["kafka", "hdfs", *(["spark"] if engine != "sail" else [])]
    typer.echo(f"== Services: {', '.join(names)}")
    before = {one.group for one in services.status() if one.running}
    try:
        began = time.monotonic()
        services.up(names)
        typer.echo(f"Ready after {time.monotonic() - began:.0f} s.")
        answers = {one.name: _run(one, services, demo.absolute()) for one in chosen}
    finally:
        ours = [name for name in names if name not in before]
        if not keep and ours:
            typer.echo(f"\n== Stopping what was started: {', '.join(services.down(ours))}")
    _compare(answers)


def _run(one: Deployment, services: "Services", demo: Path) -> dict[str, Any]:
    """What the deployment answers, by customer."""
    typer.echo(f"\n== {one.name}: from {one.source}, on {one.engine}")
    of_its_own = demo if one.lake != "hdfs" else services.folder / "demo" / one.name
    answers = services.folder / "demo" / one.name / "answers"
    options = ["--json-to", str(answers), *(["--publish"] if one.source == "kafka" else [])]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", "from assess_assets.cli import main; main()", "demo", *options],
        env=_environment(one, services, of_its_own),
        stdout=subprocess.PIPE,
        text=True,
    )
    told = [line for line in done.stdout.splitlines() if "tables changed" in line]
    typer.echo("\n".join([*told, f"{time.monotonic() - began:.0f} s"]))
    if done.returncode != 0:
        raise CommandFailed(f"{one.name} failed:\n{done.stdout[-3000:]}")
    return {
        customer: json.loads((answers / f"{customer}.json").read_text()) for customer in CUSTOMERS
    }


def _environment(one: Deployment, services: "Services", folder: Path) -> dict[str, str]:
    """This process's without any deployment of its own, and the deployment's variables."""
    inherited = {name: value for name, value in os.environ.items() if not _is_ours(name)}
    ours = {
        "DAGSTER_HOME": str(folder / "dagster_home"),
        "ASSESS_LANDING": str(folder / "landing"),
        "ASSESS_LAKE": str(folder / "lake"),
    }
    if one.lake == "hdfs":
        offered = services.environment()
        ours |= {name: offered[name] for name in ("ASSESS_WEBHDFS", "HADOOP_USER_NAME")}
        ours |= {"ASSESS_LAKE": services.lake_for(f"demo-{one.name}")}
        if one.source == "kafka":
            ours["ASSESS_KAFKA"] = offered["ASSESS_KAFKA"]
        if one.engine == "spark":
            ours["ASSESS_SPARK"] = offered["ASSESS_SPARK"]
    return {**inherited, **ours}


def _is_ours(variable: str) -> bool:
    return variable.startswith("ASSESS_") and variable != "ASSESS_CACHE"


def _compare(answers: Mapping[str, dict[str, Any]]) -> None:
    """Exit code 1 unless all deployments give the same answers, whatever their coordinates."""
    typer.echo("\n== The same answers?")
    reference, *others = answers
    different = []
    for name in others:
        for customer in CUSTOMERS:
            same = answers[name][customer] == answers[reference][customer]
            typer.echo(f"{name:14} {customer:8} {'same as' if same else 'NOT as'} {reference}")
            if not same:
                different.append(f"{name} of {customer}")
    if different:
        raise CommandFailed(f"Other answers than {reference}: {', '.join(different)}.")
