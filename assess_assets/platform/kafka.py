"""The Kafka broker: one node that is its own controller (KRaft).

Belongs here: its storage, its configuration, its command line. Topics are not.
"""

import base64
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from assess_assets.platform.artifacts import jars
from assess_assets.platform.java import SMALL, class_path, java
from assess_assets.platform.kafka_security import Security, write_privately
from assess_assets.platform.processes import Service, run_once
from assess_assets.platform.state import HOST, ports

SETTINGS: Final = Path(__file__).parent / "conf" / "kafka.properties"


class KafkaBroker:
    """One broker with its data, log and configuration in `folder`.

    With `users`, name and password each, it speaks TLS and asks who one is: the first of them is
    the administrator, and the others may do nothing until an ACL says so.
    """

    def __init__(
        self, folder: Path, *, heap: str = "256m", users: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder.absolute()
        self.security = Security(self.folder, users) if users else None
        self._heap = heap
        self._ports = ports(self.folder, "kafka", "controller")
        self.service = Service(
            "kafka",
            self.folder,
            command=self._command,
            is_ready=self._is_ready,
            ports=(self._ports["kafka"], self._ports["controller"]),
            seconds=300,
        )
        self.services = [self.service]

    @property
    def bootstrap_servers(self) -> str:
        return f"{HOST}:{self._ports['kafka']}"

    @property
    def uris(self) -> dict[str, str]:
        found = {"ASSESS_KAFKA": self.bootstrap_servers}
        file = self.settings_file()
        return {**found, "ASSESS_KAFKA_CONFIG": str(file)} if file else found

    def client(self, user: str | None = None) -> dict[str, Any]:
        """Settings of a client that is `user` (default: the administrator), where that is asked."""
        settings = {"bootstrap.servers": self.bootstrap_servers}
        security = self.security
        return {**settings, **security.client(user or security.admin)} if security else settings

    def settings_file(self, user: str | None = None) -> Path | None:
        """What of it is for ASSESS_KAFKA_CONFIG; None if nobody asks who one is."""
        security = self.security
        return security.settings_file(user or security.admin) if security else None

    def start(self) -> bool:
        """Ready for clients when it returns. True if it was started now."""
        return self.service.start()

    def stop(self) -> bool:
        return self.service.stop()

    def kill(self) -> None:
        self.service.kill()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _command(self) -> list[str]:
        configured = self.folder / "server.properties"
        security = self.security
        if security:
            security.make_certificate()
        secured = security.broker() if security else ""
        write_privately(configured, SETTINGS.read_text() + self.addresses() + secured)
        program = [java(), f"-Xmx{self._heap}", *SMALL, *_LOGGING]
        program += ["-cp", class_path(jars("kafka"))]
        if not (self._data / "meta.properties").exists():
            cluster = _cluster_id()
            tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(configured)]
            users = security.scram_users() if security else ()
            run_once("Formatting Kafka's storage", self.folder, [*program, *tool, *users])
        return [*program, "kafka.Kafka", str(configured)]

    def addresses(self) -> str:
        """The settings that depend on where it runs."""
        broker, controller = self.bootstrap_servers, f"{HOST}:{self._ports['controller']}"
        name = "CLIENTS" if self.security else "PLAINTEXT"
        return (
            f"listeners={name}://{broker},CONTROLLER://{controller}\n"
            f"advertised.listeners={name}://{broker}\n"
            f"controller.quorum.voters=1@{controller}\n"
            f"log.dirs={self._data}\n"
        )

    def _is_ready(self) -> bool:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        quiet: dict[str, Any] = {"log_level": 0, "error_cb": lambda _: None}
        client = AdminClient({**self.client(), **quiet})
        try:
            return bool(client.list_topics(timeout=2).brokers)
        except KafkaException:
            return False


# slf4j-simple writes to standard error, which is the log.
_LOGGING: Final = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
)


def _cluster_id() -> str:
    """As Kafka writes a UUID; one that starts with '-' would be taken for an option."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made
