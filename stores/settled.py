"""What the settlement says about one order, and until when it can be believed to say everything."""

from datetime import datetime, timedelta

from django.db.models import Min, OuterRef, QuerySet, Subquery, Sum

from stores.models import DISPUTES, EntryType, Order, SettlementEntry, SettlementFeed

REPORT_LAG = timedelta(hours=24)
"""How long an entry may be on its way into the report: seconds as a rule, hours at worst (Vipps: Report API, guide)."""


def entries_of(order: Order) -> QuerySet[SettlementEntry]:
    """What was settled of the order besides its captures."""
    found = SettlementEntry.objects.filter(sales_unit=order.sales_unit_id, reference=order.reference)
    return found.exclude(entry_type=EntryType.CAPTURE)


def disputed_minor(order: Order) -> int:
    """How much of the order the customer's bank has taken back and not given back, minor units."""
    moved = entries_of(order).filter(entry_type__in=DISPUTES).aggregate(sum=Sum("amount_minor"))["sum"]
    return max(0, -(moved or 0))


def disputed_of_outer() -> Subquery:
    """The same as an expression for a query over orders; null where nothing was ever disputed, negative where it still is."""
    moved = SettlementEntry.objects.filter(
        sales_unit=OuterRef("sales_unit"), reference=OuterRef("reference"), entry_type__in=DISPUTES
    )
    return Subquery(moved.values("sales_unit", "reference").annotate(sum=Sum("amount_minor")).values("sum"))


def settled_until(sales_unit_id: int) -> datetime | None:
    """Until when every entry of a sales unit has been read, late ones included; None where it is not read to an end."""
    feeds = SettlementFeed.objects.filter(sales_unit=sales_unit_id)
    if not feeds or feeds.filter(complete_at=None).exists():
        return None
    complete_at: datetime = feeds.aggregate(first=Min("complete_at"))["first"]
    return complete_at - REPORT_LAG
