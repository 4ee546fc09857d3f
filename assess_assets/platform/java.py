"""Java: where it is, whether it will do, and with which options each kind of service runs.

Belongs here: what all JVM processes share. What one service needs is its own module's business.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from assess_assets.platform.errors import JavaMissing

VERSIONS: Final = range(17, 22)  # Kafka 4, Hadoop 3.5 and Spark 4.2 need 17; Hadoop breaks after 23
HOW_TO_INSTALL: Final = (
    "Install Java 17, on Debian or Ubuntu: apt-get install openjdk-17-jre-headless; on Fedora: dnf "
    "install java-17-openjdk-headless; with Homebrew: brew install openjdk@17. If it is installed, "
    "name its folder: export JAVA_HOME=..."
)
# A small service that lives for hours beside others: little memory, and ready soon.
SMALL: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# What Spark's own launcher adds (org.apache.spark.launcher.JavaModuleOptions of Spark 4.2).
MODULES: Final = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "jdk.internal.ref",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar",
        )
    ),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
)


def java() -> str:
    """The `java` to run, from JAVA_HOME or else PATH. Raises JavaMissing."""
    home = dict(os.environ).get("JAVA_HOME")
    if home:
        return _suitable(str(Path(home) / "bin" / "java"))
    found = shutil.which("java")
    if found is None:
        raise JavaMissing(f"There is no Java on the PATH. {HOW_TO_INSTALL}")
    return _suitable(found)


@cache
def _suitable(program: str) -> str:
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60)
    except OSError as error:
        raise JavaMissing(f"{program} can't be run ({error.strerror}). {HOW_TO_INSTALL}") from None
    version = re.search(r'version "(\d+)', told.stderr)
    if version is None or int(version[1]) not in VERSIONS:
        what = told.stderr.strip().partition("\n")[0] or "no version"
        raise JavaMissing(
            f"{program} is not Java {VERSIONS[0]} to {VERSIONS[-1]}: {what}. {HOW_TO_INSTALL}"
        )
    return program


def class_path(entries: Sequence[Path]) -> str:
    """Absolute: a service runs in a folder of its own."""
    return os.pathsep.join(str(entry.absolute()) for entry in entries)
