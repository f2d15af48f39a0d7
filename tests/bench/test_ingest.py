"""The benchmark of ingest runs and every row arrives; how fast they do, it says itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.processes
def test_it_measures() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "tests.bench.ingest", "--rounds", "1", "--before", "100", "--sizes", "100"],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    told = json.loads(outcome.stdout.splitlines()[-1])
    assert told["base"]["100"]["share_of_copy"] > 0
    assert min(told["peak_mib_per_10000_rows"].values()) > 0
