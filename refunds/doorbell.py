"""A notice of Vipps is a reason to look, and nothing more: what waits of that payment becomes due now, or its order does."""

from datetime import timedelta

from django.db.models import Q

from refunds import checks, nudges
from refunds.models import CheckReason, OrderAccount, Refund, State
from stores import clock, notices, nudge
from stores.discovery import waiting as payments_to_read
from stores.models import Order
from stores.notices import News

TASK = "refunds.read_notice"
_CAPTURED = "CAPTURED"
_AFTER_OUR_OWN = timedelta(minutes=1)
_PAID = ("AUTHORIZED", _CAPTURED)
_MONEY_MOVED = (_CAPTURED, "REFUNDED", "CANCELLED")
_LEFT_ALONE_AFTER_SOFT_REFUSAL = timedelta(seconds=12)
"""Vipps takes five changes a minute of one payment; whom it has just asked to wait, a notice does not hurry."""


def ring(notice_id: int) -> bool:
    """Ask a worker to read a notice; False where the broker does not take it (the sweep finds the notice)."""
    return nudge.publish(TASK, str(notice_id))


def answer(notice_id: int) -> int:
    """Prove a notice and, if it is news, let the waiting refunds of its payment be looked at; gives how many.

    The order itself is compared too where its money may have moved: somebody may have refunded it elsewhere. A payment
    that was paid just now, or of which nobody has told yet, is read by a worker and brought into the index.

    Needs the private key. A notice moves no refund: what happened is read at Vipps by whoever claims it.
    """
    looked_at: list[int] = []
    notices.read_notice(notice_id, heard=lambda news: looked_at.append(_look_now(news)))
    return sum(looked_at)


def _look_now(news: News) -> int:
    """Within the transaction that notes that the notice was heard: one that is marked as heard has been acted on."""
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
    orders = list(Order.objects.filter(sales_unit=news.sales_unit, reference=news.reference))
    if news.name in _PAID or (news.name in _MONEY_MOVED and not orders):
        payments_to_read.ask(news.sales_unit, news.reference)
    if news.name in _MONEY_MOVED:
        _check(orders, news)
    return len(ids)


def _check(orders: list[Order], news: News) -> None:
    """A capture alone is no reason to compare an order of which nobody has refunded anything."""
    for order in orders:
        if news.name == _CAPTURED and not OrderAccount.objects.filter(order=order).exists():
            continue
        if _is_ours_perhaps(order):
            checks.ask_all({order.pk: clock.db_now() + _AFTER_OUR_OWN}, CheckReason.NOTICE)
        else:
            checks.ask(order.pk, CheckReason.NOTICE)


def _is_ours_perhaps(order: Order) -> bool:
    """A refund of ours has just moved: as a rule the notice tells of that one, and nobody need hurry."""
    return Refund.objects.filter(order=order, moved_at__gt=clock.db_now() - _AFTER_OUR_OWN).exists()
