"""Refunds a second through Celery, Redis and a threads pool, beside a bare loop that says the same to the same servers.

`python -m tests.bench.refunds [--refunds N] [--concurrency N] [--seconds N]`, with PostgreSQL, Redis and simulator of its own.
The floor replays, by psycopg and http.client, what the hub itself said for as many other refunds. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from hq.celery import app as celery_app
from hq.demo.database import migrate
from hq.demo.supervisor import Supervisor
from hq.embedded.places import DATABASE
from refunds import execution, intake
from refunds.models import Outbox, Refund, State
from refunds.nudges import publish
from stores import access
from stores.actors import hub
from stores.models import StoreSystem
from stores.money import Money
from tests.bench.refunds.clicks import click_to_end
from tests.bench.refunds.hub import BenchHub, cpu_seconds, laid_out, memory_mib, sessions_opened, slow_down
from tests.bench.refunds.replaying import Listener, Said, replay
from tests.faults.kills.goods import Wish, open_shop
from tests.faults.own_hub import BASE, FOLDER_OPTION, become_the_hub, tear_down

_RATES = (10, 20, 50)
_FLOOR_DATABASE = f"{DATABASE}_floor"
_WARM = 0.2
"""Share of a round's refunds before the clock starts."""
_BY = hub("worker")


@dataclass(frozen=True, kw_only=True)
class Round:
    """A throughput run: refunds a second between the warm-up and the end, and what the worker used for each."""

    per_second: float
    reconnects_per_task: float
    cpu_ms_per_task: float
    memory_mib: float

    @property
    def ceiling(self) -> float:
        """What one process could do if it never waited."""
        return 1000 / self.cpu_ms_per_task


def main() -> int:
    options = _read_options()
    if options.folder is None:
        become_the_hub("tests.bench.refunds", process="worker")
    bench = laid_out(os.environ, options.folder)
    try:
        with Supervisor(folder=BASE, var=options.folder, say=_say) as supervisor:
            result = _measure(bench, supervisor, options)
    finally:
        tear_down(options.folder)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _measure(bench: BenchHub, supervisor: Supervisor, options: argparse.Namespace) -> dict[str, Any]:
    supervisor.start(bench.fleet.database())
    migrate()
    supervisor.start(bench.fleet.simulator(), bench.redis)
    settings.VIPPS_BASE_URLS["simulator"] = bench.fleet.simulator_url
    celery_app.conf.update(broker_url=bench.redis_url, broker_write_url=bench.redis_url)
    clicks = [int(rate * options.seconds) for rate in _RATES]
    count = options.refunds
    provider = bench.fleet.simulator_url
    keys, wishes = open_shop(provider, refunds=2 * (4 * count + sum(clicks)), seed=1)
    alone = (wish for wish in wishes if wish.is_alone and not wish.is_too_much)
    _say("The floor.")
    floor = _floor(bench, supervisor, _take(alone, count))
    rounds = {}
    for latency in (0.0, 0.2):
        _say(f"Celery, the provider at {latency * 1000:.0f} ms.")
        rounds[latency] = _round(bench, supervisor, _take(alone, count), latency=latency, concurrency=options.concurrency)
    _say("Clicks, the provider at 300 ms.")
    supervisor.start(bench.web(), bench.sweep(), *bench.workers("worker", count=2, concurrency=options.concurrency))
    slow_down(provider, 0.3)
    ends = {
        rate: click_to_end(bench.fleet.hub_url, keys, _take(alone, number), per_second=rate)
        for rate, number in zip(_RATES, clicks, strict=True)
    }
    return _report(floor, rounds, ends, options)


def _take(wishes: Iterator[Wish], count: int) -> list[Wish]:
    return [next(wishes) for _ in range(count)]


def _floor(bench: BenchHub, supervisor: Supervisor, wishes: Sequence[Wish]) -> dict[str, Any]:
    """Run them here, written down; then the same again on copies of database and simulator as they were before."""
    refunds = [_accept(wish) for wish in wishes]
    firsts = {refund.order.sales_unit_id: refund for refund in reversed(refunds)}.values()
    refunds = [refund for refund in refunds if refund not in firsts]
    listener = Listener()
    with listener.listening():
        for first in firsts:
            execution.run_until_rest(first.pk, by=_BY)  # opens the keys and signs in
        connection.close()
        with psycopg.connect(bench.database.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as bare:
            bare.execute(f"CREATE DATABASE {_FLOOR_DATABASE} TEMPLATE {DATABASE}")
        copy = bench.fleet.var / "floor.jsonl"
        copy.write_bytes(bench.fleet.simulator_state.read_bytes())
        listener.said.clear()
        began = time.perf_counter()
        for refund in refunds:
            execution.run_until_rest(refund.pk, by=_BY)
        by_orm = time.perf_counter() - began
    connection.close()
    assert _ended([refund.pk for refund in refunds]) == len(refunds)
    told = _replayed(bench, supervisor, listener.said, copy, len(refunds))
    return {**told, "in_process_per_second": round(len(refunds) / by_orm, 1)}


def _replayed(bench: BenchHub, supervisor: Supervisor, said: list[Said], copy: Path, count: int) -> dict[str, Any]:
    twin, url = bench.twin(copy)
    supervisor.start(twin)
    database = bench.database.replace(f"/{DATABASE}?", f"/{_FLOOR_DATABASE}?")
    options = settings.DATABASES["default"]["OPTIONS"]["options"]
    began = time.perf_counter()
    replay(said, database=database, options=options, provider_url=url)
    seconds = time.perf_counter() - began
    with psycopg.connect(database) as bare:
        row = bare.execute("SELECT count(*) FROM refunds_refund WHERE state = 'refunded'").fetchone()
    assert row is not None
    assert row[0] == _refunded(), f"the floor refunded {row[0]} of {_refunded()}"
    statements = sum(1 for each in said if type(each).__name__ == "Statement")
    return {"floor_per_second": round(count / seconds, 1), "statements_per_refund": round(statements / count, 1)}


def _round(
    bench: BenchHub, supervisor: Supervisor, wishes: Sequence[Wish], *, latency: float, concurrency: int
) -> Round:
    """All are queued before the worker starts; rows tell when each ended."""
    refunds = [_accept(wish) for wish in wishes]
    for refund in refunds:
        publish(Outbox.objects.get(refund=refund))
    slow_down(bench.fleet.simulator_url, latency)
    [spec] = bench.workers(f"worker-at-{latency * 1000:.0f}", count=1, concurrency=concurrency)
    supervisor.start(spec)
    pid = supervisor.pid_of(spec.name)
    ids = [refund.pk for refund in refunds]
    warm = int(len(ids) * _WARM)
    _wait_for(ids, warm)
    cpu, connects, done_before = cpu_seconds(pid), sessions_opened(bench.database), _ended(ids)
    _wait_for(ids, len(ids))
    cpu, connects = cpu_seconds(pid) - cpu, sessions_opened(bench.database) - connects - 1
    ended = sorted(refund.ended_at for refund in Refund.objects.filter(pk__in=ids) if refund.ended_at is not None)
    memory = memory_mib(pid)
    os.kill(pid, signal.SIGTERM)
    steady = ended[warm:-concurrency]
    tasks = len(ids) - done_before
    return Round(
        per_second=round((len(steady) - 1) / (steady[-1] - steady[0]).total_seconds(), 1),
        reconnects_per_task=round(connects / tasks, 4),
        cpu_ms_per_task=round(1000 * cpu / tasks, 2),
        memory_mib=memory,
    )


def _accept(wish: Wish) -> Refund:
    system = StoreSystem.objects.select_related("store__company").get(name=f"Till {wish.till}")
    return intake.request_refund(
        wish.order_id,
        Money(amount_minor=wish.amount_minor, currency=wish.currency),
        reason="returned",
        refunding_store=system.store,
        client_id=intake.client_of(system, system.store),
        request_key=wish.key,
        asker=system,
        by=access.actor_for(system, store=system.store, cashier="bench"),
    ).refund


def _ended(ids: Sequence[Any]) -> int:
    return Refund.objects.filter(pk__in=ids, state=State.REFUNDED).count()


def _refunded() -> int:
    return Refund.objects.filter(state=State.REFUNDED).count()


def _wait_for(ids: Sequence[Any], count: int) -> None:
    until = time.monotonic() + 300
    while _ended(ids) < count:
        if time.monotonic() > until:
            raise RuntimeError(f"only {_ended(ids)} of {count} ended in five minutes")
        time.sleep(0.1)


def _report(
    floor: dict[str, Any], rounds: dict[float, Round], ends: dict[int, Any], options: argparse.Namespace
) -> dict[str, Any]:
    return {
        "refunds": options.refunds,
        "concurrency": options.concurrency,
        **{name: floor[name] for name in ("floor_per_second", "in_process_per_second", "statements_per_refund")},
        "celery_per_second": rounds[0.0].per_second,
        "share_of_floor": round(rounds[0.0].per_second / floor["floor_per_second"], 3),
        "goal_share_of_floor": 0.30,
        "celery_per_second_at_200_ms": rounds[0.2].per_second,
        "cpu_ms_per_task": {str(latency): each.cpu_ms_per_task for latency, each in rounds.items()},
        "share_of_cpu_ceiling_at_200_ms": round(rounds[0.2].per_second / rounds[0.2].ceiling, 3),
        "reconnects_per_task": max(each.reconnects_per_task for each in rounds.values()),
        "memory_mib": max(each.memory_mib for each in rounds.values()),
        "click_to_end_seconds": ends,
        "cores": os.cpu_count(),
    }


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.refunds", description=__doc__)
    parser.add_argument("--refunds", type=int, default=600, help="of each round (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=32, help="threads of a worker (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="of clicks at each rate (default: %(default)s)")
    parser.add_argument(FOLDER_OPTION, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
