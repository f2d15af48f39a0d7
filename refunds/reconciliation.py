"""Evidence: what Vipps' event log says about our refunds, and about refunds that we did not make.

Absence is never a failure. Only an event with our own key settles a refund; only a definite refusal plus quiet time ends one.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from refunds import gateway, identity, ledger, states
from refunds.claims import Claim, next_look
from refunds.events import OrderConfirmed, OrderHeld, OutsideRefundSeen
from refunds.models import ENDS, Attempt, EntryKind, Observation, OrderAccount, Refund, Source, State
from stores import audit, clock
from stores.actors import Actor
from stores.audit import Subject
from stores.models import Order
from stores.money import Money
from stores.vipps.session import VippsSession
from stores.vipps.types import Event, Payment


class Resolution(StrEnum):
    """What is left to do after looking."""

    SETTLED = "settled"
    SEND_SAME_KEY = "send_same_key"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What Vipps says about one order now: the payment, and its event log where it was read."""

    payment: Payment
    events: tuple[Event, ...] | None


def read_order(session: VippsSession, order: Order, *, refund: Refund, with_events: bool, by: Actor) -> Reading:
    """Ask Vipps, keep what it showed, write the captured amount into the index, adopt what others refunded.

    The event log is read too when asked for, or when more is refunded there than we know of. Raises VippsError.
    """
    payment = gateway.read_payment(session, order)
    account = OrderAccount.objects.get(order=order)
    is_more_refunded = payment.aggregate.refunded > account.posted_minor + account.external_minor
    events = tuple(gateway.read_events(session, order)) if with_events or is_more_refunded else None
    with transaction.atomic(durable=True):
        account = ledger.locked_account(order.pk)
        _keep(order, refund, Source.PAYMENT, asdict(payment))
        if events is not None:
            _keep(order, refund, Source.EVENTS, {"events": [asdict(event) for event in events]})
        _confirm(order, payment, by=by)
        if events is not None:
            _adopt_outside_refunds(order, account, events, by=by)
    _settle_others(refund, events or (), by=by)
    return Reading(payment=payment, events=events)


def resolve(claim: Claim, reading: Reading) -> Resolution:
    """T12: settle a refund that was sent before from what the log shows, or say that the same key goes out again."""
    refund = claim.refund
    keys = set(Attempt.objects.filter(refund=refund).values_list("provider_key", flat=True))
    ours = [event for event in reading.events or () if event.name == "REFUNDED" and event.idempotency_key in keys]
    successes = [event for event in ours if event.success]
    if len(successes) > 1:
        _move(claim, states.T12_TWICE, "Vipps shows two refunds with our keys", outcome="refunded_twice")
    elif successes and not _is_exactly_ours(successes[0], refund):
        _move(claim, states.T12_MISMATCH, "Vipps shows our key with another amount", outcome="other_amount")
    elif successes and _was_undone(successes[0], ours):
        _move(claim, states.T12_MISMATCH, "Vipps shows our refund as failed after it had succeeded", outcome="undone")
    elif successes:
        because = f"the event log shows our key (Vipps' reference {successes[0].psp_reference})"
        states.settle_as_refunded(refund, by=claim.by, because=because)
    else:
        return _resolve_failures(claim, ours) or _resolve_without_evidence(claim, reading)
    return Resolution.SETTLED


def _was_undone(success: Event, ours: Sequence[Event]) -> bool:
    """Whether Vipps took a refund back that it had reported: a failure under the very same key, later in the log."""
    same_key = [event for event in ours if event.idempotency_key == success.idempotency_key]
    return not same_key[-1].success


def _resolve_failures(claim: Claim, ours: Sequence[Event]) -> Resolution | None:
    """An event with our key and `success: false` is a refusal. It ends the refund if it answers every doubtful send, else
    it waits for quiet time like any refusal. One with a key of an earlier generation says nothing about this one."""
    refund, this_key = claim.refund, Attempt.objects.filter(refund=claim.refund, generation=claim.refund.generation)
    failures = [event for event in ours if this_key.filter(provider_key=event.idempotency_key).exists()]
    clear = [meaning for meaning, consequence in gateway.CONSEQUENCES.items() if not consequence.leaves_doubt]
    if not failures:
        return None
    if len(failures) >= this_key.exclude(answer__kind__in=clear).count():
        _move(claim, states.T10_REFUSED, "the event log shows our key as failed", outcome="failed_at_vipps")
        return Resolution.SETTLED
    if refund.verdict == "reject":
        return None
    because = "the event log shows our key as failed, but another send is still unresolved"
    changes = {"verdict": "reject", "outcome": "failed_at_vipps", "next_action_at": next_look(claim)}
    _move(claim, states.T12_LOOK_AGAIN, because, **changes)
    return Resolution.SETTLED


def _resolve_without_evidence(claim: Claim, reading: Reading) -> Resolution:
    refund, now = claim.refund, clock.db_now()
    is_quiet = refund.indeterminate_since is None or now - refund.indeterminate_since >= states.QUIET_TIME
    first_send = _first_send(refund)
    is_young = first_send is None or now - first_send.intended_at < states.RESEND_WINDOW
    is_worn_out = refund.soft_refusals >= states.SOFT_REFUSALS_BEFORE_NEW_KEY
    if refund.verdict == "conflict":
        _look_again(claim, "our key is known to Vipps with other content; waiting for the event log")
    elif refund.verdict == "reject":
        if not is_quiet:
            _look_again(claim, "refused, but an earlier send is still unresolved")
        elif _has_unexplained_money(refund, reading):
            _move(claim, states.T12_UNEXPLAINED, "refused, but money left the payment that nobody explains")
        else:
            outcome = f"vipps_{refund.provider_code}" if refund.provider_code else refund.outcome
            _move(claim, states.T12_QUIET_REFUSAL, "refused, and nothing appeared in the quiet time", outcome=outcome)
    elif is_quiet and (is_worn_out or not is_young):
        _begin_new_generation(claim, reading)
    elif is_young:
        return Resolution.SEND_SAME_KEY
    else:
        _look_again(claim, "too old to send again, too young to give up")
    return Resolution.SETTLED


def _begin_new_generation(claim: Claim, reading: Reading) -> None:
    refund = claim.refund
    if _has_unexplained_money(refund, reading):
        _move(claim, states.T12_UNEXPLAINED, "money left the payment that nobody explains")
    elif refund.generation >= states.LAST_GENERATION:
        _move(claim, states.T12_LOOK_AGAIN, "the last key is used up", outcome="keys_used_up")
    else:
        _move(
            claim,
            states.T12_NEW_KEY,
            "no send of this key was applied; a new key",
            generation=refund.generation + 1,
            soft_refusals=0,
            indeterminate_since=None,
            next_action_at=clock.db_now(),
        )


def _look_again(claim: Claim, because: str) -> None:
    _move(claim, states.T12_LOOK_AGAIN, because, next_action_at=next_look(claim))


def _move(claim: Claim, row: states.Move, because: str, **changes: Any) -> None:
    states.move(claim.refund, row, by=claim.by, because=because, fence=claim.fence, **changes)


def _settle_others(asked: Refund, events: Sequence[Event], *, by: Actor) -> None:
    """Success counts whoever reads it: the log may show another refund of the order, even one that was given up."""
    keys = Attempt.objects.filter(refund__order=asked.order_id).exclude(refund=asked.pk).exclude(refund__state=State.REFUNDED)
    refunds = {attempt.provider_key: attempt.refund for attempt in keys.select_related("refund")}
    for event in events:
        other = refunds.get(event.idempotency_key or "")
        if other is not None and event.name == "REFUNDED" and event.success and _is_exactly_ours(event, other):
            because = f"the event log shows its key (Vipps' reference {event.psp_reference})"
            states.settle_as_refunded(other, by=by, because=because)


def _is_exactly_ours(event: Event, refund: Refund) -> bool:
    return event.amount.value == refund.amount_minor and event.amount.currency == refund.currency


def _first_send(refund: Refund) -> Attempt | None:
    return Attempt.objects.filter(refund=refund, generation=refund.generation).order_by("number").first()


def _has_unexplained_money(refund: Refund, reading: Reading) -> bool:
    """More or less left the payment than we can attribute, or an unsigned refund of our amount came after our first send."""
    account = OrderAccount.objects.get(order_id=refund.order_id)
    if reading.payment.aggregate.refunded != account.posted_minor + account.external_minor:
        return True
    first = Attempt.objects.filter(refund=refund).order_by("number").first()
    return any(
        event.name == "REFUNDED"
        and event.success
        and event.idempotency_key is None
        and event.amount.value == refund.amount_minor
        and (first is None or event.timestamp >= first.intended_at)
        for event in reading.events or ()
    )


def _keep(order: Order, refund: Refund, source: Source, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, sort_keys=True, default=str)
    Observation.objects.create(
        order=order,
        refund=refund,
        source=source,
        facts=json.loads(text),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        seen_at=clock.db_now(),
    )


def _confirm(order: Order, payment: Payment, *, by: Actor) -> None:
    """Capacity comes from Vipps, never from a store's claim."""
    before = order.captured_minor
    # What was captured stays so: a lower sum is a late one. And none yet is no figure to keep: it may come tomorrow.
    captured = max(payment.aggregate.captured, before or 0)
    Order.objects.filter(pk=order.pk).update(
        captured_minor=captured or before,
        refunded_seen_minor=payment.aggregate.refunded,
        confirmed_at=clock.db_now(),
        updated_at=clock.db_now(),
    )
    order.captured_minor = captured or before
    if captured != (before if before is not None else order.claimed_minor):
        audit.record(
            OrderConfirmed(reference=order.reference, captured_minor=captured, before_minor=before),
            by=by,
            company=order.store.company,
            store=order.store,
            about=Subject(type="order", id=str(order.public_id)),
        )


def _adopt_outside_refunds(order: Order, account: OrderAccount, events: Sequence[Event], *, by: Actor) -> None:
    """Count what somebody else refunded; unsigned events only when they cannot be one of our own without its key."""
    own_keys = set(Attempt.objects.filter(refund__order=order).values_list("provider_key", flat=True))
    refunded = [event for event in events if event.name == "REFUNDED" and event.success]
    seen_minor = sum(event.amount.value for event in refunded if event.idempotency_key in own_keys)
    unresolved = Refund.objects.filter(order=order, indeterminate_since__isnull=False).exclude(state__in=ENDS)
    has_unresolved = unresolved.exists()
    may_adopt_unsigned = not has_unresolved and seen_minor == account.posted_minor
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
    about = Subject(type="order", id=str(order.public_id))
    money = Money(amount_minor=event.amount.value, currency=order.currency)
    audit.record(
        OutsideRefundSeen(
            reference=order.reference,
            amount=str(money),
            amount_minor=money.amount_minor,
            psp_reference=event.psp_reference,
        ),
        by=by,
        company=order.store.company,
        store=order.store,
        about=about,
    )
    if is_orphan:
        because = "a refund with a key of this hub has no row here"
        ledger.hold(order, because)
        audit.record(
            OrderHeld(reference=order.reference, because=because),
            by=by,
            company=order.store.company,
            store=order.store,
            about=about,
        )
