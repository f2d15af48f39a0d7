"""The benchmark of the simulator runs and counts right; how fast it is, it says itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.processes
def test_it_measures_and_every_refund_was_booked() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "tests.bench.simulator", "--seconds", "0.2"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    told = json.loads(outcome.stdout.splitlines()[-1])
    assert told["refunds"] == told["booked"] > 0
    assert told["wrong"] == 0
    assert min(told["bare_per_second"], told["refunds_per_second"]) > 0
