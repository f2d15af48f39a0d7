"""Thin Celery tasks: a message says "look at this id" and nothing else; anything odd in it is ignored."""

import logging
import uuid
from collections.abc import Callable
from functools import partial

from celery import shared_task
from django.db import close_old_connections

from refunds import checks, comparison, discovering, doorbell, execution, looking, outbound, rounds, settling, sweep
from stores import importing
from stores.actors import hub
from stores.discovery import questions, waiting
from stores.registering import keep_registrations
from stores.search import indexes

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
    _with_number(notice_id, doorbell.answer)


@shared_task(name=waiting.TASK)
def read_payment(row_id: object) -> None:
    """Read the payment of the row with that id and index it; an id that is none, or nobody's, does nothing."""
    _with_number(row_id, partial(discovering.read, by=hub("worker")))


@shared_task(name=questions.TASK)
def answer_question(question_id: object) -> None:
    """Ask Vipps what the question with that id wants to know; an id that is none, or nobody's, does nothing."""
    _with_number(question_id, partial(discovering.answer, by=hub("worker")))


@shared_task(name=checks.TASK)
def check_order(order_id: object) -> None:
    """Compare the order with that number with Vipps, if it is due; a number that is none, or nobody's, does nothing."""
    _with_number(order_id, partial(comparison.check_order, by=hub("worker")))


@shared_task(name=settling.TASK)
def read_settlement(unit_id: object) -> None:
    """Read on in the settlement of the sales unit with that number, if it is due; any other number does nothing."""
    _with_number(unit_id, partial(settling.read, by=hub("worker")))


@shared_task(name=looking.TASK)
def look_again(request_id: object) -> None:
    """Ask Vipps again for the request with that id; an id that is none, or nobody's, does nothing."""
    _with_number(request_id, partial(looking.look, by=hub("worker")))


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


@shared_task(name=importing.TASK)
def import_orders(import_id: object) -> None:
    """Go on with the import of orders with that number, if it is due; any other number does nothing."""
    _with_number(import_id, importing.work_on)


@shared_task(name="stores.keep_registrations")
def keep_vipps_registrations() -> None:
    """Look at the registrations at Vipps that are due; running it twice at once is harmless."""
    close_old_connections()
    keep_registrations(by=hub("worker"))


@shared_task(name="stores.merge_search_index")
def merge_search_index() -> None:
    """Put what syncs left waiting into the trigram index, before a search has to read it page by page."""
    close_old_connections()
    indexes.merge_pending()


@shared_task(name="refunds.sweep")
def sweep_refunds() -> None:
    """Let the timetable start a sweep too; running it twice at once is harmless. That it ended shows that workers work."""
    close_old_connections()
    sweep.sweep_once(by=hub("sweep"))
    sweep.beat("worker")


@shared_task(name="refunds.round")
def go_round() -> None:
    """Let the timetable start a round too: the nightly one, settlements, looks at orders; twice at once is harmless."""
    close_old_connections()
    rounds.go_round(by=hub("sweep"))


def _with_number(row_id: object, act: Callable[[int], object]) -> None:
    """Do that with a row's number out of a message, on a fresh connection; with anything else nothing is done."""
    if not str(row_id).isdecimal() or len(str(row_id)) > _LONGEST_NUMBER:
        logger.warning("a message without a row's number was ignored")
        return
    close_old_connections()
    act(int(str(row_id)))
