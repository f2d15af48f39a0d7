"""Finds due rows and gets them moving: stateless, needs no broker, claims like any worker; runs in three hosts.

It selects by state, so no path can forget to enrol a refund.
"""

import logging
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections, connection, connections
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from refunds import discovering, doorbell, execution, looking, nudges, outbound, restoring, states
from refunds.models import Heartbeat, Outbox, Refund, State, WaitsFor
from refunds.release_moves import row_for
from stores import clock, notices
from stores.actors import Actor

logger = logging.getLogger(__name__)

BATCH = 200
ANNOUNCED_LATELY = timedelta(seconds=10)
"""A message that nobody has read after that is taken for lost. In a long queue it may only be waiting: then the row has one
message more, never a third, and whoever comes second finds nothing to do."""
FRESH = timedelta(seconds=2)
"""A row that was written this moment is still being announced by the one who wrote it."""
ANNOUNCEMENTS_BEFORE_RUNNING = 2
RUNNING_SECONDS = 10.0
"""How long one pass may run refunds itself; Vipps may be slow, and leases, approvals and the heartbeat must not wait."""
_OUTBOX_IS_KEPT = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did, in rows."""

    lapsed: int = 0
    expired: int = 0
    given_to_people: int = 0
    announced: int = 0
    run: int = 0
    notices: int = 0
    deliveries: int = 0
    looks: int = 0
    questions: int = 0


def sweep_once(*, by: Actor, at_once: int = 1) -> Swept:
    """One pass over everything that is due; beats the heart at its end.

    `at_once` is how many refunds it may run side by side where no worker does: without a broker the sweep is the worker.
    """
    lapsed = _release_lapsed_leases(by)
    expired = _expire_approvals(by)
    given = _give_to_people(by)
    read = _read_notices()
    with _going_on("restores"):
        restoring.check_restores(by=by)
    announced, run = _move_due(by, at_once)
    deliveries = looks = questions = 0
    with _going_on("questions to Vipps"):
        questions = discovering.answer_due(by=by)
    with _going_on("looks at reviews"):
        looks = looking.ring_due(by=by)
    with _going_on("deliveries"):
        deliveries = outbound.ring_due()
    _forget_old_nudges()
    beat("sweep")
    return Swept(
        lapsed=lapsed,
        expired=expired,
        given_to_people=given,
        announced=announced,
        run=run,
        notices=read,
        deliveries=deliveries,
        looks=looks,
        questions=questions,
    )


def beat(name: str) -> None:
    """Say that this part has just done its work."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": clock.db_now()})


def _release_lapsed_leases(by: Actor) -> int:
    """T13: whoever held it is gone or frozen; what came of its call is to be found out."""
    now = clock.db_now()
    lapsed = Refund.objects.filter(state=State.SENDING, lease_until__lt=now)
    return _move_all(lapsed, states.T13_LEASE_LAPSED, by, "the worker's lease lapsed", next_action_at=now)


def _expire_approvals(by: Actor) -> int:
    old = clock.db_now() - states.APPROVAL_EXPIRES_AFTER
    waiting = Refund.objects.filter(state=State.AWAITING_APPROVAL, accepted_at__lt=old)
    return _move_all(waiting, states.T4_EXPIRE, by, "nobody approved it within 24 hours", outcome="expired")


def _give_to_people(by: Actor) -> int:
    old = clock.db_now() - states.GIVE_TO_PEOPLE_AFTER
    unknown = Refund.objects.filter(state=State.UNKNOWN).filter(
        Q(last_send_at__lt=old) | Q(outcome="keys_used_up") | Q(_was_free_since(old), last_send_at=None)
    )
    has_trouble = ~Q(outcome="") | Q(waits_for=WaitsFor.SALES_UNIT)
    queued = Refund.objects.filter(_was_free_since(old), has_trouble, state=State.QUEUED).exclude(waits_for=WaitsFor.PAUSE)
    return _move_all(unknown, states.T14_TOO_OLD, by, "still unknown after 24 hours") + _move_all(
        queued, states.T14_UNUSABLE, by, "not sent within 24 hours"
    )


def _was_free_since(moment: datetime) -> Q:
    """Accepted before that and not waiting for approval since; an approval may have taken as long as approvals may."""
    earlier = moment - states.APPROVAL_EXPIRES_AFTER
    return Q(approved_by=None, accepted_at__lt=moment) | Q(accepted_at__lt=earlier)


def _move_all(found: QuerySet[Refund], row: states.Move, by: Actor, because: str, **changes: Any) -> int:
    """One transaction a row. The fence it was found with: whoever claimed it since has it now."""
    moved = 0
    for refund in found.order_by("pk")[:BATCH]:
        with _going_on(refund.pk):
            moved += states.move(refund, row_for(refund.kind, row), by=by, because=because, fence=refund.fence, **changes)
    return moved


@contextmanager
def _going_on(row: object) -> Iterator[None]:
    """One row that cannot be worked on must not keep the rest waiting: it is told, and the next pass finds it again."""
    try:
        yield
    except Exception:
        logger.exception("sweep went on without %s", row)
        if not connection.in_atomic_block:
            close_old_connections()  # a connection that died would take every row after this one with it


def _read_notices() -> int:
    """Notices whose message was lost. Reading one is short and asks nobody, so it is done here."""
    unread = notices.unread_notices(limit=BATCH)
    for notice_id in unread:
        with _going_on(f"notice {notice_id}"):
            doorbell.answer(notice_id)
    return len(unread)


def _move_due(by: Actor, at_once: int) -> tuple[int, int]:
    """Announce what is due; run it here when the broker does not take it, or has twice taken it for nothing."""
    now = clock.db_now()
    lately = Outbox.objects.filter(refund=OuterRef("pk"), published_at__gte=now - ANNOUNCED_LATELY)
    # Counted since it was due: a message that came while it had to wait for something was not in vain.
    since_due = Q(nudges__published_at__gte=Greatest("moved_at", "next_action_at"))
    due = (
        Refund.objects.filter(state__in=states.T5_CLAIM.before, next_action_at__lte=now, moved_at__lt=now - FRESH)
        .exclude(order__account__on_hold=True)
        .filter(~Exists(lately))
        .annotate(told=Count("nudges", filter=since_due))
        .order_by("next_action_at")
        .values_list("pk", flat=True)
    )
    announced, takes_messages = 0, True
    left: list[uuid.UUID] = []
    for refund_id in list(due.filter(told__lt=ANNOUNCEMENTS_BEFORE_RUNNING)[:BATCH]):
        with _going_on(refund_id):
            if Outbox.objects.filter(refund_id=refund_id, published_at__gte=now - ANNOUNCED_LATELY).exists():
                continue  # another sweep was first
            # Asked no more in this pass once it refused: a broker that hangs costs its caller a second each time.
            takes_messages = takes_messages and _announce(refund_id)
            if takes_messages:
                announced += 1
            else:
                left.append(refund_id)
    # A queue of its own, so that what nobody follows never keeps from being announced what stands behind it.
    left += due.filter(told__gte=ANNOUNCEMENTS_BEFORE_RUNNING)[:BATCH]
    return announced, _run(left, by, at_once)


def _run(refund_ids: list[uuid.UUID], by: Actor, at_once: int) -> int:
    """Run them here, after everything else was announced, for as long as one pass may."""
    until = clock.monotonic() + RUNNING_SECONDS
    left = deque(refund_ids)
    if min(at_once, len(left)) <= 1:
        return _run_in_turn(left, until, by)
    with ThreadPoolExecutor(min(at_once, len(left)), thread_name_prefix="sweep") as pool:
        return sum(pool.map(lambda _: _run_beside(left, until, by), range(at_once)))


def _run_in_turn(left: deque[uuid.UUID], until: float, by: Actor) -> int:
    run = 0
    while left and clock.monotonic() < until:
        try:
            refund_id = left.popleft()
        except IndexError:  # another thread took the last one
            break
        run += 1
        with _going_on(refund_id):
            execution.run_until_rest(refund_id, by=by)
    return run


def _run_beside(left: deque[uuid.UUID], until: float, by: Actor) -> int:
    """In a thread of its own, with connections of its own."""
    try:
        return _run_in_turn(left, until, by)
    finally:
        connections.close_all()


def _announce(refund_id: uuid.UUID) -> bool:
    return nudges.publish(Outbox.objects.create(refund_id=refund_id, written_at=clock.db_now()))


def _forget_old_nudges() -> None:
    Outbox.objects.filter(written_at__lt=clock.db_now() - _OUTBOX_IS_KEPT).delete()

