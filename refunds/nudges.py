"""The outbox: a row in the transaction of the change, a message after its commit; the row outlives a dead broker."""

import uuid

from django.db import transaction
from django.db.models import QuerySet

from refunds.models import Outbox, Refund
from stores import clock, nudge

TASK = "refunds.run_refund"


def announce(refund_id: uuid.UUID) -> None:
    """Ask the workers to look at a refund, once this transaction has committed. Never raises for a broker."""
    row = Outbox.objects.create(refund_id=refund_id, written_at=clock.db_now())
    # robust: what was accepted stays accepted, whatever becomes of the message
    transaction.on_commit(lambda: publish(row), robust=True)


def publish(row: Outbox) -> bool:
    """Publish one outbox row now; False where the broker did not take it (the sweep will find the refund)."""
    is_published = nudge.publish(TASK, str(row.refund_id))
    changes = {"published_at": clock.db_now()} if is_published else {}
    Outbox.objects.filter(pk=row.pk).update(tries=row.tries + 1, **changes)
    return is_published


def make_due(waiting: QuerySet[Refund]) -> None:
    """Let refunds that wait be looked at now; the next sweep finds them. Without those in a worker's hands."""
    with transaction.atomic():
        now = clock.db_now()
        free = waiting.select_for_update(of=("self",), skip_locked=True, no_key=True)
        ids = list(free.filter(next_action_at__gt=now).order_by("pk").values_list("pk", flat=True))
        Refund.objects.filter(pk__in=ids).update(next_action_at=now)
