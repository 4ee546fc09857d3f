"""The examinations of `assess doctor`: each looks at one thing and says ok, warn or fail, and why.

Belongs here: looking, and the fix. Nothing is repaired, and nothing is left behind.
"""

import platform
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from assess_assets.cli.customers import PARTITIONS, told
from assess_assets.cli.deployment import dagster_instance, deployment, kafka_of
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.unfinished_runs import quiet_runs
from assess_assets.sources.landing_customers import landed_folders

if TYPE_CHECKING:
    from assess_assets.settings import Settings
    from assess_assets.storage.layout import LakeLayout

DISTRIBUTION: Final = "assess-assets"
REINSTALL: Final = "pip install --require-hashes -r requirements.lock (or: make setup)"
JAVA: Final = 17
CONNECT_SECONDS: Final = 3.0


class Finding(NamedTuple):
    """What one examination found; `fix` is what to run or set."""

    status: Literal["ok", "warn", "fail"]
    subject: str
    told: str
    fix: str = ""


def examine() -> Iterator[Finding]:
    """Every examination, the quick ones first."""
    yield from _versions()
    try:
        settings, layout = deployment()
    except CommandFailed as error:
        yield Finding("fail", "settings", str(error), "correct the ASSESS_ variable it names")
        return
    yield _lake(layout)
    yield _landing(settings.landing.expanduser())
    yield _policies(settings)
    yield from _dagster(settings)
    if settings.kafka:
        yield _kafka(settings)
    yield _java(settings.spark)
    yield _engine(settings.spark)


def _versions() -> Iterator[Finding]:
    """Python and every package that the project requires."""
    from importlib import metadata

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    about = metadata.metadata(DISTRIBUTION)
    python = platform.python_version()
    wanted = about["Requires-Python"]
    fits = SpecifierSet(wanted).contains(python)
    fix = "" if fits else "make a virtual environment with such a Python, and install again"
    yield Finding("ok" if fits else "fail", "python", f"{python}, {wanted} is required", fix)
    wrong, installed = [], 0
    for text in about.get_all("Requires-Dist") or []:
        required = Requirement(text)
        if required.marker and not required.marker.evaluate():
            continue
        try:
            version = metadata.version(required.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{required.name} is missing")
            continue
        installed += 1
        if not required.specifier.contains(version, prereleases=True):
            wrong.append(f"{required.name} is {version}, {required.specifier} is required")
    if wrong:
        yield Finding("fail", "packages", "; ".join(wrong), REINSTALL)
    else:
        yield Finding("ok", "packages", f"all {installed} have a required version")


def _lake(layout: "LakeLayout") -> Finding:
    """Make a file in the lake and remove it, through what writes the Delta logs."""
    from deltalake.fs import DeltaStorageHandler

    root = layout.local_root
    if root is not None and not root.exists():
        parent = next(folder for folder in root.parents if folder.exists())
        if _is_writable(parent):
            return Finding("ok", "lake", f"{layout.root} will be made by the first run")
        return _unwritable("lake", str(parent), "")
    if root is None:
        unreachable = _unreachable(layout.root)
        if unreachable:
            return Finding("fail", "lake", unreachable, "start it, or set ASSESS_LAKE")
    name = f".assess-doctor-{uuid.uuid4().hex}"
    try:
        store = DeltaStorageHandler(layout.root)
        store.open_output_stream(name).close()  # an empty file proves as much
        store.delete_file(name)
    except Exception as error:  # whatever a store says, it is the finding
        return _unwritable("lake", layout.root, str(error))
    return Finding("ok", "lake", f"{layout.root} can be written")


def _landing(folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding(
            "warn",
            "landing",
            f"{folder} does not exist, so nothing is read",
            f"mkdir -p {folder}, set ASSESS_LANDING, or let the first `assess land` make it",
        )
    try:
        files = sum(
            1 for customer in folder.iterdir() if customer.is_dir() for _ in customer.iterdir()
        )
    except OSError as error:
        return _unwritable("landing", str(folder), str(error.strerror))
    return Finding("ok", "landing", f"{folder} can be read ({files} files)")


def _policies(settings: "Settings") -> Finding:
    if settings.policies is None:
        return Finding("ok", "policies", "every customer has the default policy")
    from assess_assets.customers import Policies

    try:
        customers = Policies.load(settings.policies.expanduser()).customers
    except (OSError, ValueError) as error:
        return Finding("fail", "policies", f"{settings.policies}: {error}", "correct the file")
    return Finding("ok", "policies", f"{settings.policies}: {len(customers)} of customers' own")


def _dagster(settings: "Settings") -> Iterator[Finding]:
    try:
        with dagster_instance() as instance:
            registered = set(instance.get_dynamic_partitions(PARTITIONS))
            yield Finding("ok", "dagster instance", f"{instance.root_directory} opens")
            for run in quiet_runs(instance):
                yield Finding("warn", "runs", run.told, run.fix)
    except CommandFailed as error:
        yield Finding("fail", "dagster instance", error.what, error.fix)
        return
    landed, misnamed = landed_folders(settings.landing)
    if misnamed:
        found = f"landing folders that no run reads:\n{told(misnamed)}"
        yield Finding("fail", "customers", found, f"rename them, in {settings.landing}")
    new = [key for key in landed if key not in registered]
    if new:
        found = f"have landed files and are not registered: {', '.join(new)}"
        yield Finding("warn", "customers", found, "assess customers sync")
    elif not misnamed:
        yield Finding("ok", "customers", f"{len(registered)} registered, {len(landed)} landed")


def _kafka(settings: "Settings") -> Finding:
    """Ask for the topics, as this deployment's user."""
    from assess_assets.sources.kafka_errors import KafkaNotConfigured, NotAuthorized
    from assess_assets.sources.kafka_topic import EVERYBODY, Broker
    from assess_assets.sources.ranges import SourceError

    try:
        asked = Broker(kafka_of(settings), EVERYBODY, timeout_seconds=CONNECT_SECONDS)
        customers, misnamed = asked.customers()
    except (NotAuthorized, KafkaNotConfigured) as error:
        return Finding("fail", "kafka", str(error), "correct the client settings")
    except SourceError as error:
        return Finding("fail", "kafka", str(error), "start it, or set ASSESS_KAFKA")
    found = f"{settings.kafka} answers, with topics of {len(customers)} customers"
    if misnamed:
        told = f"{found}; no customer can have {', '.join(misnamed)}"
        return Finding("warn", "kafka", told, "make those topics anew, named by `assess customers`")
    return Finding("ok", "kafka", found)


def _java(url: str) -> Finding:
    if url == "sail" or url.startswith("sc://"):
        return Finding("ok", "java", f"not needed by {url}")
    fix = f"install Java {JAVA} and put it on PATH, or use the engine sail: unset ASSESS_SPARK"
    java = shutil.which("java")
    if java is None:
        return Finding("fail", "java", f"there is none on PATH, and {url} runs on it", fix)
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = (done.stderr or done.stdout).partition("\n")[0]
    major = version.partition('"')[2].partition(".")[0].rstrip('"')
    if not major.isdigit() or int(major) < JAVA:
        return Finding("fail", "java", f"{java} is {version}, and {url} needs {JAVA}", fix)
    return Finding("ok", "java", version)


def _engine(url: str) -> Finding:
    if "://" in url:
        unreachable = _unreachable(url)
        if unreachable:
            return Finding("fail", "engine", unreachable, "start it, or set ASSESS_SPARK")
    from assess_assets.resources.spark import SparkEngine

    began = time.perf_counter()
    try:
        session = SparkEngine(url=url).session
        counted = session.range(3).count()
    except Exception as error:  # whatever an engine says, it is the finding
        return Finding("fail", "engine", f"{url} does not start: {error}", REINSTALL)
    seconds = time.perf_counter() - began
    if counted != 3:
        return Finding("fail", "engine", f"{url} counts 3 rows as {counted}", REINSTALL)
    return Finding("ok", "engine", f"{url} (Spark {session.version}) answers, {seconds:.1f} s")


def _unreachable(uri: str) -> str:
    """Why nobody answers at the URI's host, if it names one with a port; empty if one does."""
    address = uri.partition("://")[2].partition("/")[0].partition(";")[0]
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return ""
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        return f"nobody answers at {address}: {error}"
    return ""


def _is_writable(folder: Path) -> bool:
    probe = folder / f".assess-doctor-{uuid.uuid4().hex}"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _unwritable(subject: str, place: str, reason: str) -> Finding:
    found = f"{place} can't be used" + (f": {reason}" if reason else "")
    return Finding(
        "fail", subject, found, f"give this user access to it, or set ASSESS_{subject.upper()}"
    )
