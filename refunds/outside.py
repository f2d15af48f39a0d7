"""Refunds made elsewhere: who has seen to which."""

from django.db import IntegrityError, transaction

from refunds.errors import NoteNeeded, NotWaiting
from refunds.events import OutsideRefundAcknowledged
from refunds.models import Acknowledgement, OutsideRefund
from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.models import User
from stores.money import Money

_LONGEST_NOTE = 300


def acknowledge(refund: OutsideRefund, note: str, *, asker: User, by: Actor) -> Acknowledgement:
    """Say whose refund it was. Raises Forbidden, NoteNeeded, NotWaiting where somebody has said so before."""
    order = refund.order
    access.require(asker, Right.RECONCILE, store=order.store)
    words = " ".join(note.split())
    if not 1 <= len(words) <= _LONGEST_NOTE:
        raise NoteNeeded
    money = Money(amount_minor=refund.amount_minor, currency=refund.currency)
    try:
        with transaction.atomic():
            row = Acknowledgement.objects.create(entry_id=refund.pk, person=asker, note=words, at=clock.db_now())
            event = OutsideRefundAcknowledged(
                reference=order.reference,
                amount=str(money),
                amount_minor=money.amount_minor,
                psp_reference=refund.psp_reference,
                note=words,
            )
            audit.record_about_order(event, order, by=by)
    except IntegrityError:
        raise NotWaiting from None
    return row
