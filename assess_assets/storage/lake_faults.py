"""What the lake's file system refused or could not do, as one named error that says what to do.

Belongs here: telling by their texts what Sail, deltalake and Spark raise. Whatever it was, a rerun
of the same command finishes what was begun: steps decide from what tables hold, and commits are
whole or not there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from assess_assets.sources.ranges import SourceError

AGAIN: Final = "Then run the same again: it finishes what was begun."


class LakeFault(Exception):
    """The lake's file system failed. What was committed before stays; nothing is half written."""


class LakeRefused(LakeFault):
    """It is no failure: this user may not read or write there."""


_REFUSED_BY_HDFS: Final = (
    "HDFS refuses this user (HADOOP_USER_NAME, or the Kerberos ticket). The lake's folder and "
    "every customer's belong to the platform's user; see docs/hdfs.md."
)
_REFUSED_BY_DISKS: Final = (
    "This user may not read or write there. The lake's folder and all below it belong to the "
    "platform's user: see ls -ld, and give this user access."
)


# In this order: a write that finds no DataNode may also say that a connection was refused.
_OF_HDFS: Final = (
    (
        r"SafeModeException|is in safe mode",
        "HDFS is in safe mode and takes no writes. After a start it leaves it by itself when "
        "enough blocks are reported; if an operator entered it: hdfs dfsadmin -safemode leave.",
    ),
    (
        r"QuotaExceeded|quota of .* is exceeded",
        "The quota of the folder is used up. See hdfs dfs -count -q -h on the customer's folder; "
        "raise it (hdfs dfsadmin -setSpaceQuota) or make room.",
    ),
    (
        r"could only be written to \d+ of the|BlockMissingException|Could not obtain block|"
        r"All (Data)?[nN]odes failed|Failed to add a datanode|Insufficient blocks|Block writer|"
        r"No DataNodes|no live nodes|Not enough data returned from DataNode",
        "No DataNode takes or gives the data: hdfs dfsadmin -report says which live and how full "
        "they are.",
    ),
    (r"AccessControlException", _REFUSED_BY_HDFS),
    (
        r"No NameNode hosts found",
        "ASSESS_LAKE names no port, and no configuration of Hadoop (HADOOP_CONF_DIR) says which "
        "NameNodes are meant. Set it to hdfs://namenode:8020/folder, with the NameNode's port.",
    ),
    (
        r"RPC listener disconnected|Connection refused|ConnectException|No NameNode|"
        r"StandbyException|Connection reset|Broken pipe|early eof|TokioMultiThreadExecutor",
        "HDFS does not answer: is the NameNode up, and ASSESS_LAKE its address, and is every "
        "DataNode up (hdfs dfsadmin -report)?",
    ),
)
# By the words of libc, Rust and Java, or by the number of the error.
_OF_DISKS: Final = (
    (
        r"No space left on device|Disk quota exceeded|File too large|os error (27|28|122)\b",
        "The disk is full, or this user's share of it (see df -h, quota, ulimit -f). Make room.",
    ),
    (
        r"Read-only file system|os error 30\b",
        "The file system is mounted read-only. Mount it so that it can be written.",
    ),
    (
        r"Permission ?[dD]enied|AccessDenied|Operation not permitted|os error (1|13)\b",
        _REFUSED_BY_DISKS,
    ),
)
_COLOURS: Final = re.compile(r"\x1b\[\d*m")  # deltalake's, whoever reads them
_STACK: Final = re.compile(r"\d+: |at .*:\d+(:\d+)?\)?$")


def fault_of(error: BaseException, uri: str) -> str | None:
    """What is wrong with the file system of `uri` and what to do; None for any other error.

    A source that can't be read says so itself, while a table is written: that a connection was
    refused may be the broker's doing.
    """
    told = str(error)
    if any(f"{kind.__name__}: " in told for kind in _kinds_of(SourceError)):
        return None
    faults = _OF_HDFS if uri.startswith("hdfs://") else _OF_DISKS
    return next((what for signs, what in faults if re.search(signs, told)), None)


def _kinds_of(kind: type[Exception]) -> Iterator[type[Exception]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds_of(each)


@contextmanager
def lake_faults(customer: str, table: str, uri: str) -> Iterator[None]:
    """Raises LakeFault for what the file system did (LakeRefused is one); all else passes."""
    try:
        yield
    except LakeFault:
        raise
    except Exception as error:
        what = fault_of(error, uri)
        if what is None:
            raise
        kind = LakeRefused if what in (_REFUSED_BY_HDFS, _REFUSED_BY_DISKS) else LakeFault
        raise kind(
            f"Customer {customer}, table {table} ({uri}): {what} {AGAIN} "
            f"It said: {first_lines(error)}"
        ) from error


def first_lines(error: Exception | str) -> str:
    """The stacks of Java and of deltalake are for the log."""
    told = _COLOURS.sub("", str(error))
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    lines = [line for line in lines if not _STACK.match(line)]
    return "; ".join(lines[:4])[:500]
