"""The list of payments to read at Vipps: told of by anybody, in any transaction; the row outlives a lost message."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from stores import clock, nudge
from stores.models import PaymentToRead, SalesUnit

TASK = "stores.read_payment"
_LEASE = timedelta(minutes=2)
_WAITS_MINUTES = (1, 5, 15, 60, 6 * 60)
_GIVEN_UP_AFTER = timedelta(days=2)
"""Vipps itself tells of an event for a week at most; what it does not know two days later it will not know."""
_NUDGED_LATELY = timedelta(seconds=30)
_LONGEST_PROBLEM = 120

_ASK = """
INSERT INTO stores_paymenttoread AS waiting (sales_unit_id, reference, asked_at, due_at, asks, tries, nudged_at, problem)
VALUES (%(unit)s, %(reference)s, %(now)s, %(now)s, 1, 0, %(now)s, '')
ON CONFLICT (sales_unit_id, reference) DO UPDATE
SET asks = waiting.asks + 1, due_at = least(waiting.due_at, excluded.due_at), tries = 0, nudged_at = excluded.nudged_at
RETURNING id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A payment that this worker reads; `asks` as it was when it began."""

    row_id: int
    unit: SalesUnit
    reference: str
    asks: int
    tries: int
    asked_at: datetime


def ask(unit: SalesUnit, reference: str) -> None:
    """Put a payment on the list, due now, and ring for a worker once this transaction has committed."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK, {"unit": unit.pk, "reference": reference, "now": clock.db_now()})
        [(row_id,)] = cursor.fetchall()
    transaction.on_commit(lambda: _ring(row_id), robust=True)


def claim(row_id: int) -> Claim | None:
    """None where it is not due, or somebody reads it already."""
    now = clock.db_now()
    due = PaymentToRead.objects.filter(pk=row_id, due_at__lte=now)
    if not due.update(due_at=now + _LEASE, tries=F("tries") + 1):
        return None
    row = PaymentToRead.objects.select_related("sales_unit__key_set", "sales_unit__company").get(pk=row_id)
    return Claim(
        row_id=row.pk,
        unit=row.sales_unit,
        reference=row.reference,
        asks=row.asks,
        tries=row.tries,
        asked_at=row.asked_at,
    )


def finish(done: Claim) -> None:
    """It was read. What was told meanwhile keeps the row, due now."""
    row = PaymentToRead.objects.filter(pk=done.row_id)
    if not row.filter(asks=done.asks).delete()[0]:
        row.update(due_at=clock.db_now(), tries=0, problem="")


def put_off(tried: Claim, problem: str, *, at_least: float | None = None) -> None:
    """It could not be read now; later, with every try, and after two days no more. `at_least` seconds is Vipps' own wish."""
    now = clock.db_now()
    minutes = _WAITS_MINUTES[min(tried.tries, len(_WAITS_MINUTES)) - 1]
    again_at = now + max(timedelta(minutes=minutes), timedelta(seconds=at_least or 0))
    row = PaymentToRead.objects.filter(pk=tried.row_id, asks=tried.asks)
    row.update(
        due_at=None if tried.asked_at < now - _GIVEN_UP_AFTER else again_at,
        nudged_at=None,
        problem=problem[:_LONGEST_PROBLEM],
    )


def move_due(read: Callable[[int], object], *, limit: int, seconds: float) -> int:
    """Ring for what is due; `read` here what no worker takes, for so many seconds. How many were due."""
    now, ends_at = clock.db_now(), clock.monotonic() + seconds
    quiet = PaymentToRead.objects.filter(Q(nudged_at=None) | Q(nudged_at__lt=now - _NUDGED_LATELY), due_at__lte=now)
    found = list(quiet.order_by("due_at").values_list("pk", "nudged_at", "due_at")[:limit])
    takes_messages = True
    for row_id, nudged_at, due_at in found:
        was_in_vain = nudged_at is not None and due_at is not None and nudged_at >= due_at
        PaymentToRead.objects.filter(pk=row_id).update(nudged_at=now)
        takes_messages = takes_messages and not was_in_vain and _publish(row_id)
        if not takes_messages and clock.monotonic() < ends_at:
            read(row_id)
    return len(found)


def _ring(row_id: int) -> None:
    """Where the broker does not take it, the next round need not wait for anybody who was rung for."""
    if not _publish(row_id):
        PaymentToRead.objects.filter(pk=row_id).update(nudged_at=None)


def _publish(row_id: int) -> bool:
    return nudge.publish(TASK, str(row_id))
