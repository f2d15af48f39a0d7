"""The timed walk comes to its end, with as many keystrokes as are aimed at; how long it takes, it says itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.browser
@pytest.mark.processes
def test_it_walks() -> None:
    if shutil.which("redis-server") is None or not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("needs redis-server and Chromium")
    outcome = subprocess.run(
        [sys.executable, "-m", "tests.bench.walk", "--rounds", "2"],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    told = json.loads(outcome.stdout.splitlines()[-1])
    assert [told[name]["keys"] for name in ("scanned", "chosen")] == [4, 6]
    assert list(told["chosen"]["legs"]) == ["results", "order", "confirm", "accepted", "refunded"]
