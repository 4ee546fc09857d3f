"""One service as one JVM process: started, awaited, stopped, killed, found by its pid file.

Belongs here: that exactly what was started is stopped, and that nothing of it is left. A process is
ours if it has the pid and the start time that were recorded, or is in the session that it leads.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from assess_assets.platform.errors import ServiceFailed
from assess_assets.platform.state import is_free, read_json, write_json

STOP_SECONDS: Final = 30.0
PORT_SECONDS: Final = 5.0  # a process that was killed frees its ports a moment after it is gone
_PAUSE: Final = 0.05


@dataclass
class Service:
    """A process whose traces are `<folder>/<name>.pid.json` and `<folder>/<name>.log`.

    `command` is called when it is started, not before, as it may fetch jars. `ports` must be free.
    """

    name: str
    folder: Path
    command: Callable[[], Sequence[str]]
    is_ready: Callable[[], bool]
    ports: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0  # to become ready, on a busy machine
    stop_seconds: float = STOP_SECONDS  # after SIGTERM, before SIGKILL
    port_seconds: float = PORT_SECONDS
    _log_start: int = field(default=0, init=False, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The running process, or None."""
        recorded = read_json(self._pid_file)
        # One that ended before it was looked at has no start on record.
        if recorded is None or recorded["started"] is None:
            return None
        alive = started_at(recorded["pid"]) == recorded["started"]
        return int(recorded["pid"]) if alive else None

    def start(self) -> bool:
        """Start it unless it runs, and wait until it is ready. True if it was started now."""
        return start_together([self])

    def begin(self) -> bool:
        """Start it unless it runs, without waiting. True if it was started now."""
        if self.pid is not None:
            return False
        self._launch()
        return True

    def is_ready_since(self, began: float) -> bool:
        """Raises ServiceFailed, with the log's last lines, if it ended or its time is over."""
        if self.is_ready():
            return True
        if self.pid is None:
            self.stop()
            raise ServiceFailed(f"{self.name} ended while it started. {self._last_lines()}")
        if time.monotonic() > began + self.seconds:
            self.stop()
            raise ServiceFailed(
                f"{self.name} was not ready after {self.seconds:.0f} s and was stopped. "
                f"{self._last_lines()}"
            )
        return False

    def stop(self) -> bool:
        """SIGTERM, then SIGKILL for what is left after a while. True if anything was running."""
        pids = self.left()
        if (pid := self.pid) is not None:
            _signal(pid, signal.SIGTERM)
            _wait(lambda: not self.left(), self.stop_seconds)
        for pid in self.left():
            _signal(pid, signal.SIGKILL)
        if not _wait(lambda: not self.left(), STOP_SECONDS):
            raise ServiceFailed(
                f"{self.name}: processes {self.left()} did not end, not even by SIGKILL."
            )
        self._pid_file.unlink(missing_ok=True)
        return bool(pids)

    def kill(self) -> None:
        """SIGKILL to the process itself, as a crash would: its data and its children stay."""
        pid = self.pid
        if pid is None:
            raise ServiceFailed(f"{self.name} is not running, so it can't be killed.")
        _signal(pid, signal.SIGKILL)
        if not _wait(lambda: self.pid is None, STOP_SECONDS):
            raise ServiceFailed(f"{self.name}: process {pid} did not end by SIGKILL.")

    def left(self) -> list[int]:
        """Every living process of it: itself, and what it has started (Spark's executors)."""
        recorded = read_json(self._pid_file)
        if recorded is None:
            return []
        leader = started_at(recorded["pid"])
        if leader not in (None, recorded["started"]):
            return []  # the pid was given to somebody else, which needs an empty session
        return session_of(recorded["pid"])

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid.json"

    def _taken(self) -> list[int]:
        return [port for port in self.ports if not is_free(port)]

    def _launch(self) -> None:
        self.stop()  # what a killed predecessor may have left
        if not _wait(lambda: not self._taken(), self.port_seconds):
            raise ServiceFailed(
                f"{self.name}: another program listens on port {self._taken()}, which this service "
                f"had before ({self.folder / 'ports.json'}). Stop that program, or use another "
                "--folder, which gets ports and data of its own."
            )
        for child in list(_CHILDREN.values()):
            child.poll()  # reap what has ended
        command = self.command()
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            child = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _CHILDREN[child.pid] = child
        write_json(self._pid_file, {"pid": child.pid, "started": started_at(child.pid)})

    def _last_lines(self, count: int = 15) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join([f"The last lines of {self.log}:", *lines[-count:]])


def start_together(services: Sequence[Service]) -> bool:
    """Start those that don't run, then wait for all of them. True if any was started now.

    All are asked in turn: one that ends is told at once, and not after those before it are ready.
    """
    started = [service.begin() for service in services]
    began, waiting = time.monotonic(), list(services)
    while waiting := [service for service in waiting if not service.is_ready_since(began)]:
        time.sleep(_PAUSE)
    return any(started)


def run_once(
    name: str, folder: Path, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> None:
    """A short program that prepares a service, such as formatting its storage."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        lines = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise ServiceFailed(f"{name} failed with exit code {done.returncode}:\n{lines}")


# Children of this very process, which have to be reaped: else one that ended stays a zombie.
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


def started_at(pid: int) -> str | None:
    """When the process was started, in the system's words; None if it doesn't live."""
    child = _CHILDREN.get(pid)
    if child is not None and child.poll() is not None:
        _CHILDREN.pop(pid, None)
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        words = stat.rpartition(")")[2].split()
        threads_left = int(words[17]) > 1  # of a killed process, while the first is a zombie
        return words[19] if words[0] not in "ZX" or threads_left else None
    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout.split(maxsplit=1)
    return told[1].strip() if len(told) == 2 and not told[0].startswith("Z") else None


def session_of(leader: int) -> list[int]:
    """The living processes of the session: a service leads one, its children stay in it."""
    if Path("/proc/self/stat").exists():
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    else:
        told = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True).stdout
        pids = [int(word) for word in told.split()]
    return [pid for pid in pids if _session(pid) == leader and started_at(pid) is not None]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    """To a process that may end by itself at any moment."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True
