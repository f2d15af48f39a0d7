"""The timed walk comes to its end, with as many keystrokes as are aimed at; how long it takes, it says itself."""

import shutil

import pytest

from tests.bench.running import told_by


@pytest.mark.browser
@pytest.mark.processes
def test_it_walks() -> None:
    if shutil.which("redis-server") is None or not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("needs redis-server and Chromium")
    told = told_by("walk", "--rounds", "2")
    assert [told[name]["keys"] for name in ("scanned", "chosen")] == [4, 6]
    assert list(told["chosen"]["legs"]) == ["results", "order", "confirm", "accepted", "refunded"]
