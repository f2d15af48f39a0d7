"""The hold of an order: while it stands, nothing of the order is accepted or sent, and one person alone never lifts it."""

import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from refunds import ledger, nudges, states
from refunds.errors import NoProposal, NotHeld, ProposalOpen, ProposerMayNot, SecondPersonNeeded
from refunds.events import HoldLiftDecided, HoldLiftProposed, OrderReleased
from refunds.models import HoldLift, OrderAccount, Refund, State, Verdict
from refunds.notes import clean_note
from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.errors import NotFound
from stores.models import Order, User


def release_after_review(refund: Refund, *, by: Actor) -> None:
    """The end of a review frees its order, unless another of its refunds is in review or an orphan holds it."""
    order = refund.order
    if _is_in_review(order) or ledger.is_held_by_orphan(order):
        return
    ledger.release_hold(order)
    released = OrderReleased(reference=order.reference, because=f"the review of {refund} ended")
    audit.record_about_order(released, order, by=by)


def propose_lift(order_id: uuid.UUID, *, note: str, asker: User, by: Actor) -> HoldLift:
    """The first person: nothing in review holds the order, and it may be refunded again.

    `order_id` is the order's public id. Raises NotFound, Forbidden, ReasonNeeded, NotHeld, ProposalOpen.
    """
    words, order = clean_note(note), _held_order(order_id, asker)
    with transaction.atomic(durable=True):
        account = _lock_held(order)
        if HoldLift.objects.filter(order=order, verdict="").exists():
            raise ProposalOpen
        lift = HoldLift.objects.create(
            order=order, note=words, hold_reason=account.hold_reason, proposed_by=asker, proposed_at=clock.db_now()
        )
        told = HoldLiftProposed(reference=order.reference, hold_reason=account.hold_reason, note=words)
        audit.record_about_order(told, order, by=by)
    return lift


def confirm_lift(lift_id: int, *, asker: User, by: Actor) -> HoldLift:
    """The second person: the hold is gone, and what waited goes on.

    Raises NotFound, Forbidden, NoProposal, SecondPersonNeeded, ProposerMayNot, NotHeld.
    """
    order = _order_of(lift_id, asker)
    with transaction.atomic(durable=True):
        _lock_held(order)
        lift = _lock_open(lift_id)
        if lift.proposed_by_id == asker.pk:
            raise SecondPersonNeeded
        if not access.may(lift.proposed_by, Right.SETTLE_REVIEW, store=order.store):
            raise ProposerMayNot
        _decide(lift, Verdict.CONFIRMED, by=asker)
        ledger.release_hold(order)
        for refund_id in Refund.objects.filter(order=order, state__in=states.T5_CLAIM.before).values_list("pk", flat=True):
            nudges.announce(refund_id)
        _tell_decided(lift, Verdict.CONFIRMED, "", by)
        because = f"two people at headquarters lifted the hold: {lift.proposed_by} and {asker}: {lift.note}"
        audit.record_about_order(OrderReleased(reference=order.reference, because=because), order, by=by)
    return lift


def reject_lift(lift_id: int, *, note: str, asker: User, by: Actor) -> HoldLift:
    """The second person says no; the order stays on hold. Raises as `confirm_lift`, and ReasonNeeded."""
    words = clean_note(note)
    _order_of(lift_id, asker)
    with transaction.atomic(durable=True):
        lift = _lock_open(lift_id)
        if lift.proposed_by_id == asker.pk:
            raise SecondPersonNeeded
        _decide(lift, Verdict.REJECTED, by=asker)
        _tell_decided(lift, Verdict.REJECTED, words, by)
    return lift


def withdraw_lift(lift_id: int, *, asker: User, by: Actor) -> HoldLift:
    """The first person takes it back. Raises NotFound, Forbidden, NoProposal."""
    _order_of(lift_id, asker)
    with transaction.atomic(durable=True):
        lift = _lock_open(lift_id)
        if lift.proposed_by_id != asker.pk:
            raise NoProposal
        _decide(lift, Verdict.WITHDRAWN, by=None)
        _tell_decided(lift, Verdict.WITHDRAWN, "", by)
    return lift


def _is_in_review(order: Order) -> bool:
    return Refund.objects.filter(order=order, state=State.REVIEW).exists()


def _held_order(order_id: uuid.UUID, asker: User) -> Order:
    """The order, to somebody who may settle it. Raises NotFound, Forbidden."""
    access.require(asker, Right.SETTLE_REVIEW)
    order = Order.objects.select_related("store__company").filter(
        public_id=order_id, store__company=access.company_of(asker)
    )
    found = order.first()
    if found is None:
        raise NotFound(_("There is no such order."))
    access.require(asker, Right.SETTLE_REVIEW, store=found.store)
    return found


def _order_of(lift_id: int, asker: User) -> Order:
    order_id = HoldLift.objects.filter(pk=lift_id).values_list("order__public_id", flat=True).first()
    if order_id is None:
        raise NoProposal
    return _held_order(order_id, asker)


def _lock_held(order: Order) -> OrderAccount:
    account = OrderAccount.objects.select_for_update().filter(order=order, on_hold=True).first()
    if account is None:
        raise NotHeld(_("This order is not on hold."))
    if _is_in_review(order):
        raise NotHeld(_("A refund of this order is in review: settle that one, and the hold goes with it."), code="in_review")
    return account


def _lock_open(lift_id: int) -> HoldLift:
    lifts = HoldLift.objects.select_for_update(of=("self",), no_key=True)
    lift = lifts.select_related("proposed_by", "order__store__company").filter(pk=lift_id, verdict="").first()
    if lift is None:
        raise NoProposal
    return lift


def _decide(lift: HoldLift, verdict: Verdict, *, by: User | None) -> None:
    lift.verdict, lift.decided_by, lift.decided_at = verdict, by, clock.db_now()
    lift.save(update_fields=["verdict", "decided_by", "decided_at"])


def _tell_decided(lift: HoldLift, verdict: Verdict, note: str, by: Actor) -> None:
    told = HoldLiftDecided(
        reference=lift.order.reference, verdict=verdict.value, proposed_by=str(lift.proposed_by), note=note
    )
    audit.record_about_order(told, lift.order, by=by)
