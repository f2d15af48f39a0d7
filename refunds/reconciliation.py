"""Evidence: what Vipps shows about an order is kept, believed where it is success, and counted where others refunded.

What follows for the refund that is being worked on is decided elsewhere (`deciding`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from refunds import evidence, gateway, identity, ledger, release_deciding, release_moves, states
from refunds.deciding import Reading, is_exactly
from refunds.events import OrderConfirmed, OrderHeld, OutsideRefundSeen
from refunds.models import ENDS, EntryKind, Kind, Observation, OrderAccount, Refund, Source, State
from stores import audit, clock
from stores.actors import Actor
from stores.models import Order
from stores.money import Money
from stores.orders import as_confirmed, confirm_orders
from stores.vipps.session import VippsSession
from stores.vipps.types import Event, Payment


def read_order(
    session: VippsSession, order: Order, *, refund: Refund | None = None, with_events: bool, by: Actor
) -> Reading:
    """Ask Vipps, keep what it showed, write the captured amount into the index, adopt what others refunded.

    `refund` is the one that is being worked on, if any: what follows for it is decided by who claimed it. The event log
    is read too when asked for, or when more is refunded there than we know of. Raises VippsError.
    """
    as_of = clock.db_now()
    payment = gateway.read_payment(session, order)
    if refund is None:
        ledger.open_account(order)
    account = OrderAccount.objects.get(order=order)
    is_more_refunded = payment.aggregate.refunded > account.posted_minor + account.external_minor
    events = tuple(gateway.read_events(session, order)) if with_events or is_more_refunded else None
    with transaction.atomic(durable=True):
        account = ledger.locked_account(order.pk)
        _keep(order, refund, Source.PAYMENT, asdict(payment))
        if events is not None:
            _keep(order, refund, Source.EVENTS, {"events": [asdict(event) for event in events]})
        _confirm(order, payment, events, as_of=as_of, by=by)
        if events is not None:
            _adopt_outside_refunds(order, account, events, by=by)
    reading = Reading(payment=payment, events=events)
    _settle_others(order, reading, but=refund, by=by)
    return reading


def _settle_others(order: Order, reading: Reading, *, but: Refund | None, by: Actor) -> None:
    """Success counts whoever reads it: the log may show another refund of the order, even one that was given up.

    What is not plain (two successes, one that was taken back) is for whoever works on that refund, or for people.
    """
    for other in Refund.objects.filter(order=order).exclude(state__in=(State.REFUNDED, State.RELEASED)):
        if other == but:
            continue
        if other.kind == Kind.RELEASE:
            _settle_release(other, reading, by=by)
            continue
        signed = evidence.signed(reading.events or (), keys_of(order, other))
        exact = [event for event in signed if is_exactly(event, amount_minor=other.amount_minor, currency=other.currency)]
        if exact and (len(signed) == 1 or other.has_ended):
            reference = exact[0].psp_reference
            because = f"the event log shows its key (Vipps' reference {reference})"
            states.settle_as_refunded(other, by=by, because=because, psp_reference=reference)


def _settle_release(release: Refund, reading: Reading, *, by: Actor) -> None:
    keys = keys_of(release.order, release)
    cancels = [event for event in reading.events or () if event.name == "CANCELLED" and event.idempotency_key in keys]
    successes = [event for event in cancels if event.success]
    if successes and release_deciding.shown_by(reading).is_released:
        because = f"the event log shows its key (Vipps' reference {successes[0].psp_reference})"
        release_moves.settle_as_released(release, by=by, because=because)


def keys_of(order: Order, refund: Refund) -> tuple[str, ...]:
    """All keys of a refund, whether or not its attempts are still known."""
    unit = order.sales_unit
    return identity.provider_keys(environment=unit.environment, msn=unit.msn, reference=order.reference, refund=refund.pk)


def _keep(order: Order, refund: Refund | None, source: Source, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, sort_keys=True, default=str)
    Observation.objects.create(
        order=order,
        refund=refund,
        source=source,
        facts=json.loads(text),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        seen_at=clock.db_now(),
    )


def _confirm(order: Order, payment: Payment, events: tuple[Event, ...] | None, *, as_of: datetime, by: Actor) -> None:
    """Capacity comes from Vipps, never from a store's claim."""
    before = order.captured_minor
    # What was captured stays so: a lower sum is a late one. And none yet is no figure to keep: it may come tomorrow.
    captured = max(payment.aggregate.captured, before or 0)
    told = as_confirmed(payment, events, unit_id=order.sales_unit_id, reference=order.reference, as_of=as_of)
    confirm_orders([told], by=by)
    order.captured_minor = captured or before
    if captured != (before if before is not None else order.claimed_minor):
        event = OrderConfirmed(reference=order.reference, captured_minor=captured, before_minor=before)
        audit.record_about_order(event, order, by=by)


def _adopt_outside_refunds(order: Order, account: OrderAccount, events: Sequence[Event], *, by: Actor) -> None:
    """Count what somebody else refunded; unsigned events only when they cannot be one of our own without its key."""
    own_keys = {key for refund in Refund.objects.filter(order=order) for key in keys_of(order, refund)}
    refunded = evidence.standing(events)
    seen_minor = sum(
        event.amount.value
        for event in refunded
        if event.idempotency_key in own_keys or ledger.is_claimed(order, event.psp_reference)
    )
    unresolved = Refund.objects.filter(order=order, indeterminate_since__isnull=False).exclude(state__in=ENDS)
    has_unresolved = unresolved.exists()
    may_adopt_unsigned = not has_unresolved and seen_minor == account.posted_minor + ledger.surplus_minor(order)
    for event in refunded:
        if event.idempotency_key in own_keys or (event.idempotency_key is None and not may_adopt_unsigned):
            continue
        if ledger.is_booked(order, event.psp_reference):
            continue
        is_orphan = identity.is_ours(event.idempotency_key)
        kind = EntryKind.ORPHAN if is_orphan else EntryKind.EXTERNAL
        ledger.book(order, kind, event.amount.value, psp_reference=event.psp_reference)
        _tell(order, event, is_orphan=is_orphan, by=by)


def _tell(order: Order, event: Event, *, is_orphan: bool, by: Actor) -> None:
    money = Money(amount_minor=event.amount.value, currency=order.currency)
    seen = OutsideRefundSeen(
        reference=order.reference,
        amount=str(money),
        amount_minor=money.amount_minor,
        psp_reference=event.psp_reference,
    )
    audit.record_about_order(seen, order, by=by)
    if is_orphan:
        because = "a refund with a key of this hub has no row here"
        ledger.hold(order, because)
        audit.record_about_order(OrderHeld(reference=order.reference, because=because), order, by=by)
