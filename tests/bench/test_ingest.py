"""The benchmark of ingest runs and every row arrives; how fast they do, it says itself."""

import pytest

from tests.bench.running import told_by


@pytest.mark.processes
def test_it_measures() -> None:
    told = told_by("ingest", "--rounds", "1", "--before", "100", "--sizes", "100")
    assert told["base"]["100"]["share_of_copy"] > 0
    assert min(told["peak_mib_per_10000_rows"].values()) > 0
