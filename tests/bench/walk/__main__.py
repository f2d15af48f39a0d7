"""A timed walk through the desk in a real browser, from a scan to "refunded", with Vipps MobilePay at 300 ms.

`python -m tests.bench.walk [--rounds N] [--latency SECONDS]`, with PostgreSQL, Redis, simulator, web, worker and sweep of its
own, and the machine's Chromium. Twice each round: a code that opens its order at once, and a part of a reference that several
orders have. Keystrokes count after the scan, which ends with an Enter of its own; seconds are the machine's, nobody thinks.
Fails where a walk did not come to its end. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import sync_playwright

from hq.demo.database import migrate
from hq.demo.supervisor import Supervisor
from stores import people
from stores.models import Order, Role, Store, User
from tests.bench.refunds.hub import BenchHub, laid_out, slow_down
from tests.bench.scratch import say
from tests.bench.walk.walking import LEGS, Walk, choose, scan
from tests.browser.conftest import FLAGS
from tests.faults.kills.goods import BY, open_shop
from tests.faults.own_hub import BASE, FOLDER_OPTION, become_the_hub, tear_down

MOST_KEYS = 6
GOAL_SECONDS = 3
_MOST_ROUNDS = 16
"""Each uses up one of the orders that a page of results shows."""
_REFUNDS_A_ROUND = 16
"""Eight stores share their orders, and each walk wants one that nobody has touched."""
_CHOSEN = "BGO-000"
_SCANNED_FROM = "TRD"
_STANDS_IN = "OSL"


def main() -> int:
    options = _read_options()
    if options.folder is None:
        become_the_hub("tests.bench.walk")
    bench = laid_out(os.environ, options.folder)
    try:
        with Supervisor(folder=BASE, var=options.folder, say=say) as supervisor:
            result = _measure(bench, supervisor, options)
    finally:
        tear_down(options.folder)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _measure(bench: BenchHub, supervisor: Supervisor, options: argparse.Namespace) -> dict[str, Any]:
    supervisor.start(bench.fleet.database())
    migrate()
    supervisor.start(bench.fleet.simulator(), bench.redis)
    open_shop(bench.fleet.simulator_url, refunds=_REFUNDS_A_ROUND * (options.rounds + 1), seed=1)
    session = _sign_in()
    scanned = list(Order.objects.filter(store__code=_SCANNED_FROM).order_by("pk").values_list("reference", flat=True))
    connection.close()
    supervisor.start(bench.web(), bench.sweep(), *bench.workers("worker", count=1, concurrency=16))
    slow_down(bench.fleet.simulator_url, options.latency)
    load = os.getloadavg()[0]
    say(f"{options.rounds} rounds; the machine's load is {load:.1f}.")
    walks = _walk(bench, session, scanned, rounds=options.rounds)
    told = {name: _told(each) for name, each in walks.items()}
    _show(told)
    return {
        **told,
        "goals": {"keys": MOST_KEYS, "seconds": GOAL_SECONDS},
        "met": all(each["keys"] <= MOST_KEYS and each["seconds"]["worst"] < GOAL_SECONDS for each in told.values()),
        "rounds": options.rounds,
        "latency": options.latency,
        "load_before": round(load, 2),
        "cores": os.cpu_count(),
    }


def _walk(bench: BenchHub, session: str, scanned: list[str], *, rounds: int) -> dict[str, list[Walk]]:
    walks: dict[str, list[Walk]] = {"scanned": [], "chosen": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        context = browser.new_context(viewport={"width": 1024, "height": 768}, locale="en-GB", base_url=bench.fleet.hub_url)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": bench.fleet.hub_url}])
        page = context.new_page()
        scan(page, scanned.pop())  # the first of all opens connections and fills caches
        for _ in range(rounds):
            walks["scanned"].append(scan(page, scanned.pop()))
            walks["chosen"].append(choose(page, _CHOSEN))
        browser.close()
    return walks


def _sign_in() -> str:
    """The key of a cashier's session in another store than those that sold."""
    person = User.objects.create(username="walker", first_name="Walker")
    people.join_store(person, Store.objects.get(code=_STANDS_IN), role=Role.CASHIER, by=BY)
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _chromium() -> str:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("There is no Chromium on this machine.")
    return path


def _told(walks: Sequence[Walk]) -> dict[str, Any]:
    legs = {name: [walk.legs[name] for walk in walks] for name in LEGS if name in walks[0].legs}
    return {
        "keys": max(walk.keys for walk in walks),
        "seconds": _spread([walk.seconds for walk in walks]),
        "legs": {name: _spread(each) for name, each in legs.items()},
    }


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return {"median": round(statistics.median(seconds), 3), "worst": round(max(seconds), 3)}


def _show(told: dict[str, dict[str, Any]]) -> None:
    for name, each in told.items():
        say(f"\n{name}: {each['keys']} keystrokes{'median':>20}{'worst':>9}")
        for leg, seconds in (*each["legs"].items(), ("all of it", each["seconds"])):
            say(f"  {leg:36}{seconds['median']:>8.3f}{seconds['worst']:>9.3f}")


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.walk", description=__doc__)
    parser.add_argument(
        "--rounds",
        type=int,
        default=10,
        choices=range(1, _MOST_ROUNDS + 1),
        metavar="N",
        help="of two walks each (default: %(default)s)",
    )
    parser.add_argument("--latency", type=float, default=0.3, help="of Vipps, seconds (default: %(default)s)")
    parser.add_argument(FOLDER_OPTION, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
