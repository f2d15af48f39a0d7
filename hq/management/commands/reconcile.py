"""`manage.py reconcile`: compare orders with Vipps now, here, and say what differs."""

import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from hq.checks import refuse_unsafe_start
from refunds import nightly
from refunds.comparison import check_now
from stores import clock
from stores.actors import hub
from stores.models import Order

_PAUSE_SECONDS = 0.2
_TOLD_EVERY = 50


class Command(BaseCommand):
    """One order, tonight's orders, or all of them, one after the other; needs the keys, as the sweep does."""

    help = "Compare orders with Vipps: those with activity in the last 30 days, unless told otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--order", help="one order: its id (ord_…) or its reference")
        which.add_argument("--all", action="store_true", help="every order there is")

    def handle(self, *args: Any, order: str | None, all: bool, **options: Any) -> None:
        try:
            refuse_unsafe_start("sweep")
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        orders = _named(order) if order else Order.objects.all() if all else _lately_active()
        total = orders.count()
        if not total:
            raise CommandError("There is no such order." if order else "There is nothing to compare.")
        unread = differing = done = 0
        for done, each in enumerate(_one_by_one(orders), start=1):
            is_open = check_now(each, by=hub("reconcile"))
            unread += is_open is None
            if is_open:
                differing += 1
                self.stdout.write(f"{each.reference}: {is_open} open")
            if done % _TOLD_EVERY == 0:
                self.stdout.write(f"{done} of {total} orders, {differing} with differences, {unread} not read")
            clock.sleep(_PAUSE_SECONDS)
        self.stdout.write(f"Compared {done} of {total} orders: {differing} with differences, {unread} could not be read.")


def _named(order: str) -> QuerySet[Order]:
    try:
        return Order.objects.filter(public_id=uuid.UUID(order.removeprefix("ord_")))
    except ValueError:
        return Order.objects.filter(reference=order)


def _lately_active() -> QuerySet[Order]:
    return Order.objects.filter(pk__in=nightly.with_activity(clock.db_now() - nightly.ACTIVITY))


def _one_by_one(orders: QuerySet[Order]) -> Iterator[Order]:
    """By primary key, a batch at a time: no cursor stays open while Vipps is asked."""
    last = 0
    while batch := list(orders.filter(pk__gt=last).order_by("pk")[:_TOLD_EVERY]):
        yield from batch
        last = batch[-1].pk
