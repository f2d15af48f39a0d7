"""Three-way comparison of one order: read it at Vipps, adopt what others refunded, and keep every difference as a row.

No transaction is open during a call. Whatever is seen of our own refunds settles them first (`reconciliation`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from refunds import balancing, breakers, checks, differences, ledger, reconciliation
from refunds.balancing import Settled, Sides
from refunds.deciding import Reading
from refunds.models import IN_FLIGHT, CheckReason, EntryKind, LedgerEntry, Refund, State
from stores import clock, sessions, settled
from stores.actors import Actor
from stores.errors import HubError
from stores.models import Order
from stores.vipps.errors import VippsError

_LOOK_AGAIN_AFTER = balancing.YOUNG + timedelta(minutes=1)
_RINGS_A_PASS = 20
"""Looks share the workers with refunds, which somebody is waiting for."""
_RUNS_SECONDS = 10.0


def check_order(order_id: int, *, by: Actor) -> int | None:
    """Look at an order that is due; how many differences are open then. None: not due, or it could not be read now."""
    claim = checks.claim(order_id)
    if claim is None:
        return None
    order = claim.order
    if breakers.is_left_alone(order.sales_unit):
        checks.put_off(claim, "Vipps is left alone for a while")
        return None
    try:
        session = sessions.open_session(order.sales_unit, by=by, why=f"check order {order.reference}")
        reading = reconciliation.read_order(session, order, with_events=True, by=by)
    except HubError as error:
        checks.put_off(claim, error.code)
        return None
    except VippsError as error:
        checks.put_off(claim, str(error), at_least=error.retry_after)
        return None
    with transaction.atomic(durable=True):
        ledger.locked_account(order.pk)
        judgement = balancing.judge(_sides(order, reading))
        is_open = differences.keep(order, judgement, by=by)
    checks.finish(claim, again_at=clock.db_now() + _LOOK_AGAIN_AFTER if judgement.look_again else None)
    return is_open


def check_now(order: Order, *, by: Actor) -> int | None:
    """The same, due or not."""
    checks.ask_all({order.pk: clock.db_now()}, CheckReason.ASKED)
    return check_order(order.pk, by=by)


def move_due(*, by: Actor) -> int:
    """For the rounds: ring for what is due; look here where no worker takes it, for a few seconds at most."""
    found = checks.due(_RINGS_A_PASS)
    ends_at, takes_messages = clock.monotonic() + _RUNS_SECONDS, True
    for order_id, was_rung in found:
        takes_messages = takes_messages and not was_rung and checks.ring(order_id)
        if not takes_messages and clock.monotonic() < ends_at:
            check_order(order_id, by=by)
    return len(found)


def _sides(order: Order, reading: Reading) -> Sides:
    """Read under the account's lock, after Vipps was read: a refund that was booked meanwhile makes the order young."""
    account = ledger.locked_account(order.pk)
    refunds = list(Refund.objects.filter(order=order))
    now = clock.db_now()
    return Sides(
        hub_minor=account.posted_minor + account.external_minor,
        booked_keys=frozenset(
            key for refund in refunds if refund.state == State.REFUNDED for key in reconciliation.keys_of(order, refund)
        ),
        is_moving=_is_moving(order, refunds, now),
        events=reading.events or (),
        payment_minor=reading.payment.aggregate.refunded,
        captured_minor=reading.payment.aggregate.captured,
        settled=tuple(
            Settled(
                entry_type=line.entry_type,
                psp_reference=line.psp_reference,
                amount_minor=line.amount_minor,
                at=line.at,
            )
            for line in settled.entries_of(order)
        ),
        settled_until=settled.settled_until(order.sales_unit_id),
        now=now,
    )


def _is_moving(order: Order, refunds: Sequence[Refund], now: datetime) -> bool:
    """Whether a refund's outcome is open, or one was booked so lately that Vipps may not show it yet."""
    if any(refund.state in (*IN_FLIGHT, State.REVIEW) or _is_unresolved(refund) for refund in refunds):
        return True
    ours = LedgerEntry.objects.filter(order=order, kind__in=(EntryKind.POST, EntryKind.CORRECTION))
    return ours.filter(booked_at__gt=now - balancing.YOUNG).exists()


def _is_unresolved(refund: Refund) -> bool:
    return refund.indeterminate_since is not None and not refund.has_ended
