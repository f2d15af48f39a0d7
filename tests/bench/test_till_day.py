"""The benchmark of a till's day runs, every order arrives and what was just sold is found; how fast, it says itself."""

import pytest

from tests.bench.running import told_by


@pytest.mark.processes
def test_it_measures() -> None:
    options = ("--seconds", "4", "--rate", "100", "--batch", "20", "--cashiers", "4", "--rows", "3000")
    told = told_by("till_day", *options)
    assert told["ingest"]["answers"] == {"200": 20}
    assert told["ingest"]["outcomes"] == {"created": 400}
    for half in ("quiet", "busy"):
        sold = told["search"][half]["just_sold"]
        assert sold["asked"] == sold["found"] > 0
