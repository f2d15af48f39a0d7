"""The benchmark of the desk runs, every page is what it should be and asks little; how fast they are, it says itself."""

import pytest

from tests.bench.running import told_by


@pytest.mark.processes
def test_it_measures() -> None:
    told = told_by("desk", "--rows", "3000", "--people", "4", "--samples", "3", "--seconds", "5")
    assert told["wrong"] == 0
    assert told["alone"]["order"]["looks"] == told["alone"]["confirm"]["looks"] == 3
    assert told["alone"]["bare"]["ratio"]["p50"] == 1.0
    assert told["together"]["search"]["looks"] > 0
    assert max(told["queries"][page] for page in ("start", "order", "confirm")) <= 8
