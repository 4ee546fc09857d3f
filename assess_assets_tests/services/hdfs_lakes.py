"""Lakes on a real HDFS for tests: a deployment on one, and all that lies in it."""

import uuid
from pathlib import Path

import dagster as dg

from assess_assets.platform.hdfs import Hdfs
from assess_assets_tests.conftest import Platform


def platform_on(hdfs: Hdfs, folder: Path, instance: dg.DagsterInstance) -> Platform:
    """A deployment whose lake is a new folder of this HDFS."""
    platform = Platform(folder, instance)
    platform.with_settings(
        lake=hdfs.make_lake(f"/lake-{uuid.uuid4().hex[:8]}"),
        webhdfs=hdfs.uris["ASSESS_WEBHDFS"],
        hadoop_user=hdfs.uris["HADOOP_USER_NAME"],
    )
    return platform


def everything_in(hdfs: Hdfs, path: str) -> dict[str, tuple[str, str, str, int, int]]:
    """Each path below, with type, owner, mode, length and time of change."""
    found: dict[str, tuple[str, str, str, int, int]] = {}
    for one in hdfs.ask("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]:
        below = f"{path}/{one['pathSuffix']}"
        found[below] = (
            *(one["type"], one["owner"], one["permission"]),
            *(one["length"], one["modificationTime"]),
        )
        if one["type"] == "DIRECTORY":
            found |= everything_in(hdfs, below)
    return found
