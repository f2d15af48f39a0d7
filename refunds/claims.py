"""Taking a refund to work on it: a conditional update, a fence, and a lease from the database's clock."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from refunds import states
from refunds.models import OrderAccount, Refund
from stores import clock
from stores.actors import Actor
from stores.models import Order

_WAITS_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 900)
_SHORTEST_SOFT_WAIT = timedelta(seconds=12)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A refund that this worker holds until `lease_until`, under `fence`.

    `unresolved_since` is when the last send of this generation went out whose outcome nobody knows; None if there is none.
    """

    refund: Refund
    order: Order
    fence: int
    by: Actor

    @property
    def unresolved_since(self) -> datetime | None:
        return self.refund.indeterminate_since

    @property
    def step_back(self) -> states.Move:
        """The way back when nothing was sent under this claim."""
        return states.T5_STEP_BACK_UNRESOLVED if self.unresolved_since else states.T5_STEP_BACK


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


def next_look(claim: Claim, *, at_least: float | None = None, soft: bool = False) -> datetime:
    """When to try again: later with every claim; `at_least` seconds is Vipps' own Retry-After, which is never cut short."""
    wait = timedelta(seconds=_WAITS_SECONDS[min(claim.fence, len(_WAITS_SECONDS)) - 1])
    if soft:
        wait = max(wait, _SHORTEST_SOFT_WAIT, timedelta(seconds=at_least or 0))
    return clock.db_now() + wait


