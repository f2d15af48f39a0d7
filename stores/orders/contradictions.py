"""When a later sync says something else than the hub knows: kept for headquarters, never applied."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stores.models import OrderConflict, Store, StoreSystem
from stores.orders.upsert import Known, NewOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """`fields` names what differs, as the row calls it."""

    known: Known
    said: NewOrder
    fields: tuple[str, ...]


def differences(known: Known, said: NewOrder, *, store: Store) -> tuple[str, ...]:
    """The fields of `said` that cannot be true beside `known`."""
    checks = {
        "store": known.store_id == store.pk,
        "amount.currency": known.currency == said.currency,
        "amount.amount_minor": known.amount_minor in (None, said.claimed_minor),
        "paid_at": known.is_same_day,
    }
    return tuple(name for name, agrees in checks.items() if not agrees)


def keep_contradictions(found: Iterable[Contradiction], *, system: StoreSystem) -> list[Contradiction]:
    """Store each contradiction once; returns those that were not known yet.

    What somebody has settled does not come again each night: only with other claims, or where something else differs.
    """
    told = {(item.known.id, _claims_key(_claims(item.said, system))): item for item in found}
    known = {
        (order_id, _claims_key(claims)): (settled_at, differences)
        for order_id, claims, settled_at, differences in OrderConflict.objects.filter(
            order_id__in={order_id for order_id, _ in told}
        )
        .order_by("seen_at")
        .values_list("order_id", "claims", "settled_at", "differences")
    }
    fresh = [item for key, item in told.items() if key not in known or _is_other(item, *known[key])]
    OrderConflict.objects.bulk_create(
        [
            OrderConflict(
                order_id=item.known.id,
                said_by=str(system)[:160],
                claims=_claims(item.said, system),
                differences=list(item.fields),
            )
            for item in fresh
        ]
    )
    return fresh


def _is_other(found: Contradiction, settled_at: datetime | None, differences: list[str]) -> bool:
    return settled_at is not None and differences != list(found.fields)


def _claims(said: NewOrder, system: StoreSystem) -> dict[str, Any]:
    return {
        "store": system.store.code,
        "amount_minor": said.claimed_minor,
        "currency": said.currency,
        "paid_at": said.paid_at.isoformat(),
    }


def _claims_key(claims: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(claims.items()))
