"""The outbox: a row in the transaction of the change, a message after its commit; the row outlives a dead broker."""

import uuid

from django.db import transaction

from refunds.models import Outbox
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
