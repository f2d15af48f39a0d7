"""Orders as a file, page after page by key: no statement is longer for a list of millions."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from hq.admin.csv_files import Cell
from stores import access, audit
from stores.access import Right
from stores.actors import Actor
from stores.events import OrdersExported
from stores.models import Order, User

ORDER_COLUMNS = (
    *("store", "reference", "channel", "paid_at", "currency", "claimed_minor", "captured_minor", "receipt_number"),
    *("confirmed_at", "indexed_at", "id"),
)
_PAGE = 2_000
_LONGEST_CHOICE = 200


def order_rows(orders: QuerySet[Order]) -> Iterator[Sequence[Cell]]:
    """The newest payment first, as the list has them. Amounts are minor units, times RFC 3339 in UTC."""
    # Filters may go through other tables, so the page is cut here and not by the list's own order.
    ordered = orders.order_by("-paid_at", "-id").select_related("store")
    page: list[Order] = list(ordered[:_PAGE])
    while page:
        yield from map(_row, page)
        last = page[-1]
        page = list(ordered.filter(Q(paid_at__lt=last.paid_at) | Q(paid_at=last.paid_at, pk__lt=last.pk))[:_PAGE])


def note_export(chosen: str, *, asker: User, by: Actor) -> None:
    """The entry in headquarters' chain. Raises Forbidden."""
    access.require(asker, Right.SEARCH_ORDERS)
    event = OrdersExported(person=str(asker), chosen=chosen[:_LONGEST_CHOICE] or "all")
    company = access.company_of(asker)
    with transaction.atomic():
        audit.record(event, by=by, company=company, store=None, about=audit.Subject(type="company", id=str(company.pk)))


def _row(order: Order) -> Sequence[Cell]:
    return (
        *(order.store.code, order.reference, order.channel, _moment(order.paid_at), order.currency),
        *(_minor(order.claimed_minor), _minor(order.captured_minor), order.receipt_number),
        *(_moment(order.confirmed_at), _moment(order.indexed_at), f"ord_{order.public_id.hex}"),
    )


def _minor(amount: int | None) -> Cell:
    return "" if amount is None else amount


def _moment(at: Any) -> str:
    return at.isoformat() if at else ""
