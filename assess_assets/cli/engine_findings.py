"""The examinations of `assess doctor` that are about the engine: Java, and three rows counted.

Belongs here: whether the engine of ASSESS_SPARK would start, and whether it does.
"""

import shutil
import subprocess
import time
from typing import Final

from assess_assets.cli.finding import REINSTALL, Finding, unreachable

JAVA: Final = 17


def java_finding(url: str) -> Finding:
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


def engine_finding(url: str) -> Finding:
    if "://" in url:
        silence = unreachable(url)
        if silence:
            return Finding("fail", "engine", silence, "start it, or set ASSESS_SPARK")
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
