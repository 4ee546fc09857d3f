"""Programs that tests run in processes of their own, as a process has one engine."""

import os
import subprocess
import sys
from pathlib import Path


def printed_by(program: str | None, *arguments: str) -> str:
    """What the program (a file of these tests) prints, run from this checkout; it must succeed."""
    root = Path(__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, str(program), *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-5000:]
    return ran.stdout
