"""A few schedules of the simulation with every run of the tests, and every seed that once failed."""

import pytest

from tests.faults.schedules.memory.play import run as run_in_memory
from tests.faults.schedules.running import run
from tests.faults.schedules.seeds import KEPT, KEPT_IN_MEMORY
from tests.faults.schedules.tally import Tally

COUNT = 25
IN_MEMORY = 4_000


@pytest.mark.django_db(transaction=True)
def test_no_schedule_breaks_an_invariant() -> None:
    tally = run(range(1, COUNT + 1))
    assert tally.failed == {}
    assert tally.schedules == COUNT
    assert tally.floors["crashes or stalls"] >= COUNT
    assert tally.floors["unresolved sends"] >= COUNT // 2


@pytest.mark.django_db(transaction=True)
def test_no_seed_that_once_failed_fails_again() -> None:
    assert run(KEPT).failed == {}


def test_no_schedule_in_memory_breaks_an_invariant() -> None:
    tally = run_in_memory(range(1, IN_MEMORY + 1))
    assert (tally.failed, tally.vacuous) == ({}, [])
    assert run_in_memory(KEPT_IN_MEMORY).failed == {}


def test_a_run_in_which_too_little_went_wrong_says_so() -> None:
    calm = Tally(schedules=1_000)
    calm.faults.update({"crash before call": 2_000, "stall before call": 1_000, "unresolved send": 600})
    assert calm.vacuous == ["restores"]
    assert Tally(schedules=999).vacuous == []


def test_a_tally_survives_the_way_between_two_processes() -> None:
    tally = Tally(schedules=2, refunds=3, failed={7: ["I1: twice"]})
    tally.faults["restore"] += 1
    assert Tally.read(tally.written()) == tally
