"""`assess services`: up is idempotent, status and env tell the truth, down leaves nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from assess_assets.platform.processes import started_at

pytestmark = pytest.mark.services


def assess(folder: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as a user runs it: what it starts outlives it."""
    program = "from assess_assets.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "services", command, "--folder", str(folder), *options],
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_services_go_up_once_and_down_whole(folder: Path) -> None:
    try:
        first = assess(folder, "up", "--only", "kafka,hdfs", "--user", "ann=acme")
        assert first.returncode == 0, first.stderr
        assert first.stdout.startswith("kafka: started\nhdfs: started\nReady after ")
        assert f"Logs: {folder}" in first.stdout
        told = json.loads(assess(folder, "status", "--json").stdout)
        assert [one["service"] for one in told["services"]] == [
            "kafka",
            "namenode",
            "datanode",
            "datanode-2",
        ]
        assert all(one["ready"] for one in told["services"])
        assert json.loads((folder / "services.json").read_text()) == told

        again = assess(folder, "up", "--only", "hdfs,kafka")
        assert again.stdout.startswith("kafka: was running\nhdfs: was running\nReady after ")
        assert json.loads(assess(folder, "status", "--json").stdout) == told

        exports = assess(folder, "env").stdout
        assert "export ASSESS_LAKE=hdfs://127.0.0.1:" in exports
        kafka = told["environment"]["ASSESS_KAFKA"]
        assert f"export ASSESS_KAFKA={kafka}\n" in exports
        assert AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=30).brokers
        os.kill(told["services"][2]["pid"], 9)
        seen = assess(folder, "status")
        assert seen.returncode == 1
        assert "down" in seen.stdout
    finally:
        down = assess(folder, "down")
    assert down.returncode == 0, down.stderr
    assert "kafka: stopped" in down.stdout
    assert "hdfs: stopped" in down.stdout
    for one in told["services"]:
        assert started_at(one["pid"]) is None
    empty = assess(folder, "env")
    assert (empty.returncode, empty.stdout) == (1, "")
    assert "No services run" in empty.stderr
    stopped = assess(folder, "status")
    assert (stopped.returncode, "Nothing runs." in stopped.stderr) == (0, True)
    assert assess(folder, "down").returncode == 0
