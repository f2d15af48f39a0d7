"""How long the desk's pages take, beside a bare view of the same server, and how often each asks the database.

`python -m tests.bench.desk [--rows N] [--people N] [--samples N] [--seconds N] [--database NAME]`. Among `--rows` orders of
2,000 stores, or those of a database that `tests.bench.search --keep` left on the server of DATABASE_URL, so many cashiers are
signed in; each has refunds under way. Granian has two workers as in the image, and shares this machine with those who ask.
First one page after the other and a bare view between, so often as `--samples` says: the time of the server. Then everybody
at once for `--seconds`, each at her own pace: she starts, searches, opens an order, comes to the confirmation, and looks at
each for 2 to 6 seconds. A search counts from Enter until all of its answer is there, and of the order that it leads to. Fails
where a page was not what it should be. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.db import connection

from stores.models import Company, Order, Store
from stores.search import indexes
from tests.bench.desk.browser import Browser, Seen
from tests.bench.desk.ground import complete, served, sign_in
from tests.bench.desk.looking import count_queries, look_alone, look_together
from tests.bench.desk.visits import BARE, PAGES, SEARCHES, Ground, drawn_ground
from tests.bench.scratch import Scratch, become_the_bench, say, scratch
from tests.bench.search.scratch import fill
from tests.bench.till_day.cashiers import THINKING
from tests.faults.kills.rescues import percentile
from tests.faults.own_hub import FOLDER_OPTION

GOAL_MS = 150
"""From Enter to results at the 95th percentile, with everybody at work."""
_SHARES = {"p50": 0.5, "p95": 0.95}
_UNDER_WAY = 2
_SEARCH = "search"
"""All kinds together."""


def main() -> int:
    options = _read_options()
    if options.folder is None:
        become_the_bench("tests.bench.desk", kept=options.database)
    with scratch(options.folder) as place:
        result = _measure(place, options)
    sys.stdout.write(json.dumps(result) + "\n")
    return 1 if result["wrong"] else 0


def _measure(place: Scratch, options: argparse.Namespace) -> dict[str, Any]:
    if not options.database:
        fill(options.rows, say=say)
    complete(Company.objects.get())
    ground = drawn_ground(options.samples, under_way=_UNDER_WAY * options.people, seed=options.seed)
    sessions = _sign_in_all(ground, options.people)
    say(f"{indexes.warm():,} pages of indexes are in memory.")
    processes = served(place)
    queries = count_queries(ground, sessions[0])
    rows = Order.objects.count()
    connection.close()
    place.supervisor.start(*processes)
    browsers = [Browser(place.fleet.web_port, session=session) for session in sessions]
    load = os.getloadavg()[0]
    say(f"One page after the other; the machine's load is {load:.1f}.")
    alone = look_alone(browsers, ground, samples=options.samples)
    say(f"{options.people} cashiers at once.")
    nobody = Browser(place.fleet.web_port, session="")
    together = look_together(browsers, nobody, ground, seconds=options.seconds, seed=options.seed)
    told = {"alone": _told(alone), "together": _told(together)}
    for name, pages in told.items():
        _show(name, pages, queries)
    return {
        **told,
        "queries": queries,
        "goal_ms": GOAL_MS,
        "met": told["together"][_SEARCH]["ms"]["p95"] < GOAL_MS,
        "wrong": sum(seen.status != HTTPStatus.OK for seen in (*alone, *together)),
        "rows": rows,
        "people": options.people,
        "thinking_seconds": THINKING,
        "load_before": round(load, 2),
        "cores": os.cpu_count(),
    }


def _sign_in_all(ground: Ground, people: int) -> list[str]:
    stores, orders = list(Store.objects.order_by("pk")[:people]), iter(ground.under_way)
    return [sign_in(number, store, [next(orders) for _ in range(_UNDER_WAY)]) for number, store in enumerate(stores)]


def _told(looks: Sequence[Seen]) -> dict[str, dict[str, Any]]:
    """By page: milliseconds, and how often that is the median of the bare view of the same time."""
    seconds: dict[str, list[float]] = {page: [] for page in (BARE.page, _SEARCH, *PAGES)}
    for look in looks:
        seconds[look.page].append(look.seconds)
        if look.page in SEARCHES:
            seconds[_SEARCH].append(look.seconds)
    floor = percentile(seconds[BARE.page], 0.5)
    return {
        page: {
            "ms": {name: round(1000 * percentile(each, share), 1) for name, share in _SHARES.items()},
            "ratio": {name: round(percentile(each, share) / floor, 1) for name, share in _SHARES.items()},
            "looks": len(each),
        }
        for page, each in seconds.items()
        if each
    }


def _show(name: str, pages: Mapping[str, Mapping[str, Any]], queries: Mapping[str, int]) -> None:
    say(f"\n{name:32}{'ms p50':>9}{'p95':>8}{'ratio p50':>11}{'p95':>8}{'looks':>7}{'queries':>9}")
    for page, told in pages.items():
        figures = f"{told['ms']['p50']:>9}{told['ms']['p95']:>8}{told['ratio']['p50']:>11}{told['ratio']['p95']:>8}"
        say(f"{page:32}{figures}{told['looks']:>7}{queries.get(page, ''):>9}")


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.desk", description=__doc__)
    parser.add_argument("--people", type=int, default=20, help="cashiers (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=100, help="looks at each page, alone (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="of all at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of what is asked (default: %(default)s)")
    orders = parser.add_mutually_exclusive_group()
    orders.add_argument("--rows", type=int, default=200_000, help="orders to make (default: %(default)s)")
    orders.add_argument("--database", metavar="NAME", help="the orders of a database that was kept, which stays")
    parser.add_argument(FOLDER_OPTION, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
