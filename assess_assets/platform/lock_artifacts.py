"""`make lock-artifacts`: writes artifacts.lock anew, for a person who changed a version in ROOTS.

Belongs here: which jars are asked for, what is kept of all that they need, and the file's form. No
service runs this: they read the file, by artifacts.py.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assess_assets.platform.artifacts import (
    FETCH_SECONDS,
    LOCK,
    Artifact,
    last_lines,
    maven_command,
    sha256_of,
)
from assess_assets.platform.errors import ArtifactsUnavailable


@dataclass(frozen=True)
class Root:
    """What a component asks Maven for, and how the coordinates of what is kept of it begin."""

    component: str
    coordinates: tuple[str, ...]
    kept: str


# Delta and HDFS run on Spark's class path: the pyspark wheel brings what else they need.
ROOTS: Final = (
    Root("delta", ("io.delta:delta-spark_4.2_2.13:4.4.0",), kept="io.delta:"),
    Root(
        "hdfs",
        ("org.apache.hadoop:hadoop-client-minicluster:3.5.0",),
        kept="org.apache.hadoop:hadoop-client-minicluster:",
    ),
    # The broker logs through slf4j, whose slf4j-simple is of the version that Kafka names.
    Root("kafka", ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36"), kept=""),
)
CHARTER: Final = """\
# The jars of `assess services`, beside those in the pyspark wheel: component, coordinates in Maven
# Central, SHA-256. The list is complete: nothing that a jar's own pom names is fetched with it.
"""


def resolved(root: Root) -> list[Artifact]:
    """The roots and all that they need at run time, each with the hash of what Maven brought."""
    program = shutil.which("mvn")
    if program is None:
        raise ArtifactsUnavailable("Maven is not installed: only it resolves what a jar needs.")
    asked = [
        Artifact(root.component, group, name, version, sha256="")
        for group, name, version in (one.split(":") for one in root.coordinates)
    ]
    with tempfile.TemporaryDirectory(prefix="locking-") as folder:
        target = Path(folder)
        layout = "-Dmdep.useRepositoryLayout=true"
        command = maven_command(program, asked, target, layout, alone=False)
        done = subprocess.run(
            command, cwd=target, capture_output=True, text=True, timeout=FETCH_SECONDS
        )
        if done.returncode:
            raise ArtifactsUnavailable(
                f"Maven did not resolve {' and '.join(root.coordinates)}:\n"
                f"{last_lines(done.stdout + done.stderr)}"
            )
        found = [_artifact(root.component, jar, target) for jar in target.rglob("*.jar")]
    return [one for one in found if one.coordinates.startswith(root.kept)]


def _artifact(component: str, jar: Path, repository: Path) -> Artifact:
    """Of a jar that lies as in a repository: org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar."""
    *group, name, version, file_name = jar.relative_to(repository).parts
    artifact = Artifact(component, ".".join(group), name, version, sha256_of(jar))
    if artifact.file_name != file_name:
        raise ArtifactsUnavailable(f"{file_name} has a classifier, which the lock has no word for.")
    return artifact


def locked(artifacts: Iterable[Artifact]) -> str:
    """The text of artifacts.lock, in the order of components and coordinates."""
    rows = sorted((one.component, one.coordinates, one.sha256) for one in artifacts)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return CHARTER + "".join(
        f"{component:{widths[0]}} {coordinates:{widths[1]}} {sha256}\n"
        for component, coordinates, sha256 in rows
    )


def main() -> None:
    """Nothing is written unless everything was resolved."""
    found = [one for root in ROOTS for one in resolved(root)]
    LOCK.write_text(locked(found))
    sys.stdout.write(f"{LOCK.name}: {len(found)} jars\n")


if __name__ == "__main__":
    main()
