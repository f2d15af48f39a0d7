"""Taking a refund to work on it: a conditional update, a fence, and a lease from the database's clock."""

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F

from refunds import identity, states
from refunds.deciding import CLEAR_ANSWERS, Books, Sent, Standing, Step
from refunds.models import Attempt, OrderAccount, Refund
from stores import clock, sessions
from stores.actors import Actor
from stores.models import Order


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A refund that this worker holds until `lease_until`, under `fence`."""

    refund: Refund
    order: Order
    fence: int
    by: Actor


def claim_refund(refund_id: uuid.UUID, *, by: Actor) -> Claim | None:
    """T5. None when it is not due, somebody else has it, another refund of the order is in flight, or it is on hold."""
    try:
        with transaction.atomic(durable=True):
            return _claim(refund_id, by)
    except IntegrityError as error:
        if "one_in_flight" in str(error):
            return None
        raise


def _claim(refund_id: uuid.UUID, by: Actor) -> Claim | None:
    now = clock.db_now()
    due = (
        # no_key: the settling of another refund of the order announces this one, and must not wait for us (we may wait for it)
        Refund.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(pk=refund_id, state__in=states.T5_CLAIM.before, next_action_at__lte=now)
        .first()
    )
    if due is None or OrderAccount.objects.filter(order_id=due.order_id, on_hold=True).exists():
        return None
    was_moved = states.move(
        due,
        states.T5_CLAIM,
        by=by,
        because="a worker took it",
        fence=None,
        lease_until=now + states.LEASE,
    )
    if not was_moved:
        return None
    Refund.objects.filter(pk=refund_id).update(fence=F("fence") + 1)
    refund = Refund.objects.select_related("order__sales_unit__key_set", "order__store", "refunding_store").get(
        pk=refund_id
    )
    return Claim(refund=refund, order=refund.order, fence=refund.fence, by=by)


def standing_of(claim: Claim) -> Standing:
    """What is known of the claimed refund, as the decisions take it."""
    refund, unit = claim.refund, claim.order.sales_unit
    sent = Attempt.objects.filter(refund=refund).order_by("number").values_list(
        "provider_key", "generation", "intended_at", "answer__kind"
    )
    return Standing(
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        sends=refund.sends,
        generation=refund.generation,
        soft_refusals=refund.soft_refusals,
        verdict=refund.verdict,
        outcome=refund.outcome,
        provider_code=refund.provider_code,
        unresolved_since=refund.indeterminate_since,
        fence=claim.fence,
        past=tuple(
            Sent(key=key, generation=generation, intended_at=at, is_clear=answer in CLEAR_ANSWERS)
            for key, generation, at, answer in (sent if refund.sends else ())
        ),
        keys=frozenset(
            identity.provider_keys(
                environment=unit.environment, msn=unit.msn, reference=claim.order.reference, refund=refund.pk
            )
        ),
    )


def books_of(account: OrderAccount) -> Books:
    """The order's balances, as the decisions take them."""
    return Books(
        posted_minor=account.posted_minor,
        external_minor=account.external_minor,
        reserved_minor=account.reserved_minor,
        on_hold=account.on_hold,
    )


def take(claim: Claim, step: Step, *, attempt: int = 0) -> bool:
    """Make the step that was decided; False where somebody else was first. Success needs no fence, all else does."""
    if step.move is states.T7_SUCCESS:
        return states.settle_as_refunded(claim.refund, by=claim.by, because=step.because, attempt=attempt, **step.changes)
    return states.move(
        claim.refund, step.move, by=claim.by, because=step.because, fence=claim.fence, attempt=attempt, **step.changes
    )


def drop_keys(claim: Claim) -> None:
    """Vipps refused the keys: the next claim opens them anew, as they then are."""
    if claim.order.sales_unit.key_set_id is not None:
        sessions.forget(claim.order.sales_unit.key_set_id)
