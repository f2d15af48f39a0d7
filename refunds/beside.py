"""A manager beside the cashier allows a refund at the cashier's own screen: her PIN says that it is she."""

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from refunds import allowing, approving, queries
from refunds.errors import ApprovalVoid, HeadquartersOnly, NotWaiting
from refunds.models import Refund, State
from stores import access, pins
from stores.actors import Actor
from stores.errors import NotFound
from stores.events import PinUse
from stores.models import Store, User


@dataclass(frozen=True, kw_only=True)
class Till:
    """Where she stands: who is signed in there, in which store, and how the trail names that asker."""

    cashier: User
    store: Store
    by: Actor


def allow_here(refund_id: uuid.UUID, *, manager_id: uuid.UUID | None, pin: str, seen: str, till: Till) -> Refund:
    """T2 for a refund that the cashier sees: for just what stood on the screen (`seen`), by the manager with that public id.

    Her PIN never counts for more than a manager's yes, whatever else she is at headquarters. Raises RefundNotFound,
    NotWaiting, HeadquartersOnly, ApprovalVoid, NotFound, WrongPin, PinClosed, and as `approving.approve_refund`.
    """
    refund = queries.refund_for(till.cashier, refund_id)
    if refund.state != State.AWAITING_APPROVAL:
        raise NotWaiting
    if not allowing.is_enough(allowing.AT_THE_DESK, refund):
        raise HeadquartersOnly
    if seen != refund.fingerprint:
        raise ApprovalVoid
    able = allowing.beside(allowing.approvers_of(refund))
    manager = next((one for one in able if one.public_id == manager_id), None)
    if manager is None:
        raise NotFound(_("Nobody of that name can allow it here."))
    pins.prove(manager, pin, use=PinUse.ALLOW, by=till.by)
    hers = access.actor_for(manager, store=till.store, address=till.by.address, request_id=till.by.request_id)
    return approving.approve_refund(refund.pk, asker=manager, by=hers, seen=seen, at_most=allowing.AT_THE_DESK)
