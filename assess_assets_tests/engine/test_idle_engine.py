"""An engine that is asked nothing for a long time, as by `assess follow` at night, answers then."""

import os
import subprocess
import sys

import pytest

WAITS = """
import os, sys, time
from assess_assets.resources import spark

if len(sys.argv) > 1:
    spark.SAIL_IDLE_SECONDS = int(sys.argv[1])
session = spark.SparkEngine(url="sail").session
assert session.range(3).count() == 3
time.sleep(4)
try:
    print(os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"], session.range(3).count())
except Exception as error:
    print(error)
"""


def said_by(*program: str) -> str:
    """In a process of its own: a server reads the setting when it is made, once a process."""
    command = [sys.executable, "-W", "ignore", *program]
    inherited = {name: value for name, value in os.environ.items() if "SAIL" not in name}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=inherited)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("given", "told"), [(("1",), "is not running"), ((), "31536000 3")])
def test_sail_keeps_an_idle_session_for_as_long_as_it_is_told(
    given: tuple[str, ...], told: str
) -> None:
    """A year. One that ends after a second shows that Sail reads the setting; its own is 900."""
    assert said_by("-c", WAITS, *given).endswith(told)


def test_a_process_outlives_the_session_that_the_server_has_ended() -> None:
    told = said_by("-m", "assess_assets_tests.forgotten_session", "sail").splitlines()
    assert told[0].endswith("is not running")
    assert told[-1] == "3"


def test_an_engine_on_this_machine_is_not_looked_for_behind_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "intranet")
    asks = "from assess_assets.resources.spark import SparkEngine"
    asks += "; print(SparkEngine().session.range(3).count())"
    assert said_by("-c", asks) == "3"
