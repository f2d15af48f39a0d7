"""What Vipps says of payments, in tests: a sentence about one, and the index as everybody finds it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pgtrigger
from django.db import connection

from stores.models import Order, OrderConflict, OrderLine, PaidAtFrom, SalesUnit
from stores.orders import Confirmed

_TABLES = ("refunds_ordercheck", "stores_unplacedpayment", "stores_orderconflict", "stores_orderline", "stores_order")
PAID_AT = (datetime.now(UTC) - timedelta(days=3)).replace(microsecond=0)


def told(unit: SalesUnit, reference: str, captured_minor: int | None = 25_000, **facts: Any) -> Confirmed:
    """A payment of the unit: captured all at once at `PAID_AT`, nothing refunded, read just now."""
    said: dict[str, Any] = {
        "currency": unit.currency,
        "refunded_minor": 0,
        "uncaptured_minor": 0,
        "as_of": datetime.now(UTC),
        "paid_at": PAID_AT,
        "paid_at_from": PaidAtFrom.RESERVED,
        **facts,
    }
    return Confirmed(unit_id=unit.pk, reference=reference, captured_minor=captured_minor, **said)


def index() -> list[dict[str, Any]]:
    """Every order with its lines and open contradictions; without ids and the times at which the hub heard of it."""
    without = {"id", "public_id", "indexed_at", "updated_at", "confirmed_at"}
    return [
        {
            **{name: value for name, value in row.items() if name not in without},
            "is_confirmed": row["confirmed_at"] is not None,
            "lines": list(OrderLine.objects.filter(order=row["id"]).values_list("number", "name", "amount_minor")),
            "conflicts": [
                (said_by, sorted(differences))
                for said_by, differences in OrderConflict.objects.filter(order=row["id"], settled_at=None)
                .order_by("said_by")
                .values_list("said_by", "differences")
            ],
        }
        for row in Order.objects.order_by("sales_unit", "reference").values()
    ]


def empty_index() -> None:
    """As if nobody had told of anything."""
    with pgtrigger.ignore(), connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own tables
