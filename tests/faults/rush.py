"""Many connections, one order: what is accepted never exceeds what was captured, and one refund at most is in flight.

`python -m tests.faults.rush [--connections N] [--attempts N] [--seed N]`, on a PostgreSQL of its own, through the verbs that
doors and workers call. The last line of stdout is JSON; exits 1 when something did not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import DatabaseError, connection
from django.db.models import Sum

from hq import embedded
from hq.celery import app as celery_app
from hq.demo.database import migrate
from refunds import claims, intake, states
from refunds.claims import Claim
from refunds.errors import Denied
from refunds.models import IN_FLIGHT, LedgerEntry, OrderAccount, Refund, State
from stores import access, audit
from stores.actors import hub
from stores.models import Order, StoreSystem
from stores.money import Money
from tests.bench.simulator import started
from tests.faults.kills.goods import open_shop
from tests.faults.own_hub import BASE, FOLDER_OPTION, become_the_hub, tear_down

WORKER = hub("worker")
_WORKERS_REST = 0.05
_ROOM_FOR = 400
"""Refunds, about: every question about an order reads those of its refunds that are on their way."""


@dataclass(kw_only=True)
class Rush:
    """What came of it. `wrong` is what must not be, in words; `deadlocks` as PostgreSQL counts them."""

    attempts: int
    connections: int
    captured_minor: int
    accepted: int = 0
    accepted_minor: int = 0
    refused: int = 0
    settled: int = 0
    most_in_flight: int = 0
    looks: int = 0
    deadlocks: int = 0
    seconds: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def rush(order: Order, systems: Sequence[StoreSystem], *, connections: int, attempts: int, seed: int) -> Rush:
    """Ask for more than there is from all sides at once, while workers claim and settle and somebody watches."""
    capacity = order.captured_minor or order.claimed_minor or 0
    came = Rush(attempts=attempts, connections=connections, captured_minor=capacity)
    before, began = _deadlocks(), time.monotonic()
    workers = max(connections // 8, 2)  # one of them only watches
    crowd = _Crowd(order, came, share=max(2 * capacity // attempts, capacity // _ROOM_FOR), seed=seed)
    step = connections - workers
    askers = [
        threading.Thread(target=crowd.ask, args=(systems[number % len(systems)], range(number, attempts, step)))
        for number in range(step)
    ]
    others = [threading.Thread(target=crowd.work, args=(number,)) for number in range(workers - 1)]
    others.append(threading.Thread(target=crowd.watch))
    for thread in (*askers, *others):
        thread.start()
    for thread in askers:
        thread.join()
    crowd.is_over.set()
    for thread in others:
        thread.join()
    came.seconds = round(time.monotonic() - began, 1)
    came.deadlocks = _deadlocks() - before
    crowd.judge()
    return came


class _Crowd:
    def __init__(self, order: Order, came: Rush, *, share: int, seed: int) -> None:
        self.is_over = threading.Event()
        self._order, self._came, self._share, self._seed = order, came, share, seed
        self._guard = threading.Lock()
        self._smallest_refused = sys.maxsize

    def ask(self, system: StoreSystem, numbers: range) -> None:
        chance = random.Random(f"{self._seed}/{numbers.start}")
        for number in numbers:
            amount = chance.randint(1, 2 * self._share - 1)
            try:
                intake.request_refund(
                    self._order.public_id,
                    Money(amount_minor=amount, currency=self._order.currency),
                    reason="returned",
                    refunding_store=system.store,
                    client_id=intake.client_of(system, system.store),
                    request_key=f"rush-{number}",
                    asker=system,
                    by=access.actor_for(system, store=system.store, cashier="rush"),
                    confirms_duplicate=True,
                )
            except Denied:
                with self._guard:
                    self._came.refused += 1
                    self._smallest_refused = min(self._smallest_refused, amount)
            except DatabaseError as error:
                self._note(error)
            else:
                with self._guard:
                    self._came.accepted += 1
                    self._came.accepted_minor += amount
        connection.close()

    def work(self, number: int) -> None:
        chance = random.Random(f"{self._seed}/worker/{number}")
        while not self.is_over.wait(_WORKERS_REST):
            waiting = Refund.objects.filter(order=self._order, state=State.QUEUED).values_list("pk", flat=True)[:20]
            for refund_id in chance.sample(list(waiting), len(waiting)):
                try:
                    claim: Claim | None = claims.claim_refund(refund_id, by=WORKER)
                except DatabaseError as error:
                    self._note(error)
                else:
                    self._settle(claim)
        connection.close()

    def _settle(self, claim: Claim | None) -> None:
        """Until it is done: a refund left in flight would keep the order from everybody, and the rest would show nothing."""
        while claim is not None:
            try:
                was_settled = states.settle_as_refunded(claim.refund, by=WORKER, because="the rush says so")
            except DatabaseError as error:
                self._note(error)
            else:
                with self._guard:
                    self._came.settled += was_settled
                return

    def watch(self) -> None:
        """One statement sees one moment."""
        while not self.is_over.wait(0.02):
            account = OrderAccount.objects.filter(order=self._order).first()
            in_flight = Refund.objects.filter(order=self._order, state__in=IN_FLIGHT).count()
            self._came.looks += 1
            self._came.most_in_flight = max(self._came.most_in_flight, in_flight)
            if account is not None and account.posted_minor + account.reserved_minor > self._came.captured_minor:
                self._came.wrong.append(f"promised {account.posted_minor} + {account.reserved_minor}")
        connection.close()

    def judge(self) -> None:
        came, order = self._came, self._order
        refunds = Refund.objects.filter(order=order)
        account = OrderAccount.objects.get(order=order)
        promised = account.posted_minor + account.reserved_minor
        found = {
            "accepted and there": (came.accepted, refunds.count()),
            "accepted and promised": (came.accepted_minor, promised),
            "numbers": (list(range(1, came.accepted + 1)), sorted(refunds.values_list("number", flat=True))),
            "reserved": (_booked(order, "reserve") - _booked(order, "post"), account.reserved_minor),
            "posted": (_booked(order, "post"), account.posted_minor),
        }
        came.wrong += [f"{name}: {left} and {right}"[:200] for name, (left, right) in found.items() if left != right]
        if promised > came.captured_minor:
            came.wrong.append(f"promised {promised}")
        if came.refused and came.captured_minor - promised >= self._smallest_refused and not came.errors:
            came.wrong.append(f"{self._smallest_refused} was refused with {came.captured_minor - promised} left")
        if came.most_in_flight > 1:
            came.wrong.append(f"{came.most_in_flight} in flight")
        if came.deadlocks:
            came.wrong.append(f"{came.deadlocks} deadlocks")
        if audit.verify().bad is not None:
            came.wrong.append(str(audit.verify().bad))

    def _note(self, error: DatabaseError) -> None:
        with self._guard:
            name = type(error.__cause__ or error).__name__
            self._came.errors[name] = self._came.errors.get(name, 0) + 1
        connection.close()


def _booked(order: Order, kind: str) -> int:
    return LedgerEntry.objects.filter(order=order, kind=kind).aggregate(sum=Sum("amount_minor"))["sum"] or 0


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        [(count,)] = cursor.fetchall()
    return int(count)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rush", description=__doc__)
    parser.add_argument("--connections", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--attempts", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(FOLDER_OPTION, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder is None:
        become_the_hub("tests.faults.rush")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it leaves no database behind
    embedded.ensure_running(BASE, var=options.folder)
    try:
        for folder in ("broker/messages", "broker/control"):
            (options.folder / folder).mkdir(parents=True)
        celery_app.set_default()
        migrate()
        with started("stores.vipps.simulator", "--port", "0", core=0) as simulator:
            _keys, [wish] = open_shop(simulator.url, refunds=1, seed=options.seed)
        order = Order.objects.get(public_id=wish.order_id)
        systems = list(StoreSystem.objects.filter(name__startswith="Till ").select_related("store__company"))
        came = rush(order, systems, connections=options.connections, attempts=options.attempts, seed=options.seed)
    finally:
        connection.close()
        embedded.stop(BASE, var=options.folder)
        tear_down(options.folder)
    sys.stdout.write(json.dumps(asdict(came)) + "\n")
    return 1 if came.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
