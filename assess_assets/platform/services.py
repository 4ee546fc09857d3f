"""All services of one folder: up, down, and what is known of them.

Belongs here: the platform as a whole. How one service is started is its own module's business.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

from assess_assets.platform.hdfs import Hdfs
from assess_assets.platform.java import java
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.platform.processes import Service
from assess_assets.platform.spark import Spark
from assess_assets.platform.state import one_at_a_time, write_json

NAMES: Final = ("kafka", "hdfs", "spark")


class Group(Protocol):
    """Services that are started and stopped together."""

    services: list[Service]

    @property
    def uris(self) -> dict[str, str]: ...
    def start(self) -> bool: ...
    def stop(self) -> bool: ...


@dataclass(frozen=True)
class Status:
    """One process, as it is now."""

    group: str
    service: str
    running: bool
    ready: bool
    pid: int | None
    ports: list[int]
    log: str


class Services:
    """Kafka, HDFS and Spark in `<folder>/kafka`, `<folder>/hdfs` and `<folder>/spark`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()

    def up(self, names: Iterable[str] = NAMES, users: Mapping[str, str] | None = None) -> list[str]:
        """Start what doesn't run, side by side, and wait until all is ready; what was started.

        If one fails the others stay: `down` stops them, and `up` again starts only what is missing.
        """
        java()  # say so before anything is fetched or made
        with one_at_a_time(self.folder):
            groups = {name: self._group(name, users) for name in NAMES if name in set(names)}
            try:
                with ThreadPoolExecutor(len(groups)) as pool:
                    started = list(pool.map(lambda group: group.start(), groups.values()))
            finally:
                self._record()
        return [name for name, is_new in zip(groups, started, strict=True) if is_new]

    def down(self, names: Iterable[str] = NAMES) -> list[str]:
        """Stop what was started in this folder, and see that no process of it is left."""
        if not self.folder.is_dir():
            return []
        with one_at_a_time(self.folder):
            chosen = {name: group for name, group in self._known().items() if name in set(names)}
            stopped = [name for name, group in reversed(chosen.items()) if group.stop()]
            self._record()
        return stopped

    def status(self) -> list[Status]:
        return [
            Status(
                name,
                service.name,
                running=service.pid is not None,
                ready=service.pid is not None and service.is_ready(),
                pid=service.pid,
                ports=list(service.ports),
                log=str(service.log),
            )
            for name, group in self._known().items()
            for service in group.services
        ]

    def is_down(self) -> bool:
        """Whether nothing runs here, and nothing has ended in another way than by `down`."""
        return not any(self.folder.glob("*/*.pid.json"))

    def environment(self) -> dict[str, str]:
        """The ASSESS_* variables that make a process use the services that run."""
        return {
            variable: value
            for group in self._known().values()
            if all(service.pid is not None for service in group.services)
            for variable, value in group.uris.items()
        }

    def lake_for(self, name: str) -> str:
        """A lake of its own beside the others, on the HDFS that runs; its URI."""
        return Hdfs(self.folder / "hdfs").make_lake(f"/{name}")

    def _known(self) -> dict[str, Group]:
        made = [name for name in NAMES if (self.folder / name / "ports.json").exists()]
        return {name: self._group(name, None) for name in made}

    def _group(self, name: str, users: Mapping[str, str] | None) -> Group:
        folder = self.folder / name
        if name == "kafka":
            return KafkaBroker(folder)
        if name == "hdfs":
            return Hdfs(folder, groups=users)
        return Spark(folder)

    def _record(self) -> None:
        services = [asdict(status) for status in self.status()]
        described = {"environment": self.environment(), "services": services}
        write_json(self.folder / "services.json", described)
