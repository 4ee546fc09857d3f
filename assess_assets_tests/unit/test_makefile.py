"""make, in a folder of any name: what it removes is the demo's, and nothing of the neighbours'.

Belongs here: recipes run in a copy of the checkout's Makefile. No .venv is made, no engine started.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
ODD = "a b/it's c$d"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with spaces in its path, and with neighbours whose names are its path's words."""
    folder = tmp_path / ODD
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(MAKEFILE, folder)
    (folder / "demo").mkdir()
    (tmp_path / "a").mkdir()
    return folder


def _make(checkout: Path, *arguments: str) -> str:
    """Run make as a user's shell does: below `make test`, it would be told what that was asked."""
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
    done = subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env={name: value for name, value in os.environ.items() if name not in outer},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_clean_demo_removes_the_demo_and_nothing_of_the_neighbours(
    checkout: Path, tmp_path: Path
) -> None:
    _make(checkout, "clean-demo")
    assert not (checkout / "demo").exists()
    assert (tmp_path / "a").is_dir()


def test_the_demo_lies_in_its_checkout_whatever_the_folder_is_called(checkout: Path) -> None:
    for needed in ("requirements.lock", "pyproject.toml", ".venv/.ready"):
        (checkout / needed).touch()
    assess = checkout / ".venv" / "bin" / "assess"
    assess.write_text('#!/bin/sh\necho "$1:$DAGSTER_HOME:$ASSESS_LAKE:$ASSESS_LANDING"\n')
    assess.chmod(0o755)
    demo = checkout / "demo"
    told = f"demo:{demo / 'dagster_home'}:{demo / 'lake'}:{demo / 'landing'}"
    assert _make(checkout, "demo").strip() == told
