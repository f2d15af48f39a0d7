"""What is looked at: the page that a cashier starts from, searches of several kinds, an order, and its confirmation."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from urllib.parse import urlencode

from django.db.models import Max, Min
from django.utils import timezone

from stores.models import Order
from tests.bench.search.questions import Question, drawn
from tests.bench.till_day.cashiers import fields_of

SEARCHED = ("exact", "last 6", "contains 6", "very common", "amount, store, day")
SEARCHES = tuple(f"search, {kind}" for kind in SEARCHED)
PAGES = ("start", *SEARCHES, "order", "confirm")
_YOUNG = timedelta(days=300)
"""The desk shows what is older, too, but offers no refund of it."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A page by its name here, and where it is; with `fields` a form is sent there."""

    page: str
    path: str
    fields: Mapping[str, str] | None = None


BARE = Visit(page="bare", path="/health/live")
"""A view of the same server, behind the same middleware, that asks nobody and says one word."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What is asked, by kind of search, the orders that are opened, and others that are being refunded meanwhile."""

    questions: Mapping[str, Sequence[Question]]
    orders: Sequence[Order]
    under_way: Sequence[Order]


def drawn_ground(count: int, *, under_way: int, seed: int) -> Ground:
    """So many questions of each kind, and so many orders that can be refunded; the same for the same seed."""
    ends = Order.objects.aggregate(first=Min("pk"), last=Max("pk"))
    random = Random(seed)
    ids = [random.randint(ends["first"], ends["last"]) for _ in range(8 * (count + under_way))]
    young = Order.objects.filter(pk__in=ids, paid_at__gt=timezone.now() - _YOUNG, captured_minor__gt=0)
    orders = list(young.select_related("store").order_by("public_id")[: count + under_way])
    return Ground(
        questions={kind: drawn(kind, count, seed=seed) for kind in SEARCHED},
        orders=orders[under_way:],
        under_way=orders[:under_way],
    )


def one_by_one(ground: Ground) -> Iterator[list[Visit]]:
    """Every page once, then every page once more, each time with other questions and another order."""
    for number in itertools.count():
        searches = [_search(kind, asked[number % len(asked)]) for kind, asked in ground.questions.items()]
        yield [Visit(page="start", path="/desk/"), *searches, *_order(ground.orders[number % len(ground.orders)])]


def as_cashiers_do(ground: Ground, random: Random) -> Iterator[Visit]:
    """Start, search, open, confirm; then the next customer."""
    while True:
        kind = random.choice(SEARCHED)
        yield Visit(page="start", path="/desk/")
        yield _search(kind, random.choice(ground.questions[kind]))
        yield from _order(random.choice(ground.orders))


def _search(kind: str, question: Question) -> Visit:
    return Visit(page=f"search, {kind}", path=f"/desk/?{urlencode(fields_of(question))}")


def _order(order: Order) -> list[Visit]:
    page = f"/desk/orders/{order.public_id}/"
    wish = {"amount": "1", "reason": "returned", "reason_text": "", "request_key": uuid.uuid4().hex}
    return [Visit(page="order", path=page), Visit(page="confirm", path=f"{page}confirm/", fields=wish)]
