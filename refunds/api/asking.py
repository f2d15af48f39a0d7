"""From a body that was read to the one verb that accepts a refund: the same for one wish and for many."""

from typing import Any

from refunds.intake import Accepted, client_of, request_refund
from refunds.targets import order_meant
from stores.actors import Actor
from stores.models import StoreSystem
from stores.money import Money


def ask(asked: dict[str, Any], *, request_key: str, system: StoreSystem, by: Actor) -> Accepted:
    """Ask for what a RefundBodySerializer has read. Raises as `request_refund` and `order_meant`."""
    client_id = client_of(system, system.store)
    return request_refund(
        order_meant(asked, asker=system, client_id=client_id, request_key=request_key),
        Money(**asked["amount"]),
        reason=asked["reason"],
        reason_text=asked.get("reason_text", ""),
        refunding_store=system.store,
        client_id=client_id,
        request_key=request_key,
        asker=system,
        by=by,
        goods=asked.get("lines"),
        has_receipt=asked["has_receipt"],
        confirms_duplicate=asked["confirms_duplicate"],
        confirms_dispute=asked["confirms_dispute"],
    )
