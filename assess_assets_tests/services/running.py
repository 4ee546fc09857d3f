"""A real service for as long as a fixture lives, and whatever it has started goes with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from assess_assets.platform.hdfs import PLATFORM_USER, Hdfs
from assess_assets.platform.kafka import KafkaBroker
from assess_assets.platform.spark import Spark

S = TypeVar("S", KafkaBroker, Hdfs, Spark)


@contextmanager
def running(service: S) -> Iterator[S]:
    """Stopped at the end, also if it did not start whole."""
    try:
        service.start()
        yield service
    finally:
        service.stop()


@contextmanager
def running_as_platform(cluster: Hdfs) -> Iterator[Hdfs]:
    """The same; this process is the platform's user to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HADOOP_USER_NAME", PLATFORM_USER)
        with running(cluster):
            yield cluster
