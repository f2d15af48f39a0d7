"""Somebody wants Vipps asked again about a refund in review: a worker reads, keeps what it saw, and believes success."""

from datetime import timedelta

from django.db.models import Q

from refunds import evidence, gateway, reconciliation, release_deciding, snapshots, states
from refunds.deciding import Reading
from refunds.gateway import Meaning
from refunds.models import Kind, LookRequest, Refund, State
from refunds.release_moves import settle_as_released
from stores import clock, nudge, sessions
from stores.actors import Actor
from stores.errors import HubError
from stores.vipps.errors import VippsError
from stores.vipps.types import Event

TASK = "refunds.look_again"
_NUDGED_LATELY = timedelta(seconds=30)
_FRESH = timedelta(seconds=2)
_OVERDUE = timedelta(minutes=1)
_SWEEP_SECONDS = 10.0
_BATCH = 50


def look(request_id: int, *, by: Actor) -> None:
    """Ask Vipps for that request; one that is answered, or nobody's, does nothing. Needs the private key.

    A refund that the log shows plainly as ours is refunded (T7): success counts in review too. All else is for people.
    """
    requests = LookRequest.objects.select_related("refund__order__sales_unit__key_set", "refund__order__store__company")
    request = requests.filter(pk=request_id, answered_at=None).first()
    if request is None:
        return
    problem = _ask(request.refund, by) if request.refund.state == State.REVIEW else ""
    LookRequest.objects.filter(pk=request.pk, answered_at=None).update(answered_at=clock.db_now(), problem=problem)


def ring_due(*, by: Actor) -> int:
    """For the sweep: ring for every question that waits; where no worker comes, ask here, for a few seconds at most."""
    now, ends_at = clock.db_now(), clock.monotonic() + _SWEEP_SECONDS
    quiet = LookRequest.objects.filter(answered_at=None, asked_at__lt=now - _FRESH).filter(
        Q(nudged_at=None) | Q(nudged_at__lt=now - _NUDGED_LATELY)
    )
    found = list(quiet.order_by("asked_at").values_list("pk", "asked_at")[:_BATCH])
    for request_id, asked_at in found:
        LookRequest.objects.filter(pk=request_id).update(nudged_at=now)
        is_overdue = asked_at < now - _OVERDUE
        if (is_overdue or not nudge.publish(TASK, str(request_id))) and clock.monotonic() < ends_at:
            look(request_id, by=by)
    return len(found)


def _ask(refund: Refund, by: Actor) -> str:
    """What went wrong, or nothing."""
    order = refund.order
    try:
        session = sessions.open_session(order.sales_unit, by=by, why=f"review of {refund}")
    except HubError as error:
        return error.code
    try:
        reading = reconciliation.read_order(session, order, refund=refund, with_events=True, by=by)
    except VippsError as error:
        meaning = gateway.meaning_of(error)
        if meaning is Meaning.UNAUTHORIZED and order.sales_unit.key_set_id is not None:
            sessions.forget(order.sales_unit.key_set_id)
        return meaning.value
    if refund.kind == Kind.RELEASE:
        _believe_release(refund, reading, by)
    else:
        _believe_success(refund, reading.events or (), by)
    return ""


def _believe_release(release: Refund, reading: Reading, by: Actor) -> None:
    if release_deciding.shown_by(reading).is_released:
        settle_as_released(release, by=by, because="Vipps shows all that was reserved as released")


def _believe_success(refund: Refund, events: tuple[Event, ...], by: Actor) -> None:
    shown = evidence.plainly_ours(
        events, keys=snapshots.keys_of(refund), amount_minor=refund.amount_minor, currency=refund.currency
    )
    if shown is not None:
        because = f"the event log shows our key (Vipps' reference {shown.psp_reference})"
        states.settle_as_refunded(refund, by=by, because=because, psp_reference=shown.psp_reference)
