"""Looks at pages: one after the other with a bare view between, or everybody at once, each at her own pace."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from itertools import cycle, islice
from random import Random

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.desk.browser import Browser, Seen
from tests.bench.desk.visits import BARE, Ground, as_cashiers_do, one_by_one
from tests.bench.till_day.cashiers import THINKING

_WARM = 5
_BARE_EVERY = 0.2
_ROUNDS_COUNTED = 3
_CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "SET LOCAL")


def look_alone(browsers: Sequence[Browser], ground: Ground, *, samples: int) -> list[Seen]:
    """Every page so often, each round by the next cashier."""
    rounds = islice(zip(cycle(browsers), one_by_one(ground), strict=False), _WARM + samples)
    seen: list[list[Seen]] = []
    for browser, visits in rounds:
        seen.append([browser.open(each) for visit in visits for each in (visit, BARE)])
    return [look for each in seen[_WARM:] for look in each]


def look_together(browsers: Sequence[Browser], nobody: Browser, ground: Ground, *, seconds: float, seed: int) -> list[Seen]:
    """Until the time is up, and the last answers have come; `nobody` looks at the bare view all the while."""
    seen: list[Seen] = []
    until = time.monotonic() + seconds

    def work(browser: Browser, random: Random) -> None:
        visits = as_cashiers_do(ground, random)
        time.sleep(random.uniform(0, THINKING[1]))
        while time.monotonic() < until:
            seen.append(browser.open(next(visits)))
            time.sleep(random.uniform(*THINKING))

    def look_at_the_bare() -> None:
        while time.monotonic() < until:
            seen.append(nobody.open(BARE))
            time.sleep(_BARE_EVERY)

    threads = [threading.Thread(target=work, args=(it, Random(f"{seed} {n}"))) for n, it in enumerate(browsers)]
    threads.append(threading.Thread(target=look_at_the_bare))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def count_queries(ground: Ground, session: str) -> dict[str, int]:
    """The most statements of each page; of a search with its stages, and with those of the order that it leads to."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    most: dict[str, int] = {}
    logging.disable(logging.INFO)
    for visits in islice(one_by_one(ground), _ROUNDS_COUNTED):
        for visit in visits:
            with CaptureQueriesContext(connection) as captured:
                if visit.fields is None:
                    client.get(visit.path, follow=True)
                else:
                    client.post(visit.path, visit.fields)
            asked = sum(not query["sql"].startswith(_CONTROL) for query in captured.captured_queries)
            most[visit.page] = max(most.get(visit.page, 0), asked)
    logging.disable(logging.NOTSET)
    return most
