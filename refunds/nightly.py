"""The nightly round: every order with activity in the last 30 days, and one in a hundred of the older ones."""

from datetime import datetime, timedelta

from django.db.models import Max, Min, OuterRef, Subquery

from refunds import checks
from refunds.models import CheckReason, Heartbeat, LedgerEntry, Night, Refund
from stores import clock
from stores.models import EntryType, Notice, NoticeVerdict, Order, SettlementEntry

NAME = "reconcile"
ACTIVITY = timedelta(days=30)
ONE_IN = 100
"""Of the older orders."""
SPACING = timedelta(seconds=2)
"""Between two orders of one sales unit: Vipps' limits are by payment, but a chain's night need not be its burst."""
BEGINS_AT_HOUR = 1
"""UTC; a night missed is begun at the next round."""
_BATCH = 1_000
_TAKEN_FOR_DEAD = timedelta(minutes=30)
_MONEY_BACK = ("REFUNDED", "CANCELLED")


def begin_if_due() -> int | None:
    """Tonight's round, once, whoever is first; how many orders, or None where it was begun before."""
    now = clock.db_now()
    if now.hour < BEGINS_AT_HOUR or not _claim(now):
        return None
    count = enrol(now)
    Night.objects.filter(day=now.date()).update(ended_at=clock.db_now(), orders=count)
    Heartbeat.objects.update_or_create(name=NAME, defaults={"at": clock.db_now()})
    return count


def enrol(now: datetime) -> int:
    """Put tonight's orders on the list; how many. Run twice it asks for the same looks."""
    active = with_activity(now - ACTIVITY)
    wanted = [*sorted(active), *sorted(_sample() - active)]
    next_at: dict[int, datetime] = {}
    count = 0
    for start in range(0, len(wanted), _BATCH):
        batch = Order.objects.filter(pk__in=wanted[start : start + _BATCH]).values_list("pk", "sales_unit_id")
        due_at = {}
        for order_id, unit_id in batch:
            due_at[order_id] = next_at.get(unit_id, now)
            next_at[unit_id] = due_at[order_id] + SPACING
        checks.ask_all(due_at, CheckReason.NIGHT)
        count += len(due_at)
    return count


def with_activity(since: datetime) -> set[int]:
    """Orders of which something was refunded, asked for, told by Vipps or settled since then; a sale alone is none."""
    told = Notice.objects.filter(verdict=NoticeVerdict.GENUINE, name__in=_MONEY_BACK, received_at__gte=since)
    settled = SettlementEntry.objects.exclude(entry_type=EntryType.CAPTURE).filter(read_at__gte=since)
    named_by_notice = Order.objects.filter(
        sales_unit__environment=OuterRef("environment"), sales_unit__msn=OuterRef("msn"), reference=OuterRef("reference")
    )
    named_by_entry = Order.objects.filter(sales_unit=OuterRef("sales_unit"), reference=OuterRef("reference"))
    found: set[int | None] = {
        *Refund.objects.filter(moved_at__gte=since).values_list("order_id", flat=True),
        *LedgerEntry.objects.filter(booked_at__gte=since).values_list("order_id", flat=True),
        *told.annotate(order=Subquery(named_by_notice.values("pk")[:1])).values_list("order", flat=True),
        *settled.annotate(order=Subquery(named_by_entry.values("pk")[:1])).values_list("order", flat=True),
    }
    return {order_id for order_id in found if order_id is not None}


def _sample() -> set[int]:
    """Orders drawn at random; some of the numbers drawn may be no order's."""
    ends = Order.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return set()
    span = ends["last"] - ends["first"] + 1
    draws = -(-span // ONE_IN)
    return {ends["first"] + int.from_bytes(clock.random_bytes(8), "big") % span for _ in range(draws)}


def _claim(now: datetime) -> bool:
    """Whether this process begins tonight's round; one that was begun and never ended is begun again."""
    _, is_new = Night.objects.get_or_create(day=now.date(), defaults={"begun_at": now})
    dead = Night.objects.filter(day=now.date(), ended_at=None, begun_at__lt=now - _TAKEN_FOR_DEAD)
    return is_new or dead.update(begun_at=now) == 1
