"""Which messages a change of state means, written in the transaction of that change: never for one that is rolled back."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from refunds.models import Delivery, EventType, Refund, State, WebhookEndpoint
from refunds.outbound.delivering import ring
from stores import audit
from stores.api.ids import ORDER, REFUND, shown_id
from stores.models import Scope

EVENT_OF_STATE: Mapping[State, EventType] = {
    State.REFUNDED: EventType.REFUNDED,
    State.RELEASED: EventType.RELEASED,
    State.DECLINED: EventType.DECLINED,
    State.REJECTED: EventType.REJECTED,
    State.CANCELLED: EventType.CANCELLED,
    State.UNKNOWN: EventType.UNKNOWN,
    State.REVIEW: EventType.REVIEW,
}


def derive(refund: Refund, after: State, *, at: datetime, outcome: str = "") -> None:
    """Write what the systems of both stores are to be told of this move, and ring for a worker after the commit.

    `refund` as it was before the move, locked by the caller, with its order, both stores and sales unit. The caller writes
    the trail entry afterwards: the version counts it.
    """
    event = EVENT_OF_STATE.get(after)
    if event is None:
        return
    endpoints = list(_listening_to(refund))
    if not endpoints:
        return
    last_told = dict(
        Delivery.objects.filter(refund=refund, endpoint__in=endpoints).order_by("version").values_list("endpoint_id", "event")
    )
    version = audit.timeline_of("refund", str(refund.pk)).count() + 1
    for endpoint in endpoints:
        if event == EventType.UNKNOWN and last_told.get(endpoint.pk) == event:
            continue  # every look that found nothing leads back to unknown; that is no news
        written = Delivery.objects.create(
            endpoint=endpoint,
            refund=refund,
            event=event,
            version=version,
            body=_body(refund, endpoint, event, after, version=version, at=at, outcome=outcome),
            written_at=at,
            next_try_at=at,
        )
        transaction.on_commit(partial(ring, written.pk))


def _listening_to(refund: Refund) -> QuerySet[WebhookEndpoint]:
    """The refunding store's systems and those of the store whose sale it was, as far as they may read refunds."""
    return WebhookEndpoint.objects.filter(
        is_active=True,
        system__is_active=True,
        system__scopes__contains=[Scope.REFUNDS_READ],
        system__store__closed_at=None,
        system__store__in=(refund.refunding_store_id, refund.order.store_id),
    ).select_related("system")


def _body(
    refund: Refund,
    endpoint: WebhookEndpoint,
    event: EventType,
    after: State,
    *,
    version: int,
    at: datetime,
    outcome: str,
) -> str:
    """The message (Standard Webhooks: payload structure), in the words of the REST door; no names of people."""
    is_asker = refund.client_id == str(endpoint.system.public_id)
    told: dict[str, Any] = {
        "type": event.value,
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "data": {
            "id": shown_id(REFUND, refund.pk),
            "version": version,
            "state": after.value,
            "outcome": outcome,
            "order_id": shown_id(ORDER, refund.order.public_id),
            "reference": refund.order.reference,
            "number": refund.number,
            "kind": refund.kind,
            "amount": {"amount_minor": refund.shown_minor, "currency": refund.currency},
            "origin_store": refund.order.store.code,
            "refunding_store": refund.refunding_store.code,
            # Only the asker knows its own keys; it may hear of the end before it has read the answer with the id.
            "request_key": refund.client_key if is_asker else None,
        },
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
