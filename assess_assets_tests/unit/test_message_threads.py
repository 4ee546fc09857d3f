"""Messages are judged in several threads from the first one on: engines do."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
from assess_assets.messages import judge
from assess_assets_tests.deliveries import message, text

value = text(message("a")).encode()
together = threading.Barrier(8)
sys.setswitchinterval(1e-6)

def first() -> None:
    together.wait()
    assert judge(value).rule is None

threads = [threading.Thread(target=first) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.mark.parametrize("attempt", range(5))
def test_threads_that_judge_the_first_messages_of_a_process_do_not_crash_it(attempt: int) -> None:
    """Unless the contract is worked out at import, a process in three to six is lost here."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
