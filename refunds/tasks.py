"""Thin Celery tasks: a message says "look at this id" and nothing else; anything odd in it is ignored."""

import logging
import uuid

from celery import shared_task
from django.db import close_old_connections

from refunds import execution, sweep
from stores.actors import hub

logger = logging.getLogger(__name__)


@shared_task(name="refunds.run_refund")
def run_refund(refund_id: object) -> None:
    """Run the refund with that id as far as it goes now; an id that is none, or nobody's, does nothing."""
    try:
        row_id = uuid.UUID(str(refund_id))
    except ValueError:
        logger.warning("a message without a refund's id was ignored")
        return
    close_old_connections()
    execution.run_until_rest(row_id, by=hub("worker"))


@shared_task(name="refunds.sweep")
def sweep_refunds() -> None:
    """Let the timetable start a sweep too; running it twice at once is harmless."""
    close_old_connections()
    sweep.sweep_once(by=hub("sweep"))
