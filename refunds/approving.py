"""What people say of a refund that has not been sent: let go, refused, withdrawn. Nothing here speaks with Vipps."""

import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from refunds import allowing, nudges, queries, states, wishes
from refunds.errors import ApprovalVoid, AskerGone, HeadquartersOnly, NotWaiting, OwnRefund, ReasonNeeded, RefundNotFound
from refunds.models import Refund, Tier
from refunds.release_moves import row_for
from stores import access, clock, settled
from stores.access import Asker, Right
from stores.actors import Actor
from stores.errors import Forbidden
from stores.models import User


def approve_refund(
    refund_id: uuid.UUID, *, asker: User, by: Actor, seen: str = "", at_most: Tier = Tier.HEADQUARTERS
) -> Refund:
    """T2: another person lets it go, of the height that the broken rules ask for; a manager of either store, or headquarters.

    `seen` is the fingerprint of what she was shown (order, amount, currency, reason, goods): it counts for just that.
    `at_most` is how high a yes the way she gives it can be.
    Raises RefundNotFound, Forbidden, OwnRefund, HeadquartersOnly, ApprovalVoid, AskerGone, NotWaiting.
    """
    refund, hers = _waiting_for_approval(refund_id, asker)
    authority = Tier.STORE if at_most == Tier.STORE else hers
    if not allowing.is_enough(authority, refund) or (
        authority != Tier.HEADQUARTERS and settled.disputed_minor(refund.order)
    ):
        raise HeadquartersOnly
    if seen and seen != refund.fingerprint:
        raise ApprovalVoid
    _check_asker(refund)
    with transaction.atomic(durable=True):
        if not states.move(
            refund,
            row_for(refund.kind, states.T2_APPROVE),
            by=by,
            because=f"approved by {asker}",
            approved_by=asker,
            next_action_at=clock.db_now(),
        ):
            raise NotWaiting
        nudges.announce(refund.pk)
    refund.refresh_from_db()
    return refund


def reject_refund(refund_id: uuid.UUID, *, note: str, asker: User, by: Actor) -> Refund:
    """T2r: another person says no, with a note for the cashier. Raises as `approve_refund`, and ReasonNeeded.

    To say no every manager of either store is high enough.
    """
    if not note.strip():
        raise ReasonNeeded(_("Say why, so that the cashier can tell the customer."), field="note")
    refund, _authority = _waiting_for_approval(refund_id, asker)
    if not states.move(
        refund, row_for(refund.kind, states.T2_REJECT), by=by, because=note.strip()[: wishes.LONGEST_REASON], outcome="rejected"
    ):
        raise NotWaiting
    refund.refresh_from_db()
    return refund


def cancel_refund(refund_id: uuid.UUID, *, asker: Asker, by: Actor) -> Refund:
    """T3: withdrawn before anything was sent. Raises RefundNotFound, Forbidden, NotWaiting."""
    refund = queries.refund_for(asker, refund_id)
    access.require(asker, Right.REQUEST_REFUND, store=refund.refunding_store)
    if not states.move(refund, row_for(refund.kind, states.T3_CANCEL), by=by, because="withdrawn", outcome="withdrawn"):
        raise NotWaiting
    refund.refresh_from_db()
    return refund


def _waiting_for_approval(refund_id: uuid.UUID, asker: User) -> tuple[Refund, Tier]:
    """The refund, and whose yes the asker's is. Raises RefundNotFound, Forbidden, OwnRefund."""
    refund = (
        queries.refunds_visible_to(asker)
        .filter(pk=refund_id)
        .select_related("refunding_store", "order__store", "requested_by", "requested_by_system__store")
        .first()
    )
    if refund is None:
        raise RefundNotFound
    authority = allowing.authority(asker, refund)
    if authority is None:
        raise Forbidden(_("You do not have the right to do this."))
    if refund.requested_by_id == asker.pk:
        raise OwnRefund
    return refund, authority


def _check_asker(refund: Refund) -> None:
    """Whoever asked must still be somebody who may: authority is looked at when it is asked and when it is let go."""
    who = refund.requested_by or refund.requested_by_system
    if who is None or not access.may(who, Right.REQUEST_REFUND, store=refund.refunding_store):
        raise AskerGone
