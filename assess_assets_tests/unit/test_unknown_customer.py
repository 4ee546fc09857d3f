"""A customer that Dagster does not know: its commands say so, and what to do.

Belongs here: what `customers.CUSTOMERS` changes of Dagster's own partitions definition. Does not:
keys as such (`test_customer_names`), and customers that are known and have nothing.
"""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assess_assets.customers import CUSTOMERS

UNREGISTERED = (
    "Error: Customer nobody is not registered in this Dagster instance, so nothing was run. "
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME that knows acme."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.add_dynamic_partitions("customers", ["acme"])
    return folder


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--partition", "nobody"), UNREGISTERED),
        (("--partition-range", "acme...nobody"), UNREGISTERED),
        (("--partition", "Acme"), "Error: 'Acme' is not a customer key: "),
    ],
)
def test_dagsters_command_names_an_unknown_customer_and_what_to_do(
    home: Path, tmp_path: Path, asked: tuple[str, str], told: str
) -> None:
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "*"]
    lake = tmp_path / "lake"
    done = subprocess.run(
        [*command, "-m", "assess_assets.definitions", *asked],
        env={**os.environ, "DAGSTER_HOME": str(home), "ASSESS_LAKE": str(lake)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert told in done.stderr
    assert "`assess customers` lists " in done.stderr
    assert "Traceback" not in done.stderr
    assert not lake.exists()


def test_dagsters_processes_that_know_its_own_class_alone_understand_ours() -> None:
    """The UI and the daemon rebuild the definition from a snapshot."""
    dagsters = dg.DynamicPartitionsDefinition(name="customers")
    assert dagsters == CUSTOMERS
    assert hash(dagsters) == hash(CUSTOMERS)
    stored = CUSTOMERS.subset_with_partition_keys(["acme"]).serialize()
    for one in (CUSTOMERS, dagsters):
        assert one.can_deserialize_subset(stored, None, type(CUSTOMERS).__name__)
        assert one.can_deserialize_subset(stored, None, type(dagsters).__name__)
