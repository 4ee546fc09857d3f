"""An engine that went away under a run, as one named error that says what to do.

Belongs here: telling by their texts what PySpark raises when a Spark Connect server ended. Lost
executors are Spark's own business: it gets others and repeats what they were at. But what they kept
of a local checkpoint is lost with them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from assess_assets.storage.lake_faults import AGAIN


class EngineGone(Exception):
    """The engine, or what it had kept for this run, is gone. Nothing is half written."""


# PySpark 4.2 says the first of a session that the server, started again, does not know.
_SIGNS: Final = (
    r"NO_ACTIVE_SESSION|INVALID_HANDLE\.(SESSION|OPERATION)|server side session identifier|"
    r"StatusCode\.UNAVAILABLE|failed to connect to all addresses|stopped SparkContext|"
    r"SparkContext was shut down"
)
# Before the others: a killed executor takes what it had kept with it. 52: the JVM's out of memory.
_KILLED: Final = r"exited with code 52\b|OutOfMemoryError|Container killed .*exceeding .*memory"
_LOST: Final = r"CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND|Checkpoint block \S+ not found"


@contextmanager
def engine_faults(what: str) -> Iterator[None]:
    """Raises EngineGone for an engine that is gone; all else passes as it is.

    `what` was under way: the customer, and the table if it is known.
    """
    try:
        yield
    except EngineGone:
        raise
    except Exception as error:
        if re.search(_KILLED, str(error)):
            told = (
                "a Spark executor ended for want of memory. Raise spark.executor.memory (of a "
                "local Spark, spark.driver.memory): a message needs many times its size."
            )
        elif re.search(_LOST, str(error)):
            told = "a Spark executor ended, and validated messages that it had kept with it."
        elif re.search(_SIGNS, str(error)):
            told = (
                "the Spark Connect server that ASSESS_SPARK names does not answer, or was started "
                "again and does not know this run's session. Is it up?"
            )
        else:
            raise
        raise EngineGone(
            f"{what}: {told} {AGAIN} It said: {str(error).splitlines()[0][:300]}"
        ) from error
