"""The list of refunds over REST: newest first, by cursor."""

from typing import Any
from uuid import UUID

from django.db.models import Q

from refunds import queries
from refunds.api.serializers import RefundSerializer
from stores import access
from stores.api.ids import ORDER, read_id
from stores.api.serializers import LARGEST_PAGE
from stores.models import StoreSystem
from stores.search import Position, read_cursor, write_cursor


def refunds_page(system: StoreSystem, asked: dict[str, Any]) -> dict[str, Any]:
    """The refunds that this store made, of one order if asked. Raises NotFound for an order that is not to be seen."""
    refunds = queries.refunds_visible_to(system)
    if "order_id" in asked:
        refunds = refunds.filter(order=access.order_for(system, read_id(ORDER, asked["order_id"])))
    after = read_cursor(asked.get("cursor", ""), ids=UUID)
    if after is not None:
        refunds = refunds.filter(Q(accepted_at__lt=after.at) | Q(accepted_at=after.at, id__lt=after.id))
    limit = min(asked["limit"], LARGEST_PAGE)
    page = list(refunds.order_by("-accepted_at", "-id").prefetch_related("lines__line")[: limit + 1])
    shown = page[:limit]
    next_cursor = write_cursor(Position(at=shown[-1].accepted_at, id=shown[-1].pk)) if len(page) > limit else ""
    return {"refunds": RefundSerializer(shown, many=True).data, "next_cursor": next_cursor}
