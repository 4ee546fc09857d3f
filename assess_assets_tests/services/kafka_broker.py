"""A real Kafka broker on loopback for tests: KRaft, one node, its jars fetched once by Maven.

Belongs here: getting, starting, killing and restarting it. Does not: anything that is tested.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

VERSION: Final = "4.3.1"
CLUSTER_ID: Final = "AssessAssetsTests00000"  # 22 characters, and no minus first
START_SECONDS: Final = 60.0
_DEPENDENCIES: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_POM: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>assess_assets</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""
ADMIN: Final = "admin"
PASSWORDS: Final = {ADMIN: "admin-secret", "acme": "acme-secret", "globex": "globex-secret"}


def missing() -> str:
    """What this machine lacks to run a broker; empty if nothing."""
    if shutil.which("java") is None:
        return "there is no java on PATH (install a Java 17 runtime)"
    if not _is_complete(_cache()) and shutil.which("mvn") is None:
        return f"Kafka's jars are not in {_cache()}, and there is no mvn on PATH to fetch them"
    return ""


def jars() -> Path:
    """The folder of Kafka's jars, fetched when they are not there."""
    cache = _cache()
    if not _is_complete(cache):
        unfinished = cache.with_suffix(f".{os.getpid()}.unfinished")
        unfinished.mkdir(parents=True)
        (unfinished / "pom.xml").write_text(_POM)
        command = ["mvn", "-q", "-B", _DEPENDENCIES, "-DincludeScope=runtime"]
        subprocess.run(
            [*command, f"-DoutputDirectory={unfinished}"], cwd=unfinished, check=True, timeout=600
        )
        shutil.rmtree(cache, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process was first
            unfinished.rename(cache)
        shutil.rmtree(unfinished, ignore_errors=True)
    return cache


@dataclass
class KafkaBroker:
    """One broker with its log in `folder`; `secured` adds SASL/SCRAM and ACLs."""

    folder: Path
    secured: bool = False
    port: int = 0
    controller_port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, on the same log and ports as before; ready when this returns."""
        if not self.port:
            self._prepare()
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java(), "kafka.Kafka", str(self._properties)], stdout=log, stderr=log
            )
        self._wait_until_ready()

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def client(self, user: str = ADMIN) -> dict[str, str]:
        """Settings of a client that is `user`, where the broker asks."""
        settings = {"bootstrap.servers": self.servers}
        return {**settings, **self.security(user)} if self.secured else settings

    def settings_file(self, user: str = ADMIN) -> Path:
        """A file for ASSESS_KAFKA_CONFIG, with which one is that user."""
        file = self.folder / f"{user}.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.security(user).items()))
        return file

    def security(self, user: str) -> dict[str, str]:
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-256",
            "sasl.username": user,
            "sasl.password": PASSWORDS[user],
        }

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _java(self) -> list[str]:
        lean = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return ["java", *lean, "-cp", f"{jars().resolve()}/*"]

    def _prepare(self) -> None:
        self.port, self.controller_port = free_port(), free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._configuration())
        users = []
        if self.secured:
            for name, password in PASSWORDS.items():
                users += ["--add-scram", f"SCRAM-SHA-256=[name={name},password={password}]"]
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID]
        formatted = subprocess.run(
            [*command, "-c", str(self._properties), *users],
            capture_output=True,
            text=True,
            check=False,
        )
        assert formatted.returncode == 0, formatted.stdout + formatted.stderr

    def _configuration(self) -> str:
        protocol = "SASL_PLAINTEXT" if self.secured else "PLAINTEXT"
        listener = f"CLIENTS://{self.servers}"
        controller = f"127.0.0.1:{self.controller_port}"
        lines = [
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@{controller}",
            f"listeners={listener},CONTROLLER://{controller}",
            f"advertised.listeners={listener}",
            "controller.listener.names=CONTROLLER",
            f"listener.security.protocol.map=CLIENTS:{protocol},CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name=CLIENTS",
            f"log.dirs={self.folder / 'log'}",
            "auto.create.topics.enable=false",
            "num.partitions=2",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "transaction.state.log.num.partitions=1",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "share.coordinator.state.topic.num.partitions=1",
            "group.initial.rebalance.delay.ms=0",
            # Retention goes by a record's own time: the sample's are of 2018.
            "log.retention.ms=-1",
            "log.flush.start.offset.checkpoint.interval.ms=200",
            "log.initial.task.delay.ms=0",
            "broker.session.timeout.ms=2000",
            "broker.heartbeat.interval.ms=500",
        ]
        if self.secured:
            module = "org.apache.kafka.common.security.scram.ScramLoginModule"
            login = f'{module} required username="{ADMIN}" password="{PASSWORDS[ADMIN]}";'
            lines += [
                "sasl.enabled.mechanisms=SCRAM-SHA-256",
                "sasl.mechanism.inter.broker.protocol=SCRAM-SHA-256",
                f"listener.name.clients.scram-sha-256.sasl.jaas.config={login}",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "allow.everyone.if.no.acl.found=false",
                f"super.users=User:{ADMIN};User:ANONYMOUS",
            ]
        return "\n".join(lines) + "\n"

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        admin = AdminClient({**self.client(), "log_level": 0})
        while time.monotonic() < end:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "broker.log").read_text()[-3000:]
            with contextlib.suppress(KafkaException):
                if admin.list_topics(timeout=1.0).brokers:
                    return
        raise TimeoutError(f"no broker at {self.servers} after {START_SECONDS:g} s")

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "assess_assets" / f"kafka-{VERSION}"


def _is_complete(folder: Path) -> bool:
    return (folder / f"kafka_2.13-{VERSION}.jar").is_file()
