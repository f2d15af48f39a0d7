"""The benchmark of the desk runs, every page is what it should be and asks little; how fast they are, it says itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.processes
def test_it_measures() -> None:
    outcome = subprocess.run(
        [
            *(sys.executable, "-m", "tests.bench.desk"),
            *("--rows", "3000", "--people", "4", "--samples", "3", "--seconds", "10"),
        ],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    told = json.loads(outcome.stdout.splitlines()[-1])
    assert told["wrong"] == 0
    assert told["alone"]["order"]["looks"] == told["alone"]["confirm"]["looks"] == 3
    assert told["alone"]["bare"]["ratio"]["p50"] == 1.0
    assert told["together"]["search"]["looks"] > 0
    assert max(told["queries"][page] for page in ("start", "order", "confirm")) <= 8
