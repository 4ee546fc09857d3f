"""What went wrong while a table was written is told by who knows: the lake, or the source."""

import pytest
from pyspark.errors.exceptions.connect import SparkRuntimeException

from assess_assets.sources.kafka_errors import BrokerUnavailable
from assess_assets.storage.lake_faults import LakeFault, lake_faults

WHERE = ("acme", "raw_messages", "hdfs://here/lake/acme/raw_messages")
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
    local = lake_faults("acme", "raw_messages", "file:///lake/acme/raw_messages")
    with pytest.raises(OSError, match="Connection refused"), local:
        raise OSError(REFUSED)
