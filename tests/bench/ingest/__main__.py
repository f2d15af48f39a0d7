"""Orders into the index over REST, beside a raw COPY of as many rows into the same table with the same indexes.

`python -m tests.bench.ingest [--rounds N] [--before N]`. One granian worker on this machine's loopback serves the whole
request: HTTP, key, throttles, reading, checks, SQL, trail, commit, answer. Floor and request take turns. The last line
is JSON. With DATABASE_URL a scratch database is made on that server; the search index needs its `pg_trgm`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from stores import keys, registry
from stores.actors import hub
from stores.models import Channel, Company, SalesUnit, Scope, Store
from stores.search.indexes import TRIGRAM_INDEX
from tests.bench.ingest.batches import COLUMNS, Sales, body_of, copy_lines
from tests.bench.ingest.looking import cpu_seconds, forget_peak, peak, python_peak, worker_of
from tests.bench.scratch import Scratch, become_the_bench, say, scratch
from tests.faults.own_hub import FOLDER_OPTION

GOALS = {100: 0.70, 1_000: 0.65, 10_000: 0.45}
CPU_GOAL_US = 20
PEAK_GOAL_MIB = 10
_BY = hub("bench")
_COPY = f"COPY stores_order ({', '.join(COLUMNS)}) FROM STDIN"


@dataclass(frozen=True, kw_only=True)
class Round:
    """Seconds of one COPY, of one sync of as many new rows, and of the same sync again."""

    copy: float
    sync: float
    again: float

    @property
    def share(self) -> float:
        return self.copy / self.sync


@dataclass
class Bench:
    """One till, one floor, and whoever serves."""

    sales: Sales
    port: int
    key: str
    pid: int
    bare: psycopg.Connection[Any]
    line: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def copy(self, count: int) -> float:
        lines = copy_lines(self.sales.take(count), self.sales.store, self.sales.unit)
        began = time.perf_counter()
        with self.bare.transaction(), self.bare.cursor().copy(_COPY) as copy:
            copy.write(lines)
        return time.perf_counter() - began

    def backend(self) -> int:
        """The hub's own connection to PostgreSQL, as a process of this machine; 0 where PostgreSQL runs elsewhere."""
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        pids = [pid for (pid,) in self.bare.execute(f"{others} AND backend_type = 'client backend' ORDER BY query_start DESC")]
        return int(pids[0]) if pids and Path(f"/proc/{pids[0]}").exists() else 0

    def used(self) -> tuple[float, float, float]:
        """Seconds of processor so far: of the web, of its PostgreSQL backend, of the floor's."""
        hub, floor = self.backend(), self.bare.info.backend_pid
        return cpu_seconds(self.pid), cpu_seconds(hub), cpu_seconds(floor) if hub else 0.0

    def body(self, count: int) -> bytes:
        return body_of(self.sales.take(count), self.sales.unit.currency)

    def sync(self, body: bytes, wanted: dict[str, int]) -> float:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        began = time.perf_counter()
        self.line.request("POST", "/api/v1/orders", body, headers)
        answer = self.line.getresponse()
        told = answer.read()
        seconds = time.perf_counter() - began
        assert answer.status == 200, told[:500]
        assert json.loads(told)["counts"] == wanted, told[-200:]
        return seconds

    def round(self, count: int) -> Round:
        copy = self.copy(count)
        body = self.body(count)
        return Round(copy=copy, sync=self.sync(body, {"created": count}), again=self.sync(body, {"unchanged": count}))


def main() -> int:
    options = _read_options()
    if options.folder is None:
        become_the_bench("tests.bench.ingest")
    with scratch(options.folder) as place:
        result = _measure(place, options)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _measure(place: Scratch, options: argparse.Namespace) -> dict[str, Any]:
    sales, key = _ground()
    place.supervisor.start(place.web(threads=1))
    session = settings.DATABASES["default"]["OPTIONS"]["options"]
    with psycopg.connect(place.database, autocommit=True, options=session) as bare:
        bench = Bench(
            sales=sales,
            port=place.fleet.web_port,
            key=key,
            pid=worker_of(place.supervisor.pid_of("web")),
            bare=bare,
        )
        say(f"{options.before} orders first.")
        _fill(bench, options.before)
        _warm(bench)
        memory = _memory(bench)
        say("Base indexes.")
        base = _rounds(bench, options)
        searching = None
        if _has_trigrams(bare):
            say("With the search index.")
            call_command("build_search_index", stdout=sys.stderr)
            connection.close()
            _warm(bench)
            searching = _rounds(bench, options)
        return _report(bench, base, searching, memory)


def _ground() -> tuple[Sales, str]:
    company = Company.objects.create(name="Bench")
    store = registry.open_store(company, code="BEN", name="Bench", city="Bergen", country="NO", by=_BY)
    unit = registry.add_sales_unit(
        store,
        msn="100001",
        name="Bench",
        market="NO",
        environment="simulator",
        channel=Channel.IN_STORE,
        valid_from=datetime.now(UTC) - timedelta(days=800),
        by=_BY,
    )
    system = keys.add_system(store, name="Till", scopes=[Scope.ORDERS_WRITE], by=_BY)
    key = keys.issue_key(system, by=_BY).text
    connection.close()
    return Sales(Store.objects.get(pk=store.pk), SalesUnit.objects.get(pk=unit.pk)), key


def _fill(bench: Bench, count: int) -> None:
    for start in range(0, count, 50_000):
        bench.copy(min(50_000, count - start))
    bench.bare.execute("VACUUM ANALYZE stores_order")


def _warm(bench: Bench) -> None:
    for _ in range(20):
        bench.round(100)


def _memory(bench: Bench) -> dict[str, float]:
    """The first large request of the process, so that nothing can hide in memory that an earlier one left."""
    body = bench.body(10_000)
    before = forget_peak(bench.pid)
    bench.sync(body, {"created": 10_000})
    whole = peak(bench.pid) - before
    python = python_peak(bench.key, [bench.body(100), bench.body(100), bench.body(10_000)])
    connection.close()
    return {"python": round(python, 1), "process": round(whole, 1)}


def _rounds(bench: Bench, options: argparse.Namespace) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for size in options.sizes:
        count = max(3, options.rounds * (10 if size == 100 else 3 if size == 1_000 else 1))
        rounds = [bench.round(size) for _ in range(count)]
        web, backend, floor = _used_by(bench, size, count)
        found[size] = {
            "share_of_copy": round(statistics.median(each.share for each in rounds), 3),
            "goal": GOALS[size],
            "best_share": round(min(each.copy for each in rounds) / min(each.sync for each in rounds), 3),
            "copy_ms": _ms(each.copy for each in rounds),
            "sync_ms": _ms(each.sync for each in rounds),
            "same_again_ms": _ms(each.again for each in rounds),
            "cpu_us_per_row": web,
            "postgresql_cpu_us_per_row": {"sync": backend, "copy": floor},
            "rounds": count,
        }
        say(f"{size}: {found[size]}")
    return found


def _used_by(bench: Bench, size: int, count: int) -> tuple[float, float, float]:
    """Microseconds of processor a new row: they tell something on a busy machine too, where the clock tells little."""
    bodies = [bench.body(size) for _ in range(count)]
    before = bench.used()
    for body in bodies:
        bench.sync(body, {"created": size})
        bench.copy(size)
    used = [now - then for now, then in zip(bench.used(), before, strict=True)]
    web, backend, floor = (round(1e6 * seconds / (size * count), 1) for seconds in used)
    return web, backend, floor


def _ms(seconds: Iterable[float]) -> float:
    return round(1000 * statistics.median(seconds), 2)


def _has_trigrams(bare: psycopg.Connection[Any]) -> bool:
    return bare.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").fetchone() is not None


def _setting(bare: psycopg.Connection[Any], name: str) -> str:
    row = bare.execute("SELECT current_setting(%s)", [name]).fetchone()
    return str(row[0]) if row else ""


def _report(bench: Bench, base: dict[int, Any], searching: dict[int, Any] | None, memory: dict[str, float]) -> dict[str, Any]:
    is_met = all(each["share_of_copy"] >= each["goal"] for each in base.values())
    cpu = base[max(base)]["cpu_us_per_row"]
    return {
        "server": "granian, one worker, one thread, loopback",
        "base": base,
        "with_search_index": searching,
        "search_index": TRIGRAM_INDEX if searching else None,
        "peak_mib_per_10000_rows": memory,
        "goals": {"cpu_us_per_row": CPU_GOAL_US, "peak_mib_per_10000_rows": PEAK_GOAL_MIB},
        "met": is_met and cpu <= CPU_GOAL_US and memory["python"] <= PEAK_GOAL_MIB,
        "postgresql": _setting(bench.bare, "server_version"),
        "fsync": _setting(bench.bare, "fsync"),
    }


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ingest", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of 10,000 rows; more of the smaller (default: %(default)s)")
    parser.add_argument("--before", type=int, default=200_000, help="orders there are already (default: %(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", choices=sorted(GOALS), default=sorted(GOALS), help="rows a request")
    parser.add_argument(FOLDER_OPTION, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
