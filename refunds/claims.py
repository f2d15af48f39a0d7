"""Taking a refund to work on it: a conditional update, a fence, and a lease from the database's clock."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef

from refunds import breakers, identity, pausing, states
from refunds.deciding import CLEAR_ANSWERS, Books, Sent, Standing, Step
from refunds.gateway import Meaning, Outcome
from refunds.models import Attempt, Breaker, Kind, OrderAccount, Refund, RestoreEpoch, WaitsFor
from refunds.release_moves import R7_RELEASED, row_for, settle_as_released
from stores import clock, sessions
from stores.actors import Actor
from stores.models import Order

_WITH = ("order__sales_unit__key_set", "order__sales_unit__company", "order__store", "refunding_store")
_RESTORES_COUNT_FOR = timedelta(days=30)
_LOOK_AT_PAUSE_AFTER = timedelta(seconds=30)
"""A pause that ends makes what waits for it due at once; this is for the one whose end was missed."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A refund that this worker holds until `lease_until`, under `fence`.

    `is_watched` while any breaker counts failures; `is_after_restore` where the rows of its sends may have been lost.
    """

    refund: Refund
    order: Order
    fence: int
    by: Actor
    is_watched: bool = False
    is_after_restore: bool = False


def claim_refund(refund_id: uuid.UUID, *, by: Actor) -> Claim | None:
    """T5. None when it is not due, somebody else has it, another refund of the order is in flight, it is on hold, or it
    has to wait: for headquarters to end a pause, or for a breaker to close."""
    is_watched = Breaker.objects.filter(failures__gt=0).exists()
    if is_watched and _is_shut_off(refund_id, by):
        return None
    try:
        with transaction.atomic(durable=True):
            return _claim(refund_id, by, is_watched=is_watched)
    except IntegrityError as error:
        if "one_in_flight" in str(error):
            return None
        raise


def _claim(refund_id: uuid.UUID, by: Actor, *, is_watched: bool) -> Claim | None:
    now = clock.db_now()
    due = (
        # no_key: the settling of another refund of the order announces this one, and must not wait for us (we may wait for it)
        Refund.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .annotate(is_paused=pausing.over_refund(), is_after_restore=_was_restored_lately(now))
        .filter(pk=refund_id, state__in=states.T5_CLAIM.before, next_action_at__lte=now)
        .first()
    )
    if due is not None and due.is_paused:
        _park(due, WaitsFor.PAUSE, now + _LOOK_AT_PAUSE_AFTER)
        return None
    if due is None or OrderAccount.objects.filter(order_id=due.order_id, on_hold=True).exists():
        return None
    was_moved = states.move(
        due,
        row_for(due.kind, states.T5_CLAIM),
        by=by,
        because="a worker took it",
        fence=None,
        lease_until=now + states.LEASE,
        waits_for="",
    )
    if not was_moved:
        return None
    Refund.objects.filter(pk=refund_id).update(fence=F("fence") + 1)
    refund = Refund.objects.select_related(*_WITH).get(pk=refund_id)
    return Claim(
        refund=refund,
        order=refund.order,
        fence=refund.fence,
        by=by,
        is_watched=is_watched,
        is_after_restore=due.is_after_restore,
    )


def _is_shut_off(refund_id: uuid.UUID, by: Actor) -> bool:
    now = clock.db_now()
    waiting = Refund.objects.filter(pk=refund_id, state__in=states.T5_CLAIM.before, next_action_at__lte=now)
    refund = waiting.select_related("order__sales_unit__key_set", "order__sales_unit__company").first()
    obstacle = breakers.is_shut_off(refund.order.sales_unit, by=by) if refund else None
    if refund is None or obstacle is None:
        return False
    _park(refund, *obstacle)
    return True


def is_being_checked(company_id: int) -> bool:
    """Whether a restore of this chain is still being checked, so that nothing may be sent."""
    return RestoreEpoch.objects.filter(company=company_id, ended_at=None).exists()


def _was_restored_lately(now: datetime) -> Exists:
    """Sends of that time may be missing here: until Vipps has long forgotten their keys, the event log is asked first."""
    lately = now - _RESTORES_COUNT_FOR
    return Exists(RestoreEpoch.objects.filter(company=OuterRef("refunding_store__company"), declared_at__gt=lately))


def _park(refund: Refund, waits_for: WaitsFor, until: datetime) -> None:
    """Look at it again then; it stays in its state, so there is no move to make."""
    still_there = Refund.objects.filter(pk=refund.pk, state=refund.state, fence=refund.fence)
    still_there.update(waits_for=waits_for, next_action_at=until)


def standing_of(claim: Claim) -> Standing:
    """What is known of the claimed refund, as the decisions take it."""
    refund, unit = claim.refund, claim.order.sales_unit
    sent = Attempt.objects.filter(refund=refund).order_by("number").values_list(
        "provider_key", "generation", "intended_at", "answer__kind"
    )
    return Standing(
        kind=Kind(refund.kind),
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
        is_after_restore=claim.is_after_restore,
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
    row = row_for(claim.refund.kind, step.move)
    if row is R7_RELEASED:
        return settle_as_released(claim.refund, by=claim.by, because=step.because, attempt=attempt, **step.changes)
    if row is states.T7_SUCCESS:
        return states.settle_as_refunded(claim.refund, by=claim.by, because=step.because, attempt=attempt, **step.changes)
    return states.move(
        claim.refund, row, by=claim.by, because=step.because, fence=claim.fence, attempt=attempt, **step.changes
    )


def drop_keys(claim: Claim) -> None:
    """Vipps refused the keys: the next claim opens them anew, as they then are."""
    if claim.order.sales_unit.key_set_id is not None:
        sessions.forget(claim.order.sales_unit.key_set_id)


def heed(claim: Claim, outcome: Outcome | None, *, is_unknown: bool = False) -> None:
    """Let the breakers count what a call came to (None: it went well), outside any transaction.

    Where nothing has failed and nothing fails, there is nothing to count.
    """
    has_failed = outcome is not None and outcome.meaning is not Meaning.SUCCESS
    if has_failed or claim.is_watched:
        breakers.heed(claim.order.sales_unit, outcome, is_unknown=is_unknown, by=claim.by)
