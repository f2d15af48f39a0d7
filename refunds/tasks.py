"""Thin Celery tasks: a message says "look at this id" and nothing else; anything odd in it is ignored."""

import logging
import uuid

from celery import shared_task
from django.db import close_old_connections

from refunds import doorbell, execution, outbound, sweep
from stores.actors import hub
from stores.registering import keep_registrations

logger = logging.getLogger(__name__)

_LONGEST_NUMBER = 18
"""Digits of a row's number that PostgreSQL still takes."""


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


@shared_task(name=doorbell.TASK)
def read_notice(notice_id: object) -> None:
    """Read the notice with that id; an id that is none, or nobody's, does nothing."""
    if not str(notice_id).isdecimal() or len(str(notice_id)) > _LONGEST_NUMBER:
        logger.warning("a message without a notice's id was ignored")
        return
    close_old_connections()
    doorbell.answer(int(str(notice_id)))


@shared_task(name=outbound.TASK)
def deliver(delivery_id: object) -> None:
    """Try to send the message with that id; an id that is none, or nobody's, does nothing."""
    try:
        row_id = uuid.UUID(str(delivery_id))
    except ValueError:
        logger.warning("a message without a delivery's id was ignored")
        return
    close_old_connections()
    outbound.deliver(row_id)


@shared_task(name="stores.keep_registrations")
def keep_vipps_registrations() -> None:
    """Look at the registrations at Vipps that are due; running it twice at once is harmless."""
    close_old_connections()
    keep_registrations(by=hub("worker"))


@shared_task(name="refunds.sweep")
def sweep_refunds() -> None:
    """Let the timetable start a sweep too; running it twice at once is harmless. That it ended shows that workers work."""
    close_old_connections()
    sweep.sweep_once(by=hub("sweep"))
    sweep.beat("worker")
