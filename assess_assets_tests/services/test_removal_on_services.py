"""`assess customers remove` of a lake on HDFS, as its ordinary user; and while there is a topic."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from assess_assets.cli.app import app
from assess_assets.platform.errors import ServiceFailed
from assess_assets.platform.hdfs import Hdfs
from assess_assets.storage.removal import Removal
from assess_assets_tests.conftest import ENGINE, Platform
from assess_assets_tests.deliveries import lines, message
from assess_assets_tests.services.hdfs_lakes import everything_in, platform_on
from assess_assets_tests.services.topics import Topic

pytestmark = pytest.mark.services


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ASSESS_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("ASSESS_SPARK", ENGINE)
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def deployed(
    hdfs: Hdfs,
    home: dg.DagsterInstance,
    spark: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Platform:
    """acme and globex, with every table, on HDFS."""
    platform = platform_on(hdfs, tmp_path, home)
    monkeypatch.setenv("ASSESS_LAKE", platform.settings.lake)
    monkeypatch.setenv("ASSESS_WEBHDFS", str(platform.settings.webhdfs))
    for customer in ("acme", "globex"):
        platform.land(customer, "a.ndjson", lines(message("a"), message("b")))
    assert platform.materialize_range("acme", "globex").success
    shutil.rmtree(platform.settings.landing)
    return platform


def remove(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["customers", "remove", *arguments, "--yes"])


class Killed(BaseException):
    """What no code catches, as of a process that is gone."""


def test_a_customers_folder_on_hdfs_is_moved_away_whole_and_deleted_and_no_other(
    hdfs: Hdfs, deployed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = urlsplit(deployed.settings.lake).path
    globex, acme = (everything_in(hdfs, f"{lake}/{name}") for name in ("globex", "acme"))
    real, calls = Removal.delete_leftovers, 0

    def killed(removal: Removal, customer: str) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Killed
        return real(removal, customer)

    with monkeypatch.context() as patch:
        patch.setattr(Removal, "delete_leftovers", killed)
        with pytest.raises(Killed):
            CliRunner().invoke(app, ["customers", "remove", "acme", "--yes"])
    removed = f"{lake}/_platform/removed"
    (name,) = (one["pathSuffix"] for one in listed(hdfs, removed))
    assert len(everything_in(hdfs, f"{removed}/{name}")) == len(acme)
    for user in ("ann", "gil"):  # ann is of acme
        for path in (f"{lake}/_platform", removed, f"{removed}/{name}/assessments"):
            with pytest.raises(ServiceFailed, match="AccessControlException"):
                hdfs.ask("GET", path, "LISTSTATUS", user=user)
    told = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    (finding,) = (one for one in told if one["subject"] == "removals")
    assert finding["fix"] == "assess customers remove acme"

    result = remove("acme")
    assert result.exit_code == 0, result.output
    assert listed(hdfs, removed) == []
    assert {one["pathSuffix"] for one in listed(hdfs, lake)} == {"globex", "_platform"}
    assert everything_in(hdfs, f"{lake}/globex") == globex
    assert [row["customer"] for row in deployed.rows("customer_overview", "globex")] == ["globex"]
    assert deployed.instance.get_dynamic_partitions("customers") == ["globex"]

    deployed.land("acme", "a.ndjson", lines(message("a"), message("b")))
    assert deployed.materialize("acme").success
    assert len(deployed.rows("raw_messages", "acme")) == 2


def test_where_no_run_has_made_the_operators_folder_it_is_made_closed(
    hdfs: Hdfs, deployed: Platform
) -> None:
    lake = urlsplit(deployed.settings.lake).path
    hdfs.ask("DELETE", f"{lake}/_platform", "DELETE", recursive="true")
    assert remove("acme").exit_code == 0
    modes = {one["pathSuffix"]: one["permission"] for one in listed(hdfs, lake)}
    assert modes["_platform"] == "750"
    (within,) = listed(hdfs, f"{lake}/_platform")
    assert (within["pathSuffix"], within["permission"]) == ("removed", "700")
    deployed.land("globex", "b.ndjson", lines(message("c")))
    assert deployed.materialize("globex").success


def test_without_webhdfs_the_operator_deletes_the_folder_and_the_command_the_rest(
    hdfs: Hdfs, deployed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = urlsplit(deployed.settings.lake).path
    before = everything_in(hdfs, lake)
    folder = f"{deployed.settings.lake}/acme"
    for webhdfs in ("off", ""):
        monkeypatch.setenv("ASSESS_WEBHDFS", webhdfs)
        result = remove("acme")
        assert result.exit_code == 1
        assert f"hdfs dfs -mv {folder} {folder}.removed; " in result.stderr
        assert f"hdfs dfs -rm -r -skipTrash {folder}.removed; " in result.stderr
        assert everything_in(hdfs, lake) == before
    assert deployed.instance.has_dynamic_partition("customers", "acme")
    hdfs.ask("PUT", f"{lake}/acme", "RENAME", destination=f"{lake}/acme.removed")
    hdfs.ask("DELETE", f"{lake}/acme.removed", "DELETE", recursive="true")
    result = remove("acme")
    assert result.exit_code == 0, result.output
    assert [row["customer"] for row in deployed.rows("customer_overview", "globex")] == ["globex"]
    assert not deployed.instance.has_dynamic_partition("customers", "acme")


def test_what_hdfs_refuses_is_told_and_the_same_command_finishes(
    hdfs: Hdfs, deployed: Platform
) -> None:
    hdfs.admin("-safemode", "enter")
    try:
        result = remove("acme")
    finally:
        hdfs.admin("-safemode", "leave")
    assert result.exit_code == 1
    assert "/acme could not be looked at, moved or deleted as user 'platform' " in result.stderr
    assert "SafeModeException" in result.stderr
    assert remove("acme").exit_code == 0


def test_while_a_customer_has_a_topic_it_is_not_removed(
    topic: Topic, home: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_KAFKA", topic.broker.bootstrap_servers)
    home.add_dynamic_partitions("customers", [topic.customer])
    result = remove(topic.customer)
    assert result.exit_code == 1
    assert f"Customer {topic.customer} would come back by its topic. Nothing was" in result.stderr
    assert (
        f"kafka-topics.sh --bootstrap-server {topic.broker.bootstrap_servers} --delete --topic "
        f"{topic.name}\n"
    ) in result.stderr
    assert home.has_dynamic_partition("customers", topic.customer)
    topic.delete()
    assert remove(topic.customer).exit_code == 0
    assert not home.has_dynamic_partition("customers", topic.customer)


def test_whether_an_unreachable_broker_matters_is_left_to_the_user(
    home: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSESS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ASSESS_KAFKA", "127.0.0.1:9")
    home.add_dynamic_partitions("customers", ["acme"])
    result = remove("acme")
    assert result.exit_code == 1
    assert "the broker is gone for good: the same without ASSESS_KAFKA." in result.stderr
    assert home.has_dynamic_partition("customers", "acme")
    monkeypatch.delenv("ASSESS_KAFKA")
    assert remove("acme").exit_code == 0


def listed(hdfs: Hdfs, path: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = hdfs.ask("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]
    return found
