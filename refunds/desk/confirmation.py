"""The payment as Vipps shows it now: asked when a cashier opens the order, answered by a worker, told when it comes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from refunds import checks
from refunds.desk import wording
from refunds.models import CheckReason
from stores.models import Order

_FRESH = timedelta(seconds=10)
"""What Vipps said so lately is not asked again: pages are reloaded, and two tills open the same order."""
_PATIENCE = timedelta(seconds=20)
"""So long the page waits for an answer. Money does not depend on it: Vipps is asked again before any moves."""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What is known of Vipps' word. `since` (ISO 8601) is when it was asked, "" where it was not.

    `seconds_ago` is the age of an answer that is fresh. `when` is when Vipps last confirmed the order, "" for never.
    """

    since: str = ""
    is_waiting: bool = False
    is_failed: bool = False
    seconds_ago: int | None = None
    when: str = ""


def ask(order: Order, *, now: datetime) -> Confirmation:
    """Have Vipps asked about the order, unless it has just answered or nobody can ask it."""
    so_far = known(order, now=now)
    keys = order.sales_unit.key_set
    if so_far.seconds_ago is not None or keys is None or not keys.has_keys:
        return so_far
    checks.ask_now(order.pk, CheckReason.OPENED, now=now)
    return Confirmation(since=now.isoformat(), is_waiting=True, when=so_far.when)


def answer(order: Order, *, since: str, now: datetime) -> Confirmation:
    """What has come of the question asked at `since`, a time that `ask` gave out; any other is as good as none."""
    so_far = known(order, now=now)
    try:
        asked_at = datetime.fromisoformat(since)
    except ValueError:
        return so_far
    if asked_at.tzinfo is None or (order.confirmed_at is not None and order.confirmed_at >= asked_at):
        return so_far
    is_failed = now - asked_at > _PATIENCE or checks.was_tried_in_vain(order.pk, since=asked_at)
    return Confirmation(since=since, is_waiting=not is_failed, is_failed=is_failed, when=so_far.when)


def known(order: Order, *, now: datetime) -> Confirmation:
    """What Vipps has said before."""
    if order.confirmed_at is None:
        return Confirmation()
    age = now - order.confirmed_at
    return Confirmation(
        when=wording.day_and_time(order.confirmed_at), seconds_ago=max(0, int(age.total_seconds())) if age < _FRESH else None
    )
