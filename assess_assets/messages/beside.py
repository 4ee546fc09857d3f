"""Judge a partition's batches; beside this process, while another thread judges within it.

Judging is Python, and threads of one process can only take turns at that: the other cores would
wait. Belongs here: the process beside, and when it is worth its start. On Apache Spark a partition
has a process to itself, where nobody else judges: none is started.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from threading import BoundedSemaphore, Lock
from typing import Any, Final

import pyarrow as pa

from assess_assets.messages.batches import VERDICT_SCHEMA, judge_batch

# As many take longer to judge than a process takes to start: half a second. It takes 0.2 GB.
WORTH_A_PROCESS: Final = 4_096

# If two threads try, every hash (which lets go of the interpreter) hands over to the other one:
# twice the time for both.
_HERE: Final = Lock()
_BESIDE: Final = BoundedSemaphore(max(1, (os.cpu_count() or 1) - 1))
_ASKED: Final = pa.schema([("value", pa.large_binary()), ("defect", pa.string())])


class Judge:
    """`judge_batch` for the batches of one partition, one after another. Close it at the end."""

    def __init__(self) -> None:
        self._beside: _ProcessBeside | None = None

    def __call__(self, values: pa.Array, defects: pa.Array) -> pa.RecordBatch:
        if self._beside is None and not _HERE.acquire(blocking=False):
            if len(values) >= WORTH_A_PROCESS and _BESIDE.acquire(blocking=False):
                self._beside = _ProcessBeside()
            else:
                _HERE.acquire()
        if self._beside is not None:
            with suppress(OSError, StopIteration, pa.ArrowInvalid):
                return self._beside.judge(values, defects)
            self.close()  # it could not be started, or was killed: for memory, say
            _HERE.acquire()
        try:
            return judge_batch(values, defects)
        finally:
            _HERE.release()

    def close(self) -> None:
        if self._beside is not None:
            self._beside.end()
            self._beside = None
            _BESIDE.release()


class _ProcessBeside:
    """Record batches of `_ASKED` go in, and of `VERDICT_SCHEMA` come out, one for each."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: Any = None
        self._told: Any = None

    def judge(self, values: pa.Array, defects: pa.Array) -> pa.RecordBatch:
        """Raises OSError, StopIteration or ArrowInvalid if there is no such process, or no more."""
        process = self._process = self._process or _start()
        assert process.stdin is not None
        self._asked = self._asked or pa.ipc.new_stream(process.stdin, _ASKED)
        columns = [values.cast(pa.large_binary()), defects.cast(pa.string())]
        self._asked.write_batch(pa.RecordBatch.from_arrays(columns, schema=_ASKED))
        process.stdin.flush()
        # Opening reads already, so not before there is something to read.
        self._told = self._told or pa.ipc.open_stream(process.stdout)
        return self._told.read_next_batch()

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def _start() -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C is for who asks. It ends when nobody can ask any more."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def main() -> None:
    """Judge what comes in, until nothing does."""
    told = pa.ipc.new_stream(sys.stdout.buffer, VERDICT_SCHEMA)
    for batch in pa.ipc.open_stream(sys.stdin.buffer):
        told.write_batch(judge_batch(batch.column("value"), batch.column("defect")))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
