"""The two lists of orders over REST: what a search of the chain found, and what changed in one's own store."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.api.serializers import OrderSerializer
from stores.errors import NotFound
from stores.models import Order, Store, StoreSystem
from stores.search import Position, find_orders, read_cursor, write_cursor


def found_orders(system: StoreSystem, asked: dict[str, Any]) -> dict[str, Any]:
    """A search of the whole chain. Raises NotFound for a store code that the chain does not have."""
    found = find_orders(
        asked.get("q", ""),
        asker=system,
        store=_store_named(system, asked["store"]) if "store" in asked else None,
        amount_minor=asked.get("amount_minor"),
        day=asked.get("day"),
        cursor=asked.get("cursor", ""),
        limit=asked["limit"],
    )
    return _page([hit.order for hit in found.hits], found.next_cursor, found.hint)


def changed_orders(system: StoreSystem, asked: dict[str, Any]) -> dict[str, Any]:
    """The calling store's own orders, oldest change first; one that changes meanwhile comes again, later."""
    limit = asked["limit"]
    orders = Order.objects.filter(store=system.store).select_related("store")
    if "updated_since" in asked:
        orders = orders.filter(updated_at__gte=asked["updated_since"])
    after = read_cursor(asked.get("cursor", ""), ids=int)
    if after is not None:
        orders = orders.filter(Q(updated_at__gt=after.at) | Q(updated_at=after.at, id__gt=after.id))
    page = list(orders.order_by("updated_at", "id")[: limit + 1])
    shown = page[:limit]
    next_cursor = write_cursor(Position(at=shown[-1].updated_at, id=shown[-1].pk)) if len(page) > limit else ""
    return _page(shown, next_cursor, "")


def _page(orders: list[Order], next_cursor: str, hint: str) -> dict[str, Any]:
    return {"orders": OrderSerializer(orders, many=True).data, "next_cursor": next_cursor, "hint": hint}


def _store_named(system: StoreSystem, code: str) -> Store:
    store = Store.objects.filter(company=system.store.company_id, code=code).first()
    if store is None:
        raise NotFound(_("There is no such store."), field="store")
    return store
