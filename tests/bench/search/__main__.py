"""How long searches take among N orders, as ratios to one look-up by primary key through psycopg in the same run.

`python -m tests.bench.search --rows N [--samples N] [--keep NAME] [--database NAME]`. Makes a chain of 2,000 stores and 24
months in a database of its own on the server of DATABASE_URL (the embedded one without), and drops it at the end, unless
`--keep` gives it a name; `--database` asks one that was kept. "Statements" are those that look for candidates, "whole" is
all of `find_orders`: rights, limit, candidates, the page and the look-up's line. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from random import Random
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from stores.models import Order, User
from stores.search import indexes
from stores.search.indexes import TRIGRAM_INDEX, Standing
from tests.bench.search import scratch
from tests.bench.search.measuring import Bench, Times, ask_all, bare_connection, without_trigrams
from tests.bench.search.questions import KINDS, OF_TRIGRAMS, drawn
from tests.faults.kills.rescues import percentile

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
GOALS: dict[str, dict[str, float]] = {
    "exact": {"p50": 1.5},
    "exact in any writing": {"p50": 1.5},
    "last 8": {"p50": 3, "p99": 5},
    "last 6": {"p50": 3, "p99": 5},
    "amount, store, day": {"p50": 2},
    "amount and store": {"p50": 2},
    "store and day": {"p50": 2},
    "very common": {"p50": 15},
    "contains 8": {"p50": 40, "p95": 300},
    "contains 6": {"p50": 40, "p95": 300},
    "contains 4": {"p50": 40, "p95": 300},
}
"""Ratios to the floor that are aimed at with ten million orders."""
LONGEST_MS = 300
_WARM = 20


def main() -> int:
    options = _read_options()
    database = options.database or options.keep or f"bench_search_{uuid.uuid4().hex[:8]}"
    is_there = scratch.use(database)
    if is_there != bool(options.database):
        raise SystemExit(f"The database {database} is {'there already' if is_there else 'not there'}.")
    try:
        took = {} if is_there else scratch.fill(options.rows, say=_say)
        result = _measure(options, took)
    finally:
        if not (options.keep or options.database):
            scratch.drop(database)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _measure(options: argparse.Namespace, took: dict[str, float]) -> dict[str, Any]:
    _say(f"{indexes.warm():,} pages of indexes are in memory.")
    random = Random(options.seed)
    ends = Order.objects.aggregate(first=Min("pk"), last=Max("pk"))
    ids = [random.randint(ends["first"], ends["last"]) for _ in range(1_000)]
    askers = list(User.objects.order_by("pk"))
    with bare_connection() as bare:
        bench = Bench(bare=bare, ids=ids)
        has_trigrams = indexes.standing(TRIGRAM_INDEX) == Standing.STANDS
        times = {kind: _ask(kind, askers, bench, options) for kind in KINDS}
        without = {}
        if has_trigrams:
            with without_trigrams():
                without = {kind: _ask(kind, askers, bench, options) for kind in OF_TRIGRAMS}
    floor = percentile(bench.floor, 0.5)
    told = {kind: _told(each, floor, GOALS.get(kind, {})) for kind, each in times.items()}
    told |= {f"{kind}, no trigrams": _told(each, floor, GOALS.get(kind, {})) for kind, each in without.items()}
    _show(told, floor)
    sizes = scratch.sizes()
    return {
        "rows": Order.objects.count(),
        "samples": options.samples,
        "has_trigrams": has_trigrams,
        "floor_ms": {name: round(percentile(bench.floor, share), 3) for name, share in SHARES.items()},
        "kinds": told,
        "goals_met": all(not each["missed"] for each in told.values()),
        "size_mib": sizes,
        "indexes_mib": round(sum(size for name, size in sizes.items() if name != "heap")),
        "seconds": took,
        "cores": os.cpu_count(),
    }


def _ask(kind: str, askers: list[User], bench: Bench, options: argparse.Namespace) -> Times:
    # Another seed for the warm-up: nothing that is measured was asked before.
    ask_all(drawn(kind, _WARM, seed=options.seed + 1), askers, bench)
    times = ask_all(drawn(kind, options.samples, seed=options.seed), askers, bench)
    # Each kind is asked by others than the last one, so that nobody comes to the limit of a minute.
    askers.append(askers.pop(0))
    _say(f"{kind}: {percentile(times.statements, 0.5):.2f} ms, {percentile(times.statements, 0.99):.2f} at the 99th.")
    return times


def _told(times: Times, floor: float, goals: dict[str, float]) -> dict[str, Any]:
    ratios = {name: round(percentile(times.statements, share) / floor, 2) for name, share in SHARES.items()}
    missed = {name: goal for name, goal in goals.items() if ratios[name] > goal}
    longest = max(times.statements)
    return {
        "ratio": ratios,
        "statements_ms": {name: round(percentile(times.statements, share), 2) for name, share in SHARES.items()},
        "longest_ms": round(longest, 1),
        "whole_ms": {name: round(percentile(times.whole, share), 2) for name, share in SHARES.items()},
        "empty": times.empty,
        "cut": times.cut,
        "missed": missed | ({"longest_ms": LONGEST_MS} if longest > LONGEST_MS else {}),
    }


def _show(told: dict[str, dict[str, Any]], floor: float) -> None:
    _say(f"\nFloor {floor:.3f} ms.")
    _say(f"{'':32}{'ratio p50':>10}{'p95':>8}{'p99':>8}{'ms p99':>9}{'longest':>9}{'whole p50':>11}  cut  missed")
    for kind, each in told.items():
        ratio = each["ratio"]
        _say(
            f"{kind:32}{ratio['p50']:>10}{ratio['p95']:>8}{ratio['p99']:>8}{each['statements_ms']['p99']:>9}"
            f"{each['longest_ms']:>9}{each['whole_ms']['p50']:>11}{each['cut']:>5}  {each['missed'] or ''}"
        )


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.search", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="orders to make (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=200, help="questions of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the questions (default: %(default)s)")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--keep", metavar="NAME", help="make the set in a database of this name, and leave it there")
    kept.add_argument("--database", metavar="NAME", help="ask a set that was kept")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        connection.close()
