"""docker-compose.yml can't be run here: held to its specification, and to what the code reads.

The schema is the Compose Specification's own, as check-jsonschema ships it.
"""

import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner, Result

from assess_assets.platform import hdfs, kafka, spark
from assess_assets.platform.artifacts import pinned
from assess_assets.platform.services import Services
from assess_assets.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
INSTANCE = ROOT / "assess_assets" / "cli" / "dagster.yaml"
PIPELINE = ("code", "webserver", "daemon")
NOT_SETTINGS_YET: set[str] = set()


def validate(file: Path) -> Result:
    return CliRunner().invoke(
        check_jsonschema, ["--builtin-schema", "vendor.compose-spec", str(file)]
    )


def test_it_is_valid_by_the_compose_specification(tmp_path: Path) -> None:
    assert validate(ROOT / "docker-compose.yml").exit_code == 0
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text(TEXT.replace("healthcheck:", "healthchek:", 1))
    assert "'healthchek' was unexpected" in validate(misspelt).output


def test_every_service_has_an_image_or_is_built() -> None:
    for name, service in SERVICES.items():
        assert "image" in service or "build" in service, name


def test_an_image_that_no_registry_has_is_built_by_exactly_one_service() -> None:
    """Two builds of one tag run side by side, and the second to end fails."""
    builds = Counter(service["image"] for service in SERVICES.values() if "build" in service)
    local = {service["image"] for service in SERVICES.values()} - _published()
    assert builds == dict.fromkeys(local, 1)
    for name, service in SERVICES.items():
        if service["image"] in local and "build" not in service:
            assert service["pull_policy"] == "never", name


def _published() -> set[str]:
    """Images with a version: a registry has them."""
    images = {service["image"] for service in SERVICES.values()}
    return {image for image in images if re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?", image)}


def test_images_are_pinned_and_of_the_versions_that_are_tested() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert images - _published() == {"assess_assets:local"}
    tested = {one.name: one.version for one in pinned()}
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{tested['kafka_2.13']}"
    for name in ("namenode", "datanode", "datanode-2", "lake"):
        version = tested["hadoop-client-minicluster"]
        assert SERVICES[name]["image"] == f"apache/hadoop:{version}", name


def test_every_service_is_watched_and_on_the_one_network() -> None:
    for name, service in SERVICES.items():
        assert service["networks"] == ["lakehouse"], name
        assert ("healthcheck" in service) != (name == "lake"), name
        for other, how in service.get("depends_on", {}).items():
            ends = how["condition"] == "service_completed_successfully"
            assert ends == (other == "lake"), f"{name} waits for {other}"


def test_a_service_that_is_ready_is_asked_seldom_and_by_a_program_that_starts_soon() -> None:
    """A JVM every ten seconds costs more than the service that it asks."""
    light = {"bash", "python", "pg_isready"}
    for name, service in SERVICES.items():
        if name == "lake":
            continue
        check = service["healthcheck"]
        assert check["interval"] == "30s", name
        assert (check["start_period"], check["start_interval"]) == ("5m", "3s"), name
        dagster = check["test"][1] in {"dagster", "dagster-daemon"}
        assert dagster or check["test"][1] in light, name
        assert check["timeout"] == ("30s" if dagster else "10s"), name


def test_a_socket_that_is_asked_is_the_services_own() -> None:
    """Or the NameNode's, for its DataNodes."""
    for name, service in SERVICES.items():
        asked = re.findall(r"/dev/tcp/([\w-]+)/(\d+)", str(service.get("healthcheck")))
        for host, port in asked:
            assert host in {name, "localhost", "namenode"}, f"{name} asks {host}"
            own = service if host == "localhost" else SERVICES[host]
            told = f"{own.get('command')} {own.get('environment')} {own.get('ports')}"
            assert re.search(rf"\b{port}\b", told), f"{host} says nothing of port {port}"
            assert host in {own["hostname"], "localhost"}


def test_ports_are_published_on_loopback_only() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), name


def test_the_mounted_files_are_those_that_the_services_here_run_with() -> None:
    mounted = {
        (ROOT / volume.split(":")[0]).resolve()
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    }
    conf = {hdfs.SETTINGS / "core-site.xml", hdfs.SETTINGS / "hdfs-site.xml"}
    assert mounted == conf | {kafka.SETTINGS, spark.SETTINGS}
    assert all(path.is_file() for path in mounted)
    assert set(hdfs.SETTINGS.iterdir()) == mounted


def test_every_named_volume_is_declared_and_used() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith("./")
    }
    assert used == set(COMPOSE["volumes"])


def test_what_reads_landed_files_has_their_volume() -> None:
    """Dagster's default launcher executes a run beside the code's server, not in the daemon."""
    assert _with("landing:/data/landing") == ["spark-worker", "spark-connect", "code"]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """What Dagster makes of our dagster.yaml."""
    home = tmp_path_factory.mktemp("home")
    shutil.copy(INSTANCE, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        with dg.DagsterInstance.get() as opened:
            yield opened


def test_the_webserver_shows_what_a_run_printed(instance: dg.DagsterInstance) -> None:
    told = instance.get_ref().compute_logs_data.config_dict["base_dir"]
    assert "DAGSTER_HOME=/opt/dagster\n" in DOCKERFILE
    written = Path("/opt/dagster") / Path(told).relative_to(instance.root_directory)
    assert _with(f"dagster:{written}") == ["code", "webserver"]


def _with(volume: str) -> list[str]:
    return [name for name, service in SERVICES.items() if volume in service.get("volumes", [])]


@pytest.mark.parametrize("name", PIPELINE)
def test_the_pipeline_is_told_what_it_reads_at_the_addresses_that_are_served(name: str) -> None:
    told = SERVICES[name]["environment"]
    known = {f"ASSESS_{field}".upper() for field in Settings.model_fields} | NOT_SETTINGS_YET
    ours = {variable for variable in told if variable.startswith("ASSESS_")}
    services = {"ASSESS_LAKE", "ASSESS_WEBHDFS", "ASSESS_SPARK", "ASSESS_KAFKA"}
    assert ours == services | {"ASSESS_LANDING"}
    assert ours <= known
    namenode = SERVICES["namenode"]["environment"]
    assert told["ASSESS_LAKE"] == f"hdfs://{namenode['HDFS_NAMENODE']}/lake"
    assert told["ASSESS_WEBHDFS"] == f"http://{namenode['HDFS_NAMENODE_HTTP']}"
    assert told["HADOOP_USER_NAME"] == hdfs.PLATFORM_USER
    host, port = told["ASSESS_SPARK"].removeprefix("sc://").split(":")
    assert f"spark.connect.grpc.binding.port={port}" in SERVICES[host]["command"]
    served = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert f"PLAINTEXT://{told['ASSESS_KAFKA']}" in served
    database = SERVICES[told["DAGSTER_POSTGRES_HOST"]]["environment"]
    assert database["POSTGRES_USER"] == told["DAGSTER_POSTGRES_USER"]
    assert database["POSTGRES_PASSWORD"] == told["DAGSTER_POSTGRES_PASSWORD"]
    assert database["POSTGRES_DB"] == told["DAGSTER_POSTGRES_DB"]


def test_hdfs_gets_every_variable_that_its_files_name(tmp_path: Path) -> None:
    files = [hdfs.SETTINGS / name for name in ("core-site.xml", "hdfs-site.xml")]
    named = {name for file in files for name in re.findall(r"\$\{env\.(\w+)\}", file.read_text())}
    here = hdfs.Hdfs(tmp_path).namenode.environment
    for name in ("namenode", "datanode", "lake"):
        assert named <= set(SERVICES[name]["environment"])
    assert named <= set(here)


def test_kafka_gets_every_address_that_a_broker_here_gets(tmp_path: Path) -> None:
    """KAFKA_LOG_DIRS is log.dirs, as the image reads it."""
    added = [line.split("=")[0] for line in kafka.KafkaBroker(tmp_path).addresses().splitlines()]
    environment = set(SERVICES["kafka"]["environment"])
    assert {f"KAFKA_{name.upper().replace('.', '_')}" for name in added} <= environment
    voters = SERVICES["kafka"]["environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"]
    assert voters == "1@kafka:9093"
    assert "CONTROLLER://kafka:9093" in SERVICES["kafka"]["environment"]["KAFKA_LISTENERS"]


def test_spark_runs_the_same_programs_as_here(tmp_path: Path) -> None:
    cluster = spark.Spark(tmp_path)
    for name, service in {"spark-master": cluster.master, "spark-worker": cluster.worker}.items():
        ours = next(word for word in service.command() if word.startswith("org.apache.spark"))
        assert ours in shlex.split(SERVICES[name]["command"])
    connect = shlex.split(SERVICES["spark-connect"]["command"])
    assert "org.apache.spark.sql.connect.service.SparkConnectServer" in connect
    master = SERVICES["spark-master"]["command"]
    assert "--host spark-master --port 7077" in master
    assert "spark://spark-master:7077" in connect
    assert "spark://spark-master:7077" in SERVICES["spark-worker"]["command"]


def test_dagster_has_our_instance_and_asks_the_code_location() -> None:
    folder = ROOT / "deploy" / "docker"
    (location,) = yaml.safe_load((folder / "workspace.yaml").read_text())["load_from"]
    assert f"--port {location['grpc_server']['port']} " in SERVICES["code"]["command"]
    assert location["grpc_server"]["host"] in SERVICES
    there, here = (folder / "dagster.yaml").read_text(), INSTANCE.read_text()
    for name in ("code", "webserver", "daemon"):
        assert set(re.findall(r"env: (\w+)", there)) <= set(SERVICES[name]["environment"])
    assert here.startswith("# Dagster's instance")
    (storage, settings), (postgres, same) = (text.split("nux:\n") for text in (here, there))
    assert settings == same
    assert set(yaml.safe_load(storage)["storage"]) == {"custom"}
    assert set(yaml.safe_load(postgres)) == {"storage"}
    assert set(yaml.safe_load(postgres)["storage"]) == {"postgres"}


def test_a_run_whose_process_died_is_given_up_some_day(instance: dg.DagsterInstance) -> None:
    """Else it is "started" for ever, and its customer's next run waits for it."""
    assert "MONITORING" in instance.get_required_daemon_types()
    assert not instance.run_launcher.supports_check_run_worker_health
    assert instance.run_monitoring_max_runtime_seconds == 86_400


def test_what_was_never_started_is_not_made_by_looking(tmp_path: Path) -> None:
    services = Services(tmp_path / "none")
    assert services.status() == []
    assert services.environment() == {}
    assert services.down() == []
    assert not (tmp_path / "none").exists()
