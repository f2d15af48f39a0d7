"""How a test starts a measurement: as somebody would, small, and to its end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]


def told_by(name: str, *options: str) -> dict[str, Any]:
    """The last line of `python -m tests.bench.NAME`, read. Raises AssertionError with what it said where it failed."""
    command = [sys.executable, "-m", f"tests.bench.{name}", *options]
    outcome = subprocess.run(
        command, cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, timeout=300, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    told: dict[str, Any] = json.loads(outcome.stdout.splitlines()[-1])
    return told
