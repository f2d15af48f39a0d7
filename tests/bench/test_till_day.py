"""The benchmark of a till's day runs, every order arrives and what was just sold is found; how fast, it says itself."""

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
            *(sys.executable, "-m", "tests.bench.till_day"),
            *("--seconds", "8", "--rate", "50", "--batch", "20", "--cashiers", "4", "--rows", "3000"),
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
    assert told["ingest"]["answers"] == {"200": 20}
    assert told["ingest"]["outcomes"] == {"created": 400}
    for half in ("quiet", "busy"):
        sold = told["search"][half]["just_sold"]
        assert sold["asked"] == sold["found"] > 0
