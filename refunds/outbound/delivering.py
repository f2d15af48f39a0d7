"""Sending a message until it is taken or given up; the row is the work, whoever finds it may try."""

import logging
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from refunds.events import DeliveryRequeued
from refunds.models import Delivery
from refunds.outbound import sending
from refunds.outbound.trying import Tried
from stores import audit, clock, nudge, signing
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, Misconfigured

logger = logging.getLogger(__name__)

TASK = "refunds.deliver"
WAITS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60)
)
"""What follows the first, second, … try; the first is longer than any try lasts. After the last there is none: given up."""
_WAIT_FOR_KEYS = timedelta(minutes=1)
_NUDGED_LATELY = timedelta(seconds=30)
_OVERDUE = timedelta(minutes=2)
_MOST_AT_ONCE = 4
_WAIT_FOR_A_SLOT_SECONDS = 0.5
_BATCH = 200
_SWEEP_SECONDS = 5.0

_slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
"""A store's slow server may hold up other messages, never the workers that carry refunds."""


@dataclass(frozen=True, kw_only=True)
class _Message:
    delivery: Delivery
    headers: dict[str, str]


def ring(delivery_id: uuid.UUID) -> bool:
    """Ask a worker to send a message; False where the broker does not take it (the sweep finds it)."""
    return nudge.publish(TASK, str(delivery_id))


def deliver(delivery_id: uuid.UUID) -> Tried | None:
    """Try once to send this message. None when it is not due, somebody else tries, or it cannot be signed here now."""
    if not _slots.acquire(timeout=_WAIT_FOR_A_SLOT_SECONDS):
        return None
    try:
        message = _claim(delivery_id)
        if message is None:
            return None
        delivery = message.delivery
        tried = sending.post(delivery.endpoint.url, body=delivery.body.encode(), headers=message.headers)
        _record(delivery, tried)
    finally:
        _slots.release()
    return tried


def ring_due() -> int:
    """For the sweep: ring for every message that is due; where no worker comes, send it here, for a few seconds at most."""
    now, ends_at = clock.db_now(), clock.monotonic() + _SWEEP_SECONDS
    due = Delivery.objects.filter(next_try_at__lte=now).order_by("next_try_at")
    quiet = due.filter(Q(nudged_at=None) | Q(nudged_at__lt=now - _NUDGED_LATELY))
    found = list(quiet.values_list("pk", "next_try_at")[:_BATCH])
    for delivery_id, next_try_at in found:
        Delivery.objects.filter(pk=delivery_id).update(nudged_at=now)
        is_overdue = next_try_at is not None and next_try_at < now - _OVERDUE
        if (not ring(delivery_id) or is_overdue) and clock.monotonic() < ends_at:
            deliver(delivery_id)
    return len(found)


def send_again(delivery: Delivery, *, by: Actor) -> Delivery:
    """Begin a given-up message's tries anew, under the same id. Raises Conflict where it waits or was delivered."""
    with transaction.atomic():
        given_up = Delivery.objects.filter(pk=delivery.pk, next_try_at=None, delivered_at=None)
        if not given_up.update(next_try_at=clock.sql_now(), tries=0, nudged_at=None):
            raise Conflict(_("This message was delivered, or is still being tried."), code="not_given_up")
        delivery.refresh_from_db()
        system = delivery.endpoint.system
        event = DeliveryRequeued(event=delivery.event, refund=str(delivery.refund), system=system.name)
        about = Subject(type="store_system", id=str(system.public_id))
        transaction.on_commit(lambda: ring(delivery.pk))
        audit.record(event, by=by, company=system.store.company, store=system.store, about=about)
    return delivery


def _claim(delivery_id: uuid.UUID) -> _Message | None:
    """Take the message for one try: the next one is set first, so that a crash loses nothing."""
    with transaction.atomic():
        now = clock.db_now()
        delivery = (
            Delivery.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .select_related("endpoint__system__store")
            .filter(pk=delivery_id, next_try_at__lte=now)
            .first()
        )
        if delivery is None:
            return None
        row = Delivery.objects.filter(pk=delivery.pk)
        if not delivery.endpoint.is_active or not delivery.endpoint.system.is_active:
            row.update(next_try_at=None, problem="switched off")
            return None
        message_id = f"msg_{delivery.pk.hex}"
        try:
            signature = signing.sign(delivery.endpoint.system, message_id=message_id, at=now, body=delivery.body)
        except Misconfigured as error:
            logger.warning("message %s cannot be signed: %s", delivery.pk, error.code)
            row.update(next_try_at=now + _WAIT_FOR_KEYS, problem=error.code)
            return None
        wait = WAITS[delivery.tries] if delivery.tries < len(WAITS) else None
        row.update(tries=delivery.tries + 1, next_try_at=now + wait if wait else None)
    headers = {
        "content-type": "application/json",
        "user-agent": f"Refund-Hub/{settings.VERSION}",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    return _Message(delivery=delivery, headers=headers)


def _record(delivery: Delivery, tried: Tried) -> None:
    row = Delivery.objects.filter(pk=delivery.pk, delivered_at=None)
    if tried.problem:
        row.update(last_status=tried.status, problem=tried.problem[:120])
    else:
        row.update(last_status=tried.status, problem="", delivered_at=clock.db_now(), next_try_at=None)
