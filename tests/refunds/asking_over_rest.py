"""A till that asks for a refund over REST."""

from typing import Any

from refunds.models import LedgerEntry, Refund
from stores.models import Order
from tests.till import Till


def asking(order: Order, amount_minor: Any = 25_000, **more: Any) -> dict[str, Any]:
    return {
        "order_id": f"ord_{order.public_id.hex}",
        "amount": {"amount_minor": amount_minor, "currency": "NOK"},
        "reason": "returned",
        "cashier": "kari-7",
        **more,
    }


def ask(till: Till, body: Any, key: str = "till-1-000001") -> Any:
    return till.post("refunds", body, Idempotency_Key=key)


def nothing_moved() -> bool:
    return not Refund.objects.exists() and not LedgerEntry.objects.exists()
