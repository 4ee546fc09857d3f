"""HDFS: a NameNode and two DataNodes, with permissions and ACLs, and users who need not exist.

Belongs here: their configuration and command lines, when they are ready, and the lake's own folder.
What is inside of the lake is not.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from assess_assets.platform.artifacts import jars, spark_home
from assess_assets.platform.errors import ServiceFailed
from assess_assets.platform.java import SMALL, class_path, java
from assess_assets.platform.processes import Service, run_once, start_together
from assess_assets.platform.state import HOST, answers, ports, read_json, write_json

SETTINGS: Final = Path(__file__).parent / "conf"
SUPERUSER: Final = "hdfs"
PLATFORM_USER: Final = "platform"
# What is made in the lake by whatever program is closed to others, before anybody protects it.
CLOSED: Final = "default:user::rwx,default:group::r-x,default:other::---"
_NAMENODE: Final = "org.apache.hadoop.hdfs.server.namenode.NameNode"
_DATANODE: Final = "org.apache.hadoop.hdfs.server.datanode.DataNode"
_NAMENODE_PORTS: Final = ("namenode", "namenode_http")
_DATANODE_PORTS: Final = ("datanode", "datanode_ipc", "datanode_http")
# With one alone, nearly every writer that closes a file waits half a second for its report.
_DATANODES: Final = ("datanode", "datanode-2")


class Hdfs:
    """A NameNode and DataNodes with their data and logs in `folder`.

    `groups` says in which group each user is, as the folder remembers it where it isn't given; the
    platform's user owns `/lake`.
    """

    def __init__(
        self, folder: Path, *, groups: Mapping[str, str] | None = None, heap: str = "256m"
    ) -> None:
        self.folder = folder.absolute()
        self._heap = heap
        datanode_ports = [port for name in _DATANODES for port in _ports_of(name)]
        self._ports = ports(self.folder, *_NAMENODE_PORTS, *datanode_ports)
        everyone = {SUPERUSER: SUPERUSER, PLATFORM_USER: PLATFORM_USER, **self._groups(groups)}
        self._environment = {
            **self._addresses(_NAMENODE_PORTS, _NAMENODE_PORTS),
            **self._storage(_DATANODES[0]),
            "HDFS_GROUPS": ";".join(f"{user}={group}" for user, group in everyone.items()),
            "HADOOP_USER_NAME": SUPERUSER,  # who starts the NameNode is its superuser
        }
        self.namenode = self._service(
            "namenode", _NAMENODE, self._namenode_is_ready, _NAMENODE_PORTS, {}
        )
        self.datanodes = [
            self._service(
                name,
                _DATANODE,
                partial(self._datanode_is_ready, name),
                _ports_of(name),
                self._storage(name),
            )
            for name in _DATANODES
        ]
        self.services = [self.namenode, *self.datanodes]

    @property
    def root(self) -> str:
        return f"hdfs://{HOST}:{self._ports['namenode']}"

    @property
    def lake(self) -> str:
        return f"{self.root}/lake"

    @property
    def webhdfs(self) -> str:
        return f"http://{HOST}:{self._ports['namenode_http']}/webhdfs/v1"

    @property
    def uris(self) -> dict[str, str]:
        return {
            "ASSESS_LAKE": self.lake,
            "ASSESS_WEBHDFS": self.webhdfs.removesuffix("/webhdfs/v1"),
            "HADOOP_USER_NAME": PLATFORM_USER,
        }

    def start(self) -> bool:
        """Out of safe mode, with its DataNodes and the lake's folder, when it returns."""
        is_new = start_together(self.services)
        self.make_lake("/lake")
        return is_new

    def make_lake(self, path: str) -> str:
        """A folder that is the platform's, and that others only pass through; its URI."""
        owner = {"owner": PLATFORM_USER, "group": PLATFORM_USER}
        self.ask("PUT", path, "MKDIRS", user=SUPERUSER, permission="711")
        self.ask("PUT", path, "SETOWNER", user=SUPERUSER, **owner)
        self.ask("PUT", path, "MODIFYACLENTRIES", aclspec=CLOSED)
        return f"{self.root}{path}"

    def stop(self) -> bool:
        stopped = [service.stop() for service in reversed(self.services)]
        return any(stopped)

    def kill(self) -> None:
        for service in self.services:
            service.kill()

    def ask(
        self, method: str, path: str, operation: str, *, user: str = PLATFORM_USER, **options: str
    ) -> Any:
        """One question or order to WebHDFS, as `user`. A refusal is a ServiceFailed."""
        query = urlencode({"op": operation, "user.name": user, **options})
        try:
            told = _fetch(Request(f"{self.webhdfs}{path}?{query}", method=method))
        except HTTPError as error:
            reason = json.loads(error.read())["RemoteException"]
            raise ServiceFailed(
                f"HDFS, {operation} {path} as {user}: {reason['exception']}: {reason['message']}"
            ) from None
        return json.loads(told) if told else None

    def admin(self, *words: str) -> None:
        """An order for which HDFS wants its superuser and has no other door: `-safemode enter`."""
        run_once(
            f"hdfs dfsadmin {' '.join(words)}",
            self.folder,
            [*self._program(), "org.apache.hadoop.hdfs.tools.DFSAdmin", *words],
            self._environment,
        )

    def _groups(self, given: Mapping[str, str] | None) -> dict[str, str]:
        file = self.folder / "groups.json"
        if given is None:
            return dict(read_json(file) or {})
        write_json(file, dict(given))
        return dict(given)

    def _addresses(self, variables: Sequence[str], named: Sequence[str]) -> dict[str, str]:
        return {
            f"HDFS_{variable.upper()}": f"{HOST}:{self._ports[name]}"
            for variable, name in zip(variables, named, strict=True)
        }

    def _storage(self, datanode: str) -> dict[str, str]:
        """Addresses and folder of one DataNode; the first shares its folder with the NameNode."""
        folder = self.folder if datanode == _DATANODES[0] else self.folder / datanode
        addresses = self._addresses(_DATANODE_PORTS, _ports_of(datanode))
        return {**addresses, "HDFS_DATA": str(folder)}

    def _service(
        self, name: str, main: str, is_ready: Any, used: Sequence[str], own: Mapping[str, str]
    ) -> Service:
        return Service(
            name,
            self.folder,
            command=lambda: self._command(main),
            is_ready=is_ready,
            ports=[self._ports[port] for port in used],
            environment={**self._environment, **own},
            seconds=300,
        )

    def _command(self, main: str) -> list[str]:
        program = [*self._program(), main]
        if main == _NAMENODE and not (self.folder / "name" / "current" / "VERSION").exists():
            command = [*program, "-format", "-nonInteractive"]
            run_once("Formatting HDFS", self.folder, command, self._environment)
        return program

    def _program(self) -> list[str]:
        path = class_path([SETTINGS, *jars("hdfs"), spark_home() / "jars" / "*"])
        return [java(), f"-Xmx{self._heap}", *SMALL, "-cp", path]

    def _namenode_is_ready(self) -> bool:
        """It answers, and not with a RetriableException, as while it starts."""
        try:
            self.ask("GET", "/", "LISTSTATUS", user=SUPERUSER)
        except (OSError, ServiceFailed):
            return False
        return True

    def _datanode_is_ready(self, name: str) -> bool:
        """Of one that was killed, the NameNode still counts the one before."""
        return answers(self._ports[name]) and self._is_ready()

    def _is_ready(self) -> bool:
        """The NameNode knows every DataNode and has left safe mode."""
        bean = "Hadoop:service=NameNode,name=FSNamesystemState"
        try:
            told = _fetch(Request(f"{self.webhdfs.removesuffix('/webhdfs/v1')}/jmx?qry={bean}"))
        except OSError:
            return False
        return any(  # none at all in the NameNode's first moments
            bean["NumLiveDataNodes"] == len(_DATANODES) and bean["FSState"] == "Operational"
            for bean in json.loads(told)["beans"]
        )


def _ports_of(datanode: str) -> list[str]:
    return [port.replace("datanode", datanode) for port in _DATANODE_PORTS]


def _fetch(request: Request) -> bytes:
    """Loopback only, so never through a proxy."""
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
        content: bytes = answer.read()
    return content
