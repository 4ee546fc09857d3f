"""Messages are judged in a process beside this one while another thread judges within it."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pyarrow as pa
import pytest

from assess_assets.messages import beside, judge_batch
from assess_assets.messages.beside import WORTH_A_PROCESS, Judge
from assess_assets_tests.deliveries import message, text


@pytest.fixture
def judge() -> Iterator[Judge]:
    """While another thread is judging."""
    judge = Judge()
    with beside._HERE:
        yield judge
    judge.close()


def _batch(number: int) -> tuple[pa.Array, pa.Array]:
    values = [text(message(f"attempt-{place}")).encode() for place in range(number - 3)]
    defects = [*([None] * (number - 1)), "cut off"]
    return pa.array([*values, b"{", None, b""], pa.binary()), pa.array(defects, pa.string())


def _process(judge: Judge) -> int:
    assert judge._beside is not None
    assert judge._beside._process is not None
    return judge._beside._process.pid


def test_verdicts_from_beside_are_those_from_here(judge: Judge) -> None:
    batch = _batch(WORTH_A_PROCESS)
    for part in (batch, batch, tuple(column.slice(5, 100) for column in batch)):
        assert judge(*part).equals(judge_batch(*part))
    assert _process(judge) != os.getpid()


def test_the_process_ends_with_its_partition_and_leaves_its_place_to_the_next(
    judge: Judge,
) -> None:
    for _ in range((os.cpu_count() or 1) + 1):
        judge(*_batch(WORTH_A_PROCESS))
        process = _process(judge)
        judge.close()
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_what_a_killed_process_should_have_judged_is_judged_here() -> None:
    judge, batch = Judge(), _batch(WORTH_A_PROCESS)
    with beside._HERE:
        judge(*batch)
    os.kill(_process(judge), signal.SIGKILL)
    assert judge(*batch).equals(judge_batch(*batch))
    assert judge._beside is None
    assert judge(*batch).equals(judge_batch(*batch))


def test_what_no_process_can_be_started_for_is_judged_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    judge, batch = Judge(), _batch(WORTH_A_PROCESS)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with ThreadPoolExecutor(1) as pool:
        with beside._HERE:
            verdicts = pool.submit(judge, *batch)
            assert not wait([verdicts], timeout=1).done
        assert verdicts.result().equals(judge_batch(*batch))


def test_nobody_starts_a_process_for_few_messages_or_while_nobody_else_judges() -> None:
    judge = Judge()
    judge(*_batch(WORTH_A_PROCESS))
    judge(*_batch(4))
    assert judge._beside is None


_KILLED = """
import os, signal
from assess_assets.messages import beside
from assess_assets_tests.unit.test_judging_beside import _batch
judge = beside.Judge()
with beside._HERE:
    judge(*_batch(beside.WORTH_A_PROCESS))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_beside_ends_when_the_one_that_asks_is_killed() -> None:
    """Both have the same stderr, and only when both have ended is it at its end."""
    command = [sys.executable, "-c", _KILLED]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, b"", b"")
