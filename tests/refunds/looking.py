"""Looks at orders in tests: as a worker makes them, and what was found."""

from refunds import checks, comparison, settling
from refunds.models import CheckReason, Difference, OrderCheck
from stores import clock, settlements
from stores.actors import hub
from stores.models import Order, SettlementAccess


def look(order: Order) -> list[str]:
    """Compare the order now; the kinds of its open differences."""
    checks.ask_all({order.pk: clock.db_now()}, CheckReason.ASKED)
    assert comparison.check_order(order.pk, by=hub("worker")) is not None
    return open_kinds(order)


def open_kinds(order: Order) -> list[str]:
    return sorted(Difference.objects.filter(order=order, closed_at=None).values_list("kind", flat=True))


def settle(order: Order) -> None:
    """Read what has been settled of the order's sales unit."""
    settlements.know_units()
    SettlementAccess.objects.update(next_read_at=clock.db_now())
    settling.read(order.sales_unit_id, by=hub("worker"))


def is_due(order: Order) -> bool:
    return OrderCheck.objects.filter(order=order, due_at__lte=clock.db_now()).exists()
