"""A till's day: orders in bulk at a steady rate while cashiers search; the latencies of both, beside a quiet time's.

`python -m tests.bench.till_day [--seconds N] [--rate N] [--cashiers N] [--rows N]`. Granian with two workers as in the image,
a worker and a beat, all on this machine with those who ask; PostgreSQL is that of DATABASE_URL. There are `--rows` orders of
2,000 stores already. The cashiers search while no till speaks, and again while ten store systems sync, each when its batch is
due, whatever became of the last. Every fourth search is for an order that was synced a moment before, the others are evenly
drawn from all kinds, so more of them are broad than in a shop. Between two a cashier thinks for 2 to 6 seconds. The last line
is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from django.db import connection

from stores.search import indexes
from tests.bench.scratch import Scratch, become_the_bench, say, scratch
from tests.bench.search.scratch import fill
from tests.bench.till_day.cashiers import THINKING, Cashier, Search, Searching
from tests.bench.till_day.ground import JUST_SOLD, asked_by_one, open_stores, questions, sign_in, till_of
from tests.bench.till_day.tills import Answer, Telling, planned
from tests.faults.kills.rescues import percentile
from tests.faults.own_hub import FOLDER_OPTION

_STORES = 10
_WARM = 100
"""Orders of each till before the clock starts."""
_WARM_SECONDS, _WARM_THINKING = 6.0, (0.2, 0.6)
"""Some fifteen searches of each cashier: every thread of the web has prepared its statements by then."""
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def main() -> int:
    options = _read_options()
    if options.folder is None:
        become_the_bench("tests.bench.till_day")
    with scratch(options.folder) as place:
        result = _measure(place, options)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _measure(place: Scratch, options: argparse.Namespace) -> dict[str, Any]:
    fill(options.rows, say=say)
    stores = open_stores(_STORES)
    sales = _WARM + round(options.rate * options.seconds / _STORES)
    tills = [till_of(store, sales=sales) for store in stores]
    sessions = [sign_in(stores[number % _STORES], number) for number in range(options.cashiers)]
    known = questions(seed=options.seed)
    say(f"{indexes.warm():,} pages of indexes are in memory.")
    connection.close()
    _web, worker, _sweep, beat = place.fleet.hub()
    place.supervisor.start(place.web(workers=2, threads=8), worker, beat)
    port = place.fleet.web_port

    def searching(newest: Sequence[str], seed: str, **how: Any) -> Searching:
        cashiers = [
            Cashier(
                session=session,
                questions=asked_by_one(known, newest=newest, seed=f"{seed} {number}"),
                random=Random(f"{seed} {number}"),
            )
            for number, session in enumerate(sessions)
        ]
        return Searching(port, cashiers, **{"seconds": options.seconds, **how})

    opening = Telling(port, planned(tills, rate=_WARM * _STORES, seconds=1, batch=_WARM), connections=_STORES)
    opening.run()
    searching(opening.newest, f"{options.seed} warm", seconds=_WARM_SECONDS, thinking=_WARM_THINKING).run()
    say(f"{options.cashiers} cashiers, no tills.")
    quiet = searching(opening.newest, f"{options.seed} quiet")
    quiet.run()
    syncs = planned(tills, rate=options.rate, seconds=options.seconds, batch=options.batch)
    telling = Telling(port, syncs, connections=_STORES)
    telling.newest.extend(opening.newest)
    load = os.getloadavg()[0]
    say(f"{options.cashiers} cashiers, and {options.rate:,} orders a second; the machine's load is {load:.1f}.")
    busy = searching(telling.newest, f"{options.seed} busy")
    busy.start()
    took = telling.run()
    busy.join()
    return {
        **{name: getattr(options, name) for name in ("rows", "seconds", "rate", "batch", "cashiers")},
        "thinking_seconds": THINKING,
        "ingest": _ingest(telling.answers, took),
        "search": _beside(quiet.searches, busy.searches),
        "load_before": round(load, 2),
        "cores": os.cpu_count(),
        "postgresql": _settings(place.database),
    }


def _ingest(answers: Sequence[Answer], took: float) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    for answer in answers:
        outcomes.update(answer.outcomes)
    return {
        "orders_per_second": round(outcomes["created"] / took),
        "requests_ms": _ms([answer.seconds for answer in answers]),
        "answers": Counter(answer.code for answer in answers),
        "outcomes": outcomes,
    }


def _beside(quiet: Sequence[Search], busy: Sequence[Search]) -> dict[str, Any]:
    told = {"quiet": _searches(quiet), "busy": _searches(busy)}
    calm, pressed = (each["ms"] for each in told.values())
    _show_kinds(quiet, busy)
    return {**told, "ratio": {share: round(pressed[share] / calm[share], 2) for share in _SHARES}}


def _searches(searches: Sequence[Search]) -> dict[str, Any]:
    sold = [search.is_found for search in searches if search.kind == JUST_SOLD]
    return {
        "ms": _ms([search.seconds for search in searches]),
        "page_ms": _ms([search.page_seconds for search in searches]),
        "answers": Counter(search.code for search in searches),
        "searches": len(searches),
        "just_sold": {"asked": len(sold), "found": sum(sold)},
    }


def _show_kinds(quiet: Sequence[Search], busy: Sequence[Search]) -> None:
    say(f"\n{'ms':28}{'quiet p50':>10}{'longest':>9}{'busy p50':>10}{'longest':>9}  searches")
    for kind in sorted({search.kind for search in busy}):
        times = [[search.seconds for search in searches if search.kind == kind] for searches in (quiet, busy)]
        cells = "".join(f"{_ms(each)['p50']:>10}{1000 * max(each, default=0):>9.1f}" for each in times)
        say(f"{kind:28}{cells}  {len(times[1])}")


def _ms(seconds: Sequence[float]) -> dict[str, float]:
    return {name: round(1000 * percentile(seconds, share), 1) for name, share in _SHARES.items()}


def _settings(database: str) -> dict[str, str]:
    names = ("server_version", "fsync", "shared_buffers")
    with psycopg.connect(database) as bare:
        rows = bare.execute("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(names)])
        return dict(rows.fetchall())


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.till_day", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of each half (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=5_000, help="orders a second, of all tills (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=1_000, help="orders a request (default: %(default)s)")
    parser.add_argument("--cashiers", type=int, default=20, help="who search (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="orders there are already (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the questions (default: %(default)s)")
    parser.add_argument(FOLDER_OPTION, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
