"""The list of orders to look at at Vipps: asked for by anybody, in any transaction; the row outlives a lost message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import DateTimeField, F, Q, Value
from django.db.models.functions import Least

from refunds.events import OrderCheckAsked
from refunds.models import CheckReason, OrderCheck
from stores import access, audit, clock, nudge
from stores.access import Right
from stores.actors import Actor
from stores.models import Order, User

TASK = "refunds.check_order"
_LEASE = timedelta(minutes=5)
_WAITS_MINUTES = (1, 5, 15, 60, 6 * 60, 24 * 60)
_NUDGED_LATELY = timedelta(seconds=30)
_LONGEST_PROBLEM = 120


_ASK_NOW = """
INSERT INTO refunds_ordercheck AS known (order_id, why, due_at, asks, tries, nudged_at, problem)
VALUES (%(order)s, %(why)s, %(now)s, 0, 0, %(now)s, '')
ON CONFLICT (order_id) DO UPDATE SET why = excluded.why, due_at = least(known.due_at, excluded.due_at),
    asks = known.asks + 1, tries = 0, nudged_at = excluded.nudged_at, problem = ''
"""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A check that this worker makes; `asks` as it was when it began."""

    order: Order
    asks: int
    tries: int


def ask(order_id: int, why: CheckReason) -> None:
    """Put an order on the list, due now, and ring for a worker once this transaction has committed."""
    ask_all({order_id: clock.db_now()}, why)
    transaction.on_commit(lambda: _ring(order_id), robust=True)


def ask_all(due_at: Mapping[int, datetime], why: CheckReason) -> None:
    """Put orders on the list, each due at its time, or earlier where it was due earlier. Rings for nobody."""
    rows = [OrderCheck(order_id=order_id, why=why, due_at=at) for order_id, at in due_at.items()]
    known = set(OrderCheck.objects.filter(order__in=due_at).values_list("order_id", flat=True))
    OrderCheck.objects.bulk_create([row for row in rows if row.order_id not in known], ignore_conflicts=True)
    for order_id in sorted(known):
        at = Value(due_at[order_id], output_field=DateTimeField())
        OrderCheck.objects.filter(order=order_id).update(
            why=why, due_at=Least(F("due_at"), at), asks=F("asks") + 1, tries=0, nudged_at=None
        )


def ask_now(order_id: int, why: CheckReason, *, now: datetime) -> None:
    """The same in one statement and with nothing of earlier failures left: somebody stands and waits for the answer.

    A look that is under way does not do: it may have read before whatever made her ask.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ASK_NOW, {"order": order_id, "why": why.value, "now": now})
    transaction.on_commit(lambda: _publish(order_id), robust=True)


def was_tried_in_vain(order_id: int, *, since: datetime) -> bool:
    """Whether a look that was asked for at `since` was made and came to nothing."""
    failed = OrderCheck.objects.filter(order=order_id, due_at__gt=since).exclude(problem="")
    return failed.filter(Q(checked_at=None) | Q(checked_at__lt=since)).exists()


def ask_for(order: Order, *, asker: User, by: Actor) -> None:
    """Headquarters' button. Raises Forbidden."""
    access.require(asker, Right.RECONCILE)
    with transaction.atomic():
        ask(order.pk, CheckReason.ASKED)
        audit.record_about_order(OrderCheckAsked(reference=order.reference), order, by=by)


def claim(order_id: int) -> Claim | None:
    """None where the order is not due, or somebody looks at it already."""
    now = clock.db_now()
    if not OrderCheck.objects.filter(order=order_id, due_at__lte=now).update(due_at=now + _LEASE, tries=F("tries") + 1):
        return None
    check = OrderCheck.objects.select_related("order__sales_unit__key_set", "order__store__company").get(order=order_id)
    return Claim(order=check.order, asks=check.asks, tries=check.tries)


def finish(done: Claim, *, again_at: datetime | None) -> None:
    """The look came to an end. Whoever asked meanwhile keeps the row due."""
    now = clock.db_now()
    row = OrderCheck.objects.filter(order=done.order)
    row.update(checked_at=now, tries=0, problem="")
    why = {"why": CheckReason.AGAIN} if again_at else {}
    row.filter(asks=done.asks).update(due_at=again_at, nudged_at=None, **why)


def put_off(tried: Claim, problem: str, *, at_least: float | None = None) -> None:
    """It could not be looked at now; later, with every try. `at_least` seconds is Vipps' own wish."""
    minutes = _WAITS_MINUTES[min(tried.tries, len(_WAITS_MINUTES)) - 1]
    wait = max(timedelta(minutes=minutes), timedelta(seconds=at_least or 0))
    OrderCheck.objects.filter(order=tried.order).update(
        due_at=clock.db_now() + wait, nudged_at=None, problem=problem[:_LONGEST_PROBLEM]
    )


def due(limit: int) -> list[tuple[int, bool]]:
    """Orders that are due and were not rung for a moment ago, the longest due first; True: rung for once, and in vain."""
    now = clock.db_now()
    found = OrderCheck.objects.filter(Q(nudged_at=None) | Q(nudged_at__lt=now - _NUDGED_LATELY), due_at__lte=now)
    rows = found.order_by("due_at").values_list("order_id", "nudged_at")[:limit]
    return [(order_id, nudged_at is not None) for order_id, nudged_at in rows]


def ring(order_id: int) -> bool:
    """Ask a worker to look; False where the broker does not take it (the rounds find the row)."""
    OrderCheck.objects.filter(order=order_id).update(nudged_at=clock.db_now())
    return _publish(order_id)


def _publish(order_id: int) -> bool:
    return nudge.publish(TASK, str(order_id))


def _ring(order_id: int) -> None:
    ring(order_id)
