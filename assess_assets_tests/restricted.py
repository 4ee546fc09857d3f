"""Work in a process with fewer rights, or less disk, than the tests have: they often run as root.

Belongs here: running it there, without an engine. What is taken away is `faults.sabotage`'s.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from typer.testing import CliRunner

from assess_assets.cli.app import app
from assess_assets_tests.faults.sabotage import Sabotage, inflict

P = ParamSpec("P")
T = TypeVar("T")

PLAIN_USER = Sabotage("plain user")  # who may not write, read or enter what modes forbid


@dataclass(frozen=True)
class Told:
    """What a command told."""

    exit_code: int
    stdout: str
    stderr: str


def done_under(sabotage: Sabotage, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What the function returns, or raises, in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=inflict, initargs=(sabotage,)) as pool:
        return pool.submit(work, *given, **named).result()


def told_under(sabotage: Sabotage, *commands: Sequence[object]) -> list[Told]:
    """What `assess` tells: one process for all of the commands, in this environment."""
    return done_under(sabotage, _run, [[str(each) for each in command] for command in commands])


def _run(commands: list[list[str]]) -> list[Told]:
    results = [CliRunner().invoke(app, command) for command in commands]
    for one in results:
        if one.exception is not None and not isinstance(one.exception, SystemExit):
            raise one.exception  # a traceback, where a message was due
    return [Told(one.exit_code, one.stdout, one.stderr) for one in results]
