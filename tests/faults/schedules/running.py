"""Many schedules on one database, one after the other: the ground is laid anew now and then, and its trail proved."""

import time
from collections.abc import Iterable

from stores import audit
from tests.faults.schedules import database, ground
from tests.faults.schedules.ground import Ground
from tests.faults.schedules.schedule import Schedule
from tests.faults.schedules.tally import Tally

SCHEDULES_ON_ONE_GROUND = 100


def run(seeds: Iterable[int], *, minutes: float = float("inf")) -> Tally:
    """Play those seeds, or as many as there is time for. The database must be one that was made for tests: it is emptied."""
    ends_at = time.monotonic() + 60 * minutes
    lent = database.lent_connections()
    tally = Tally()
    laid: Ground | None = None
    played: list[int] = []
    try:
        for seed in seeds:
            if time.monotonic() > ends_at:
                break
            if laid is None or len(played) >= SCHEDULES_ON_ONE_GROUND:
                _prove(laid, played, tally)
                ground.clear()
                laid, played = ground.lay(), []
            one = Schedule(seed=seed, ground=laid, lent=lent).run()
            played.append(seed)
            tally.add(one)
            if one.failed:
                laid = None  # what it left behind must not trouble the next
        _prove(laid, played, tally)
    finally:
        lent.close()
    return tally


def _prove(laid: Ground | None, played: list[int], tally: Tally) -> None:
    """I8: the chains hold, over everything that these schedules wrote."""
    if laid is None:
        return
    bad = audit.verify(laid.company).bad
    if bad is not None:
        tally.violations["I8"] += 1
        tally.failed[played[0]] = [f"I8: the trail of seeds {played[0]} to {played[-1]}: {bad}"]
