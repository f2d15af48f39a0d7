"""The settlement, read for the path of money: what does not fit the hub's ledger becomes a check of its order."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum

from refunds import checks
from refunds.models import CheckReason
from stores import clock, nudge, settlements
from stores.actors import Actor
from stores.models import DISPUTES, EntryType, Order, SettlementAccess, SettlementEntry

TASK = "refunds.read_settlement"
_NUDGED_LATELY = settlements.LEASE
_UNITS_A_PASS = 20
_RUNS_SECONDS = 10.0
_OLD = timedelta(days=3)
_BY_AND_BY = timedelta(days=1)
_LOOKED_INTO = frozenset({EntryType.REFUND.value, EntryType.CORRECTION.value, *(kind.value for kind in DISPUTES)})


def read(sales_unit_id: int, *, by: Actor) -> int:
    """Read on in the settlement of a sales unit; how many pages. Where there is more, a worker is rung for at once."""
    pages = settlements.read_settlement(sales_unit_id, by=by, kept=_ask_for_checks)
    if pages >= settlements.PAGES_IN_ONE_GO:
        is_rung = nudge.publish(TASK, str(sales_unit_id))
        SettlementAccess.objects.filter(pk=sales_unit_id).update(nudged_at=clock.db_now() if is_rung else None)
    return pages


def move_due(*, by: Actor) -> int:
    """For the rounds: ring for every settlement that is due; read it here where no worker comes, for a few seconds."""
    settlements.know_units()
    now, ends_at = clock.db_now(), clock.monotonic() + _RUNS_SECONDS
    due = SettlementAccess.objects.filter(next_read_at__lte=now).order_by("next_read_at")
    quiet = due.filter(Q(nudged_at=None) | Q(nudged_at__lt=now - _NUDGED_LATELY))
    found = list(quiet.values_list("pk", "nudged_at", "next_read_at")[:_UNITS_A_PASS])
    takes_messages = True
    for unit_id, nudged_at, next_read_at in found:
        was_in_vain = nudged_at is not None and nudged_at >= next_read_at
        SettlementAccess.objects.filter(pk=unit_id).update(nudged_at=now)
        takes_messages = takes_messages and not was_in_vain and nudge.publish(TASK, str(unit_id))
        if not takes_messages and clock.monotonic() < ends_at:
            read(unit_id, by=by)
    return len(found)


def _ask_for_checks(rows: Sequence[SettlementEntry]) -> None:
    """Within the page's transaction, so that a page that is kept is looked into."""
    by_unit: dict[int, dict[str, datetime]] = {}
    for row in rows:
        if row.entry_type in _LOOKED_INTO and row.sales_unit_id is not None:
            newest = by_unit.setdefault(row.sales_unit_id, {})
            newest[row.reference] = max(row.at, newest.get(row.reference, row.at))
    now = clock.db_now()
    for unit_id, newest in by_unit.items():
        misfits = _misfits(unit_id, list(newest))
        checks.ask_all(
            {order.pk: now + _patience(order, now - newest[order.reference]) for order in misfits}, CheckReason.SETTLEMENT
        )


def _misfits(unit_id: int, references: list[str]) -> list[Order]:
    """The orders of which more was settled than the hub counts, or anything was corrected or disputed."""
    lines = SettlementEntry.objects.filter(sales_unit=unit_id, reference__in=references, entry_type__in=_LOOKED_INTO)
    is_refund = Q(entry_type=EntryType.REFUND)
    settled = {
        line["reference"]: (line["refunded"] or 0, line["others"])
        for line in lines.values("reference").annotate(
            refunded=Sum("amount_minor", filter=is_refund), others=Count("pk", filter=~is_refund)
        )
    }
    orders = Order.objects.filter(sales_unit=unit_id, reference__in=references).select_related("account")
    return [order for order in orders if not _fits(order, *settled.get(order.reference, (0, 0)))]


def _fits(order: Order, refunded_minor: int, others: int) -> bool:
    account = getattr(order, "account", None)
    counted = account.posted_minor + account.external_minor if account else 0
    return -refunded_minor <= counted and not others


def _patience(order: Order, age: timedelta) -> timedelta:
    """What was settled long ago, of an order that nobody refunds here, is looked into by and by: there may be a great many."""
    if age < _OLD or getattr(order, "account", None) is not None:
        return timedelta()
    return _BY_AND_BY * int.from_bytes(clock.random_bytes(2), "big") / 2**16
