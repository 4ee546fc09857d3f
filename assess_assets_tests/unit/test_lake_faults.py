"""What went wrong while a table was written is told by who knows: the lake, or the source."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.errors.exceptions.connect import SparkRuntimeException

from assess_assets.sources.kafka_errors import BrokerUnavailable
from assess_assets.sources.ranges import LandedFileUnreadable
from assess_assets.storage.delta import append_claim, pin
from assess_assets.storage.lake_faults import LakeFault, lake_faults
from assess_assets.storage.layout import LakeLayout
from assess_assets.tables.ingest import BUILDS
from assess_assets_tests.faults.sabotage import Sabotage
from assess_assets_tests.restricted import PLAIN_USER, done_under

WHERE = ("acme", "raw_messages", "hdfs://here/lake/acme/raw_messages")
LOCAL = ("acme", "raw_messages", "file:///lake/acme/raw_messages")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REFUSED = "Connect to 127.0.0.1:9092 failed: Connection refused"


def test_a_connection_that_hdfs_refused_is_the_lakes_fault() -> None:
    told = r"Customer acme, table raw_messages .*is the NameNode up"
    with pytest.raises(LakeFault, match=told), lake_faults(*WHERE):
        raise OSError(REFUSED)


def test_a_broker_that_refused_one_is_not() -> None:
    told = f"{BrokerUnavailable.__name__}: Customer acme: topic assessments.acme: {REFUSED}"
    passes = pytest.raises(SparkRuntimeException, match="BrokerUnavailable: Customer acme")
    with passes, lake_faults(*WHERE):
        raise SparkRuntimeException(told)


def test_on_a_local_disk_no_error_is_taken_for_one_of_hdfs() -> None:
    with pytest.raises(OSError, match="Connection refused"), lake_faults(*LOCAL):
        raise OSError(REFUSED)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Failed to write file: Generic LocalFileSystem error: Unable to copy data to file: "
            "No space left on device (os error 28)",
            "The disk is full, or this user's share of it",
        ),
        (
            "Generic LocalFileSystem error: Unable to open file /lake/a: Read-only file system "
            "(os error 30)",
            "The file system is mounted read-only.",
        ),
        (
            "Failed to parse parquet: External: Generic LocalFileSystem error: Unable to open file "
            "/lake/a: Permission denied (os error 13)",
            "This user may not read or write there.",
        ),
        (
            "Could not create local directory: file:///lake/acme/raw_messages\nError: Os "
            '{ code: 13, kind: PermissionDenied, message: "Keine Berechtigung" }',
            "This user may not read or write there.",
        ),
        ("java.nio.file.AccessDeniedException: /lake/a", "This user may not read or write there."),
    ],
)
def test_what_a_local_disk_refused_names_customer_table_and_what_to_do(
    said: str, told: str
) -> None:
    with pytest.raises(LakeFault) as fault, lake_faults(*LOCAL):
        raise OSError(said)
    message = str(fault.value)
    assert message.startswith(f"Customer acme, table raw_messages ({LOCAL[2]}): {told}")
    assert "Then run the same again: it finishes what was begun. It said: " in message
    assert len(message.splitlines()) == 1


def test_other_errors_of_a_local_disk_pass_as_they_are() -> None:
    with pytest.raises(OSError, match="os error 130"), lake_faults(*LOCAL):
        raise OSError("Something else (os error 130)")


def test_a_landed_file_that_cannot_be_read_is_no_fault_of_the_lake() -> None:
    told = f"{LandedFileUnreadable.__name__}: Customer acme: a.json: Permission denied"
    with pytest.raises(SparkRuntimeException, match="Unreadable"), lake_faults(*LOCAL):
        raise SparkRuntimeException(told)


@pytest.mark.parametrize(
    ("sabotage", "mode", "told"),
    [
        (Sabotage("full disk", at=100), 0o755, "The disk is full"),
        (PLAIN_USER, 0o555, "This user may not read or write there."),
    ],
    ids=["full disk", "read-only folder"],
)
def test_a_claim_that_cannot_be_written_says_why_and_claims_nothing(
    tmp_path: Path, sabotage: Sabotage, mode: int, told: str
) -> None:
    uri = LakeLayout.of(str(tmp_path)).uri(BUILDS, "acme")
    pin(BUILDS, "acme", uri)
    for folder in (tmp_path / "acme" / "builds", tmp_path / "acme" / "builds" / "_delta_log"):
        folder.chmod(mode)
    with pytest.raises(LakeFault) as fault:
        done_under(sabotage, _claim_a_build, uri)
    assert str(fault.value).startswith(f"Customer acme, table builds ({uri}): {told}")
    (tmp_path / "acme" / "builds" / "_delta_log").chmod(0o755)
    assert pin(BUILDS, "acme", uri).look_up("select * from pinned") == []


def _claim_a_build(uri: str) -> None:
    numbers = dict.fromkeys(("build", "contract_version", "policy_version", "code_version"), 1)
    claim = {**numbers, "reason": "first", "claimed_at": NOON, "run_id": "run"}
    append_claim(pin(BUILDS, "acme", uri), [claim])
