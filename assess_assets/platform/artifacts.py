"""The jars: fetched once, by the ordinary clients of Maven Central, and checked every time.

Belongs here: the pinned list (artifacts.lock), the cache, and the two clients that can fill it:
Maven where it is installed, else the Ivy that the pyspark wheel brings.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from assess_assets.platform.errors import ArtifactsUnavailable
from assess_assets.platform.java import class_path, java
from assess_assets.settings import Settings

LOCK: Final = Path(__file__).with_name("artifacts.lock")
MAVEN_GOAL: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
FETCH_SECONDS: Final = 600


@dataclass(frozen=True)
class Artifact:
    """One pinned jar."""

    component: str  # kafka, hdfs, delta
    group: str
    name: str
    version: str
    sha256: str

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.name}:{self.version}"

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}.jar"


@cache
def pinned() -> tuple[Artifact, ...]:
    """Every jar of the lock file; lock_artifacts.py writes it."""
    lines = [line.split() for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return tuple(
        Artifact(component, group, name, version, sha256)
        for component, coordinates, sha256 in lines
        for group, name, version in [coordinates.split(":")]
    )


def jars(component: str, cache_folder: Path | None = None) -> list[Path]:
    """The component's jars, fetched if they are not in the cache, each with its pinned content."""
    folder = (cache_folder or Settings().cache).absolute() / "jars"
    wanted = [artifact for artifact in pinned() if artifact.component == component]
    missing = [artifact for artifact in wanted if not _is_intact(folder, artifact)]
    if missing:
        _fetch(missing, folder)
    return [folder / artifact.file_name for artifact in wanted]


def spark_home() -> Path:
    """Where the pyspark wheel is: Spark, Hadoop's client and Ivy, pinned by requirements.lock."""
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise ArtifactsUnavailable("pyspark is not installed. Run: make setup")
    return Path(found.origin).parent


def _is_intact(folder: Path, artifact: Artifact) -> bool:
    path = folder / artifact.file_name
    return path.is_file() and sha256_of(path) == artifact.sha256


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(missing: list[Artifact], folder: Path) -> None:
    """Into a folder beside the cache's, then moved in one by one: no half a jar is ever seen."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as name:
        fetched = Path(name)
        maven = shutil.which("mvn")
        command = maven_command(maven, missing, fetched) if maven else _ivy(missing, fetched)
        client = "Maven" if maven else "Ivy"
        try:
            done = subprocess.run(
                command, cwd=fetched, capture_output=True, text=True, timeout=FETCH_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise ArtifactsUnavailable(
                f"{client} did not fetch {len(missing)} jars within {FETCH_SECONDS} s. Is Maven "
                "Central, or the mirror that you configured for it, reachable?"
            ) from None
        for artifact in missing:
            path = fetched / artifact.file_name
            if not path.is_file():
                raise ArtifactsUnavailable(
                    f"{client} did not fetch {artifact.coordinates}:\n"
                    f"{last_lines(done.stdout + done.stderr)}"
                )
            found = sha256_of(path)
            if found != artifact.sha256:
                raise ArtifactsUnavailable(
                    f"{artifact.file_name} is not what was pinned: its SHA-256 is {found}, in "
                    f"{LOCK.name} it is {artifact.sha256}. It was not kept. Ask who runs the "
                    "mirror, and don't run that jar."
                )
        for artifact in missing:
            (fetched / artifact.file_name).replace(folder / artifact.file_name)


def last_lines(output: str, count: int = 12) -> str:
    return "\n".join(output.strip().splitlines()[-count:])


def maven_command(
    program: str, artifacts: Iterable[Artifact], target: Path, *options: str, alone: bool = True
) -> list[str]:
    """Copies them to the target; not `alone`, with all that they need at run time."""
    without = "<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>" * alone
    dependencies = "".join(
        f"<dependency><groupId>{one.group}</groupId><artifactId>{one.name}</artifactId>"
        f"<version>{one.version}</version><exclusions>{without}</exclusions></dependency>\n"
        for one in artifacts
    )
    pom = target / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>\n'
        "<groupId>assess_assets</groupId><artifactId>services</artifactId><version>1</version>\n"
        f"<dependencies>\n{dependencies}</dependencies></project>\n"
    )
    return [
        *(program, "--quiet", "--batch-mode", "--file", str(pom), MAVEN_GOAL),
        *("-DincludeScope=runtime", f"-DoutputDirectory={target}", *options),
    ]


def _ivy(artifacts: Iterable[Artifact], target: Path) -> list[str]:
    dependencies = "".join(
        f'<dependency org="{one.group}" name="{one.name}" rev="{one.version}" '
        'transitive="false" conf="default->master"/>\n'
        for one in artifacts
    )
    description = target / "ivy.xml"
    description.write_text(
        '<ivy-module version="2.0"><info organisation="assess_assets" module="services"/>\n'
        '<configurations><conf name="default"/></configurations>\n'
        f"<dependencies>\n{dependencies}</dependencies></ivy-module>\n"
    )
    ivy = sorted((spark_home() / "jars").glob("ivy-*.jar"))
    return [
        *(java(), "-cp", class_path(ivy), "org.apache.ivy.Main", "-ivy", str(description)),
        *("-types", "jar", "bundle", "-retrieve", f"{target}/[artifact]-[revision].[ext]"),
    ]
