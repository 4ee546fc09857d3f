"""Processes and jars of the services, without a service: exactly ours is stopped, or run."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assess_assets.platform import artifacts, state
from assess_assets.platform.errors import ArtifactsUnavailable, JavaMissing, ServiceFailed
from assess_assets.platform.java import java
from assess_assets.platform.processes import Service, start_together, started_at
from assess_assets.platform.state import answers, is_free, ports, read_json, write_json

LISTENS = """
import socket, subprocess, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
time.sleep(100)
"""


class Listener:
    """A service in Python: it listens, and has a child."""

    def __init__(self, folder: Path, program: str = LISTENS, seconds: float = 20) -> None:
        self.port = ports(folder, "listener")["listener"]
        self.service = Service(
            "listener",
            folder,
            command=lambda: [sys.executable, "-c", program, str(self.port)],
            is_ready=lambda: answers(self.port) and len(self.service.left()) == 2,
            ports=[self.port],
            seconds=seconds,
            stop_seconds=0.5,  # its child knows no SIGTERM
            port_seconds=0.3,
        )


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    made = Listener(tmp_path)
    yield made
    made.service.stop()


def test_a_service_starts_once_and_stops_with_its_children(listener: Listener) -> None:
    service = listener.service
    assert service.pid is None
    assert service.start()
    pid = service.pid
    assert not service.start()
    assert service.pid == pid
    assert service.stop()
    assert (service.pid, service.left()) == (None, [])
    assert not service.stop()


def test_what_a_killed_service_leaves_is_known_and_ended(listener: Listener) -> None:
    service = listener.service
    service.start()
    child = next(pid for pid in service.left() if pid != service.pid)
    service.kill()
    assert service.left() == [child]
    assert service.start(), "on the same port"
    assert started_at(child) is None


def test_another_process_that_got_the_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True
    )
    service = Listener(tmp_path).service
    write_json(tmp_path / "listener.pid.json", {"pid": stranger.pid, "started": "long ago"})
    assert (service.pid, service.left()) == (None, [])
    assert not service.stop()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_service_that_ends_or_hangs_while_starting_shows_its_last_lines(tmp_path: Path) -> None:
    ends = Listener(tmp_path / "ends", "print('out of luck')").service
    with pytest.raises(ServiceFailed, match=r"(?s)ended while it started.*listener.log.*of luck"):
        ends.start()
    program = "import time; print('still trying', flush=True); time.sleep(100)"
    hangs = Listener(tmp_path / "hangs", program, seconds=0.5).service
    began = time.monotonic()
    with pytest.raises(ServiceFailed, match=r"(?s)not ready after 0 s.*still trying"):
        hangs.start()
    assert time.monotonic() - began < 10
    assert hangs.left() == []


def test_a_service_that_ended_before_it_was_looked_at_is_not_waited_for(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    service = Listener(tmp_path).service
    write_json(tmp_path / "listener.pid.json", {"pid": gone.pid, "started": None})
    assert service.pid is None
    assert not service.stop()


def test_a_port_that_another_program_took_is_named(listener: Listener, tmp_path: Path) -> None:
    assert is_free(listener.port)
    listener.service.start()
    other = Listener(tmp_path / "other")
    other.service.ports = [listener.port]
    with pytest.raises(ServiceFailed, match=f"listens on port .*{listener.port}"):
        other.service.start()


def test_ports_stay_what_they_were(tmp_path: Path) -> None:
    first = ports(tmp_path, "one", "two")
    assert first["one"] != first["two"]
    assert ports(tmp_path, "one", "two") == first == read_json(tmp_path / "ports.json")


def test_no_port_is_given_to_two_services_of_a_folder_or_of_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "_PORTS", range(21_000, 21_100))  # few, so that doubles are likely
    groups = [ports(tmp_path / name, *(f"{name} {n}" for n in range(5))) for name in "abcd"]
    given = [port for known in groups for port in known.values()]
    assert len(set(given)) == len(given) == 20


def test_a_port_that_two_services_were_given_is_chosen_anew_when_they_are_down(
    tmp_path: Path,
) -> None:
    double = {"one": 21_001, "two": 21_001, "three": 21_003}
    write_json(tmp_path / "a" / "ports.json", double)
    write_json(tmp_path / "a" / "it.pid.json", {"pid": 1, "started": "long ago"})
    assert ports(tmp_path / "a", "one", "two", "three") == double
    (tmp_path / "a" / "it.pid.json").unlink()
    mended = ports(tmp_path / "a", "one", "two", "three")
    assert (mended["one"], mended["three"], len(set(mended.values()))) == (21_001, 21_003, 3)
    write_json(tmp_path / "b" / "ports.json", {"four": 21_003})
    assert ports(tmp_path / "b", "four")["four"] != 21_003


def test_files_that_a_power_cut_left_empty_count_as_not_there(tmp_path: Path) -> None:
    for name in ("ports.json", "listener.pid.json"):
        (tmp_path / name).touch()
    service = Listener(tmp_path).service
    assert (service.pid, service.left(), service.stop()) == (None, [], False)


def test_one_that_ends_is_told_while_others_are_still_starting(tmp_path: Path) -> None:
    hangs = Listener(tmp_path / "hangs", "import time; time.sleep(100)").service
    ends = Listener(tmp_path / "ends", "print('out of luck')").service
    began = time.monotonic()
    with pytest.raises(ServiceFailed, match="ended while it started"):
        start_together([hangs, ends])
    assert time.monotonic() - began < 10
    assert hangs.stop()


def test_java_that_is_missing_or_too_old_is_said_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(JavaMissing, match=r"no Java on the PATH. Install Java 17"):
        java()
    (tmp_path / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    (tmp_path / "java").chmod(0o755)
    with pytest.raises(JavaMissing, match=r'not Java 17 to 21: openjdk version "11'):
        java()


def test_every_jar_is_pinned_once_and_without_a_host() -> None:
    pinned = artifacts.pinned()
    assert {one.component for one in pinned} == {"delta", "hdfs", "kafka"}
    assert len({one.file_name for one in pinned}) == len(pinned)
    assert all(len(one.sha256) == 64 for one in pinned)
    assert "://" not in artifacts.LOCK.read_text()


def test_a_jar_that_is_not_what_was_pinned_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_maven(tmp_path, monkeypatch, "echo wrong > delta-storage-4.4.0.jar")
    with pytest.raises(ArtifactsUnavailable, match=r"did not fetch io.delta:delta-kernel-api"):
        artifacts.jars("delta", tmp_path / "cache")
    names = [one.file_name for one in artifacts.pinned() if one.component == "delta"]
    _fake_maven(tmp_path, monkeypatch, f"for n in {' '.join(names)}; do echo wrong > $n; done")
    with pytest.raises(ArtifactsUnavailable, match="is not what was pinned"):
        artifacts.jars("delta", tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_maven_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_maven(tmp_path, monkeypatch, "echo 'no route to the mirror'; exit 1")
    with pytest.raises(ArtifactsUnavailable, match="no route to the mirror"):
        artifacts.jars("hdfs", tmp_path / "cache")


def _fake_maven(folder: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "mvn").write_text(f"#!/bin/sh\n{program}\n")
    (folder / "bin" / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
