"""Hostile webhooks against the real door and the real reading: none is believed, none is an error, none moves anything.

`python -m tests.faults.webhooks [--count N] [--seed N]`. Every call is made by seed: forged, replayed, sent to another's
address, changed in body, header or frame. What is believed must be a call of Vipps' own, bit for bit, for the first time.
Ends with 1 if one was believed wrongly, answered with a 5xx other than "come back later", or changed any row but its own;
also if a kind of call never came.
"""

import argparse
import hashlib
import json
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.test import Client

from refunds import doorbell
from refunds.models import Attempt, LedgerEntry, OrderAccount, Outbox, Refund
from stores import clock, nudge, orders, people, registrations
from stores import keys as api_keys
from stores.actors import hub
from stores.models import Entry, KeySet, Notice, NoticeVerdict, Order, Role, SalesUnit, Scope, WebhookRegistration
from tests.faults.forging import Address, Call, Forger, environ_of
from tests.refunds.asking import ask
from tests.stores.conftest import Ground, make_ground, person

BASE = "https://refunds.example"
KINDS = frozenset(
    (
        *("genuine", "forged", "replayed", "retargeted", "stale", "odd"),
        *("other body", "other header", "other frame", "resigned in part"),
    )
)
REFERENCES = tuple(f"NORD-20261101-{number}" for number in range(3))
BY = hub("faults")
_DIGEST_EVERY = 200


@dataclass(kw_only=True)
class Tally:
    """What became of the calls; `wrong` holds the first of those that were taken wrongly."""

    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    believed: int = 0
    wrong: list[str] = field(default_factory=list)

    def blame(self, number: int, call: Call, what: str) -> None:
        if len(self.wrong) < 20:
            told = (call.method, call.path or call.at, dict(call.headers), call.body[:300], call.length)
            self.wrong.append(f"#{number} {call.kind}: {what}: {told!r}"[:2_000])


def run(*, count: int, seed: int) -> Tally:
    """Make `count` calls to a chain of three sales units, two with keys of their own, that wait for three refunds each."""
    dice = random.Random(seed)
    ground = make_ground()
    _ask_for_refunds(ground)
    addresses = [
        _address(ground.oslo_unit, dice, ["100001"]),
        _address(ground.bergen_unit, dice, ["100002"]),
        _address(ground.partner, dice, ["100003"]),
    ]
    forger = Forger(dice, addresses=addresses, dead=_dead(ground, dice), waiting=REFERENCES)
    client = Client(raise_request_exception=False)
    tally, believed = Tally(), set[tuple[Any, ...]]()
    with _no_broker():
        before = _everything()
        for number in range(count):
            _judge(client, number, forger.next(), tally, believed)
            if (number % _DIGEST_EVERY == 0 or number == count - 1) and _everything() != before:
                tally.wrong.append(f"#{number} or a call before it changed a row that is not its own")
    return tally


def _judge(client: Client, number: int, call: Call, tally: Tally, believed: set[tuple[Any, ...]]) -> None:
    last = Notice.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    status = _call(client, call)
    kept = list(Notice.objects.filter(pk__gt=last).values_list("pk", flat=True))
    for notice_id in kept:
        doorbell.answer(notice_id)
    verdicts = list(Notice.objects.filter(pk__in=kept).values_list("verdict", flat=True))
    hurried = Refund.objects.exclude(next_action_at=_later()).update(next_action_at=_later())
    tally.kinds[call.kind] += 1
    tally.statuses[status] += 1
    tally.verdicts.update(verdicts or ["not kept"])
    if status >= 500 and status != 503:
        tally.blame(number, call, f"HTTP {status}")
    is_believed = NoticeVerdict.GENUINE in verdicts
    if is_believed and (call.kind != "genuine" or call.signed in believed):
        tally.blame(number, call, "believed")
    if call.kind == "genuine" and not is_believed:
        tally.blame(number, call, f"not believed: {status} {verdicts}")
    if hurried and not is_believed:
        tally.blame(number, call, "hurried a refund")
    if is_believed:
        believed.add(call.signed)
        tally.believed += 1


def _call(client: Client, call: Call) -> int:
    path = call.path or f"/hooks/vipps/{call.at}"
    return client.generic(call.method, path, call.body, content_type=call.content_type, **environ_of(call)).status_code


def _address(subject: SalesUnit | KeySet, dice: random.Random, msns: list[str]) -> Address:
    opened = registrations.open_registration(subject, base_url=BASE, by=BY)
    secret = f"{dice.getrandbits(512):0128x}"[:88]
    confirmed = registrations.confirm_registration(opened, provider_id=f"{dice.getrandbits(128):032x}", secret=secret, by=BY)
    return Address(registration=confirmed, secret=secret, msns=msns)


def _dead(ground: Ground, dice: random.Random) -> list[Address]:
    """One that ended long ago, and one whose secret nobody has entered."""
    ended = _address(ground.bergen_unit, dice, ["100002"])
    long_ago = clock.db_now() - timedelta(days=30)
    WebhookRegistration.objects.filter(pk=ended.registration.pk).update(ended_at=long_ago)
    waiting = registrations.open_registration(ground.oslo_unit, base_url=BASE, by=BY)
    return [ended, Address(registration=waiting, secret="entered nowhere", msns=["100001"])]


def _ask_for_refunds(ground: Ground) -> None:
    kari = person("kari")
    people.join_store(kari, ground.oslo, role=Role.CASHIER, by=ground.by)
    for store in (ground.oslo, ground.bergen, ground.trondheim):
        system = api_keys.add_system(store, name=f"Till {store.code}", scopes=list(Scope), by=ground.by)
        amount = orders.AmountRow(amount_minor=50_000, currency="NOK")
        paid_at = datetime.now(UTC) - timedelta(days=1)
        rows = [orders.OrderRow(reference=reference, amount=amount, paid_at=paid_at) for reference in REFERENCES]
        orders.index_orders(rows, system=system, by=ground.by)
        for order in Order.objects.filter(store=store):
            ask(order, 20_000, who=kari, store=ground.oslo)
    Refund.objects.update(next_action_at=_later())


def _later() -> datetime:
    """When refunds are looked at unless a notice hurries them."""
    return datetime(2100, 1, 1, tzinfo=UTC)


def _everything() -> str:
    """A digest of every row that money or evidence hangs on; notices and nudges are what calls may make."""
    digest = hashlib.sha256()
    for model in (Refund, OrderAccount, LedgerEntry, Attempt, Order, SalesUnit, WebhookRegistration, Entry):
        for row in model._default_manager.order_by("pk").values():
            digest.update(repr(row).encode())
    return digest.hexdigest()


@contextmanager
def _no_broker() -> Iterator[None]:
    """Nobody is rung for: every notice is read at once, here."""
    before, nudge.publish = nudge.publish, lambda task, row_id: True
    try:
        yield
    finally:
        nudge.publish = before
        Outbox.objects.all().delete()


@contextmanager
def _database() -> Iterator[None]:
    """A test's database, left as it was."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=True)
    block: Any = transaction.atomic()
    block._from_testcase = True  # so that each verb inside counts as a transaction of its own
    with block:
        yield
        transaction.set_rollback(True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    with _database():
        tally = run(count=given.count, seed=given.seed)
    told = {
        "calls": given.count,
        "seed": given.seed,
        "seconds": round(time.monotonic() - started, 1),
        "kinds": dict(tally.kinds.most_common()),
        "statuses": dict(tally.statuses.most_common()),
        "verdicts": {verdict or "not read": count for verdict, count in tally.verdicts.most_common()},
        "believed": tally.believed,
        "wrong": tally.wrong,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return 1 if tally.wrong or tally.kinds.keys() != KINDS else 0


if __name__ == "__main__":
    sys.exit(main())
