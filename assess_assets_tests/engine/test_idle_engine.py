"""An engine that is asked nothing for a long time, as by `assess follow` at night, answers then."""

import os
import subprocess
import sys

import pytest

WAITS = """
import os, sys, time
from assess_assets.resources import spark

spark.SAIL_IDLE_SECONDS, spark.SAIL_ASKED_EVERY_SECONDS = int(sys.argv[1]), float(sys.argv[2])
session = spark.SparkEngine(url="sail").session
assert session.range(3).count() == 3
time.sleep(4)
try:
    print(os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"], session.range(3).count())
except Exception as error:
    print(error)
"""

TAKES_LONG = """
import os, time
from assess_assets.resources import spark

os.environ["SAIL_SPARK__EXECUTION_HEARTBEAT_INTERVAL_SECS"] = "1"  # 15 by default
spark.SAIL_IDLE_SECONDS, spark.SAIL_ASKED_EVERY_SECONDS = 3, 3600.0
session = spark.SparkEngine(url="sail").session

def slowly(batches):
    time.sleep(8)
    yield from batches

print(session.range(3).mapInArrow(slowly, "id bigint").count())
"""

ASKS_MUCH = """
from assess_assets.cli.follow import resident_bytes
from assess_assets.resources import spark

spark.SAIL_IDLE_SECONDS, spark.SAIL_ASKED_EVERY_SECONDS = 2, 1.0
session = spark.SparkEngine(url="sail").session
taken = []
for _ in range(3):
    for _ in range(1500):
        session.range(3).collect()
    taken.append(resident_bytes())
assert all(taken)
print(round((taken[-1] - taken[0]) / 1e6))
"""


def said_by(*program: str) -> str:
    """In a process of its own: a server reads the setting when it is made, once a process."""
    command = [sys.executable, "-W", "ignore", *program]
    inherited = {name: value for name, value in os.environ.items() if "SAIL" not in name}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=inherited)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("asked_every", "told"), [("3600", "is not running"), ("0.4", "2 3")], ids=["never", "in time"]
)
def test_sail_keeps_an_idle_session_because_it_is_asked_something_in_time(
    asked_every: str, told: str
) -> None:
    """After two seconds of quiet it would end; that it does shows that Sail reads the setting."""
    assert said_by("-c", WAITS, "2", asked_every).endswith(told)


def test_a_query_may_take_longer_than_a_session_may_idle() -> None:
    assert said_by("-c", TAKES_LONG) == "3"


def test_what_sail_remembers_of_requests_ends_with_the_time_that_a_session_may_idle() -> None:
    """3,000 queries later it has hardly more memory: 40 MB more with a time that does not end."""
    assert int(said_by("-c", ASKS_MUCH)) < 15


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
