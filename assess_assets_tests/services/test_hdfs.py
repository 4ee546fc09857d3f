"""HDFS: Delta tables by deltalake and by Sail, permissions that hold, and data that survives."""

from datetime import timedelta

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.fs import DeltaStorageHandler
from pyspark.sql import SparkSession

from assess_assets.cli.lake_findings import lake_findings
from assess_assets.platform.errors import ServiceFailed
from assess_assets.platform.hdfs import Hdfs
from assess_assets.storage.damage import TableDamaged, damage_told
from assess_assets.storage.layout import LakeLayout
from assess_assets.storage.maintenance import Upkeep, keep

pytestmark = pytest.mark.services


def test_the_lake_is_the_platforms_and_nobody_elses(hdfs: Hdfs) -> None:
    found = hdfs.ask("GET", "/lake", "GETFILESTATUS")["FileStatus"]
    assert (found["owner"], found["permission"]) == ("platform", "711")
    hdfs.ask("PUT", "/lake/mine", "MKDIRS")
    with pytest.raises(ServiceFailed, match="AccessControlException"):
        hdfs.ask("PUT", "/lake/theirs", "MKDIRS", user="ann")
    with pytest.raises(ServiceFailed, match="AccessControlException"):
        hdfs.ask("GET", "/lake", "LISTSTATUS", user="ann")


def test_an_acl_lets_a_group_in_and_no_other(hdfs: Hdfs) -> None:
    hdfs.ask("PUT", "/lake/acme", "MKDIRS", permission="750")
    acl = "group:acme:r-x,default:group:acme:r-x"
    hdfs.ask("PUT", "/lake/acme", "MODIFYACLENTRIES", aclspec=acl)
    hdfs.ask("PUT", "/lake/acme/later", "MKDIRS", permission="750")
    listed = hdfs.ask("GET", "/lake/acme", "LISTSTATUS", user="ann")
    assert [one["pathSuffix"] for one in listed["FileStatuses"]["FileStatus"]] == ["later"]
    hdfs.ask("GET", "/lake/acme/later", "LISTSTATUS", user="ann")
    with pytest.raises(ServiceFailed, match="AccessControlException"):
        hdfs.ask("GET", "/lake/acme", "LISTSTATUS", user="gil")


def test_deltalake_writes_a_table_that_sail_reads_and_extends(
    hdfs: Hdfs, spark: SparkSession
) -> None:
    uri = f"{hdfs.lake}/together/exams"
    write_deltalake(uri, pa.table({"exam": ["git"], "attempts": pa.array([390], pa.int64())}))
    assert [tuple(row) for row in spark.read.format("delta").load(uri).collect()] == [("git", 390)]
    more = spark.createDataFrame([("sql", 7)], "exam string, attempts long")
    more.write.format("delta").mode("append").save(uri)
    rows = DeltaTable(uri).to_pyarrow_table().sort_by("exam").to_pylist()
    assert rows == [{"exam": "git", "attempts": 390}, {"exam": "sql", "attempts": 7}]


def test_deltalake_obeys_the_permissions(hdfs: Hdfs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADOOP_USER_NAME", "gil")
    with pytest.raises((DeltaError, OSError), match="AccessControlException"):
        write_deltalake(f"{hdfs.lake}/gils", pa.table({"x": [1]}))


def test_the_doctor_says_why_hdfs_refuses_the_lake_and_what_to_do(
    hdfs: Hdfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a few words: neither Java's stack nor advice about disks."""
    monkeypatch.setenv("HADOOP_USER_NAME", "ann")
    (found,) = lake_findings(LakeLayout.of(hdfs.lake))
    assert found.status == "fail"
    assert 'user=ann, access=WRITE, inode="/lake"' in found.told
    assert "\n" not in found.told
    assert found.fix.startswith("HDFS refuses this user (HADOOP_USER_NAME")
    (found,) = lake_findings(LakeLayout.of("hdfs://127.0.0.1/lake"))
    assert found.fix.startswith("ASSESS_LAKE names no port")


def test_a_data_file_without_a_byte_is_told_as_damage_by_whoever_reads_it(hdfs: Hdfs) -> None:
    uri = f"{hdfs.lake}/emptied/exams"
    write_deltalake(uri, pa.table({"exam": ["git"]}))
    opened = DeltaTable(uri)
    (name,) = pa.table(opened.get_add_actions())["path"].to_pylist()
    DeltaStorageHandler(uri).open_output_stream(name).close()
    with (
        pytest.raises(TableDamaged, match=r"table exams .* Move its folder out of the lake"),
        damage_told("emptied", hdfs.lake, "exams"),
    ):
        opened.to_pyarrow_dataset().to_table()


def test_a_table_survives_a_restart_of_both_and_a_crash_of_both(hdfs: Hdfs) -> None:
    uri = f"{hdfs.lake}/kept"
    write_deltalake(uri, pa.table({"x": [1, 2]}))
    assert hdfs.stop()
    assert [service.left() for service in hdfs.services] == [[], [], []]
    assert hdfs.start()
    write_deltalake(uri, pa.table({"x": [3]}), mode="append")
    hdfs.kill()
    assert Hdfs(hdfs.folder).start(), "ready: out of safe mode, with its DataNodes"
    assert not hdfs.start(), "it runs"
    rows = DeltaTable(uri).to_pyarrow_table().sort_by("x").to_pylist()
    assert [row["x"] for row in rows] == [1, 2, 3]
    hdfs.ask("GET", "/lake/acme", "LISTSTATUS", user="ann"), "groups are remembered"


def test_maintenance_makes_files_few_and_removes_old_ones_under_no_reader(hdfs: Hdfs) -> None:
    uri = f"{hdfs.lake}/grown"
    for number in range(4):
        write_deltalake(uri, pa.table({"x": [number]}), mode="append")
    reader = DeltaTable(uri)
    kept = keep("acme", "grown", uri, Upkeep(1, target_bytes=2**20, retention=timedelta(days=7)))
    assert kept is not None
    assert (kept.files_before, kept.files, kept.files_removed) == (4, 1, 0)
    rows = reader.to_pyarrow_table().sort_by("x").to_pylist()
    assert rows == [{"x": number} for number in range(4)]
    cleaned = keep("acme", "grown", uri, Upkeep(1, target_bytes=2**20, retention=timedelta(0)))
    assert cleaned is not None
    assert (cleaned.files, cleaned.files_removed) == (1, 4)
    assert DeltaTable(uri).to_pyarrow_table().sort_by("x").to_pylist() == rows
    listed = hdfs.ask("GET", "/lake/grown", "LISTSTATUS")["FileStatuses"]["FileStatus"]
    assert len([one for one in listed if one["pathSuffix"].endswith(".parquet")]) == 1
