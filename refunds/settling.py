"""The settlement, read for the path of money: what does not fit the hub's ledger becomes a check of its order."""

from collections.abc import Sequence

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from refunds import checks
from refunds.models import CheckReason, OrderAccount
from stores import clock, nudge, settlements
from stores.actors import Actor
from stores.models import DISPUTES, EntryType, Order, SettlementAccess, SettlementEntry

TASK = "refunds.read_settlement"
_NUDGED_LATELY = settlements.LEASE
_UNITS_A_PASS = 20
_RUNS_SECONDS = 10.0
_LOOKED_INTO = frozenset({EntryType.REFUND.value, EntryType.CORRECTION.value, *(kind.value for kind in DISPUTES)})


def read(sales_unit_id: int, *, by: Actor) -> int:
    """Read on in the settlement of a sales unit; how many pages."""
    return settlements.read_settlement(sales_unit_id, by=by, kept=_ask_for_checks)


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
    wanted = Q()
    for row in rows:
        if row.entry_type in _LOOKED_INTO and row.sales_unit_id is not None:
            wanted |= Q(sales_unit=row.sales_unit_id, reference=row.reference)
    if not wanted:
        return
    now = clock.db_now()
    misfits = [order for order in Order.objects.filter(wanted) if not _fits(order)]
    checks.ask_all({order.pk: now for order in misfits}, CheckReason.SETTLEMENT)


def _fits(order: Order) -> bool:
    """Whether nothing more was settled than the hub counts, and nothing was corrected or disputed."""
    settled = SettlementEntry.objects.filter(sales_unit=order.sales_unit_id, reference=order.reference)
    refunded = settled.filter(entry_type=EntryType.REFUND).aggregate(sum=Coalesce(Sum("amount_minor"), 0))["sum"]
    account = OrderAccount.objects.filter(order=order).first()
    counted = account.posted_minor + account.external_minor if account else 0
    return -refunded <= counted and not settled.filter(entry_type__in=_LOOKED_INTO - {EntryType.REFUND.value}).exists()
