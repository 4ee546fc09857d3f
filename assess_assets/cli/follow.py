"""`assess follow`: a resident process that keeps customers' tables up to date, round by round.

Belongs here: the command, its rhythm and how it ends. What a round does is `following`'s business.
"""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from assess_assets.cli.deployment import dagster_instance, deployment
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.options import seconds_of

if TYPE_CHECKING:
    from assess_assets.cli.following import Follower

# Sail (0.7.2) keeps 20 to 40 kB of every query until its process ends, about 5 MB a run: in this
# process that would be gigabytes a day.
MOST_RESIDENT_BYTES: Final = 2 * 1024**3


def follow(
    customer: Annotated[
        list[str] | None,
        typer.Option("--customer", "-c", metavar="KEY", help="Only these (default: all)."),
    ] = None,
    every: Annotated[
        str, typer.Option(help="From the start of a round to the next: 10s, 500ms, 2m.")
    ] = "10s",
    once: Annotated[
        bool, typer.Option("--once", help="One round; the same as --rounds 1.")
    ] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="End after so many rounds.")] = None,
) -> None:
    """Run what is new, every few seconds, in one process whose engine stays warm.

    Landed files and topics are looked at; whoever has something new gets a recorded Dagster run of
    all assets and checks. Ctrl-C or SIGTERM ends it after the round at hand. With --once or
    --rounds, exit code 1 if a customer's last run failed, or not all could be looked at.
    """
    from assess_assets.cli.following import Follower
    from assess_assets.customer_names import require_customer_key

    seconds = seconds_of(every, "--every")
    only = frozenset(require_customer_key(key) for key in customer or ())
    most = 1 if once else rounds
    deployment()  # says what is wrong with the settings
    # In a thread: in the main one Dagster takes the signals and interrupts the run.
    thread = ThreadPoolExecutor(1, "follow")
    with dagster_instance() as instance, _stopping() as stop, thread as worker:
        follower = Follower(instance, only, say=lambda told: typer.echo(told, err=True))
        worker.submit(follower.open).result()
        is_too_large = _go_on(worker, follower, seconds, most, stop)
    if is_too_large:
        _start_anew()
    if most and follower.is_blind:
        raise CommandFailed("Not everything could be looked at in the last round. See above.")
    if most and follower.failing:
        raise CommandFailed(f"Not up to date: {', '.join(sorted(follower.failing))}. See above.")


def _go_on(
    worker: ThreadPoolExecutor, follower: "Follower", seconds: float, most: int | None, stop: Event
) -> bool:
    """Rounds until there is no more to do. True: the process is too large to go on by itself."""
    import time

    done = 0
    while not stop.is_set():
        began = time.monotonic()
        runs = worker.submit(follower.round).result()
        done += 1
        if done == most:
            return False
        if runs and not most and not stop.is_set() and resident_bytes() > MOST_RESIDENT_BYTES:
            return True
        stop.wait(max(0.0, seconds - (time.monotonic() - began)))
    typer.echo("Stopped after a whole round.", err=True)
    return False


def resident_bytes(process: int | str = "self") -> int:
    """Memory of a process, without what it started. 0 where Linux' /proc is not."""
    pages = Path(f"/proc/{process}/statm")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") if pages.exists() else 0


def _start_anew() -> NoReturn:
    """This very command in this very process: whoever watches over it sees no end."""
    from assess_assets.resources.spark import remove_checkpoints

    typer.echo(f"Starting anew: the engine holds {resident_bytes() / 1e9:.1f} GB.", err=True)
    remove_checkpoints()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)


@contextmanager
def _stopping() -> Iterator[Event]:
    """Set by the first SIGINT or SIGTERM; the second one ends the process as usual, at once."""
    stop = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, _: object) -> None:
        typer.echo("Stopping when this round is done. Once more: at once.", err=True)
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        stop.set()

    try:
        for number in before:
            signal.signal(number, ask)
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
