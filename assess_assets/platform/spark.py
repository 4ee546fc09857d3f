"""Apache Spark: a standalone master, a worker, and a Connect server with Delta, from the wheel.

Belongs here: their configuration and command lines. A session's settings are resources/spark's.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.request import ProxyHandler, build_opener

from assess_assets.platform.artifacts import jars, spark_home
from assess_assets.platform.java import MODULES, SMALL, class_path, java
from assess_assets.platform.processes import Service, start_together
from assess_assets.platform.state import HOST, answers, ports

SETTINGS: Final = Path(__file__).parent / "conf" / "spark-defaults.conf"
_PORTS: Final = ("master", "master_ui", "worker", "worker_ui", "connect", "connect_ui")


class Spark:
    """A standalone cluster with a Connect server, its logs and scratch files in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        hadoop_user: str = "platform",
        cores: int = 2,
        executor_memory: str = "1g",
        driver_memory: str = "1g",
    ) -> None:
        self.folder = folder.absolute()
        self._cores = cores
        self._memory = {"executor": executor_memory, "driver": driver_memory}
        self._ports = ports(self.folder, *_PORTS)
        self._environment = {
            "SPARK_HOME": str(spark_home()),
            "SPARK_LOCAL_IP": HOST,
            "SPARK_SCALA_VERSION": "2.13",  # else: "Cannot find any build directories"
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "PYSPARK_PYTHON": sys.executable,
            "HADOOP_USER_NAME": hadoop_user,
        }
        # The worker offers more than the Connect server takes: a second application can run.
        worker = ["--cores", str(2 * cores), "--memory", "4g", "--work-dir", f"{self.folder}/work"]
        self.master = self._service(
            "master",
            ["org.apache.spark.deploy.master.Master", *self._address("master")],
            self._master_is_ready,
        )
        self.worker = self._service(
            "worker",
            ["org.apache.spark.deploy.worker.Worker", *self._address("worker"), *worker, self.url],
            self._worker_is_ready,
        )
        self.connect = self._service("connect", None, lambda: answers(self._ports["connect"]))
        self.services = [self.master, self.worker, self.connect]

    @property
    def url(self) -> str:
        """The cluster, for a classic session."""
        return f"spark://{HOST}:{self._ports['master']}"

    @property
    def remote(self) -> str:
        """The Connect server."""
        return f"sc://{HOST}:{self._ports['connect']}"

    @property
    def uris(self) -> dict[str, str]:
        return {"ASSESS_SPARK": self.remote}

    def start(self) -> bool:
        """The Connect server accepts sessions when it returns, and a worker is registered."""
        is_new = self.master.start()
        return start_together([self.worker, self.connect]) or is_new

    def stop(self) -> bool:
        stopped = [service.stop() for service in reversed(self.services)]
        return any(stopped)

    def kill(self) -> None:
        for service in reversed(self.services):
            service.kill()

    def _address(self, name: str) -> list[str]:
        ui = self._ports[f"{name}_ui"]
        return ["--host", HOST, "--port", str(self._ports[name]), "--webui-port", str(ui)]

    def _service(self, name: str, main: list[str] | None, is_ready: Any) -> Service:
        return Service(
            name,
            self.folder,
            command=lambda: self._command("512m", SMALL, *main) if main else self._submit(),
            is_ready=is_ready,
            ports=(self._ports[name], self._ports[f"{name}_ui"]),
            environment=self._environment,
            seconds=300,
        )

    def _command(self, heap: str, options: tuple[str, ...], *main: str) -> list[str]:
        path = class_path([spark_home() / "jars" / "*"])
        return [java(), *MODULES, *options, f"-Xmx{heap}", "-cp", path, *main]

    def _submit(self) -> list[str]:
        delta = ",".join(str(path) for path in jars("delta"))
        settings: Mapping[str, object] = {
            "spark.jars": delta,
            "spark.driver.host": HOST,
            "spark.driver.bindAddress": HOST,
            "spark.cores.max": self._cores,
            "spark.executor.memory": self._memory["executor"],
            "spark.executor.extraJavaOptions": "-XX:+UseSerialGC",
            "spark.connect.grpc.binding.address": HOST,
            "spark.connect.grpc.binding.port": self._ports["connect"],
            "spark.ui.port": self._ports["connect_ui"],
            "spark.sql.warehouse.dir": f"{self.folder}/warehouse",
        }
        return self._command(
            self._memory["driver"],
            ("-XX:+UseSerialGC",),
            *("org.apache.spark.deploy.SparkSubmit", "--master", self.url),
            *("--properties-file", str(SETTINGS)),
            *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
            *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
            "spark-internal",
        )

    def _master_is_ready(self) -> bool:
        return answers(self._ports["master"]) and self._cluster() is not None

    def _worker_is_ready(self) -> bool:
        """The master counts it; of one that was killed it may still count the old one."""
        cluster = self._cluster() or {"workers": []}
        ours = [one for one in cluster["workers"] if one["port"] == self._ports["worker"]]
        return any(one["state"] == "ALIVE" for one in ours) and answers(self._ports["worker"])

    def _cluster(self) -> Any:
        url = f"http://{HOST}:{self._ports['master_ui']}/json/"
        try:
            with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None
