"""A notice of Vipps is a reason to look, and nothing more: refunds of that payment that wait become due now."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from refunds import nudges
from refunds.models import Refund, State
from stores import clock, notices, nudge
from stores.notices import News

TASK = "refunds.read_notice"
_LEFT_ALONE_AFTER_SOFT_REFUSAL = timedelta(seconds=12)
"""Vipps takes five changes a minute of one payment; whom it has just asked to wait, a notice does not hurry."""


def ring(notice_id: int) -> bool:
    """Ask a worker to read a notice; False where the broker does not take it (the sweep finds the notice)."""
    return nudge.publish(TASK, str(notice_id))


def answer(notice_id: int) -> int:
    """Prove a notice and, if it is news, let the waiting refunds of its payment be looked at; gives how many.

    Needs the private key. A notice moves no refund: what happened is read at Vipps by whoever claims it.
    """
    news = notices.read_notice(notice_id)
    return _look_now(news) if news is not None else 0


def _look_now(news: News) -> int:
    with transaction.atomic():
        now = clock.db_now()
        waiting = (
            Refund.objects.select_for_update(of=("self",), no_key=True)
            .filter(
                Q(soft_refusals=0) | Q(moved_at__lte=now - _LEFT_ALONE_AFTER_SOFT_REFUSAL),
                order__sales_unit=news.sales_unit,
                order__reference=news.reference,
                state__in=(State.QUEUED, State.UNKNOWN),
            )
            .order_by("pk")
        )
        ids = [refund.pk for refund in waiting]
        Refund.objects.filter(pk__in=ids, next_action_at__gt=now).update(next_action_at=now)
        for refund_id in ids:
            nudges.announce(refund_id)
    return len(ids)
