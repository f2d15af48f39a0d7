"""Ending a contradiction: a person says what it came to; whatever she says, no fact of the order changes by it."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.errors import Conflict, Invalid
from stores.events import ContradictionSettled
from stores.models import OrderConflict, Settlement, User

_LONGEST_REASON = 300


def settle_contradiction(
    conflict: OrderConflict, settlement: Settlement, *, reason: str, asker: User, by: Actor
) -> OrderConflict:
    """Raises Forbidden, Invalid for a missing reason or settlement, Conflict where it is settled already."""
    order = conflict.order
    access.require(asker, Right.RECONCILE, store=order.store)
    words = " ".join(reason.split())
    if not 1 <= len(words) <= _LONGEST_REASON:
        raise Invalid(_("Say how you know, in at most 300 characters."), field="reason")
    if settlement not in Settlement.values:
        raise Invalid(_("Choose what it came to."), field="settlement")
    with transaction.atomic():
        unsettled = OrderConflict.objects.filter(pk=conflict.pk, settled_at=None)
        if not unsettled.update(settled_at=clock.db_now(), settlement=settlement, settled_by=asker, reason=words):
            raise Conflict(_("It is settled already."), code="already_settled")
        conflict.refresh_from_db()
        event = ContradictionSettled(
            said_by=conflict.said_by,
            reference=order.reference,
            fields=", ".join(conflict.differences),
            settlement=str(settlement),
            reason=words,
        )
        audit.record_about_order(event, order, by=by)
    return conflict
