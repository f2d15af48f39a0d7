"""What cashiers ask, of orders of any age: kinds of questions, each drawn from the orders that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Min

from stores.models import Order, reference_key

OSLO = ZoneInfo("Europe/Oslo")
_COMMON = ("ORDER", "ORDER10", "2026", "100", "S00", "S0001", "123", "000")
_LOOK_ALIKE = str.maketrans("01580BIS", "OISBO81" + "5")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is typed and what else is given. `goal` names whose target it counts for, "" where there is none."""

    typed: str
    filters: Mapping[str, Any] = field(default_factory=dict)


Draw = Callable[[Order, Random], Question]


def _key(order: Order) -> str:
    return reference_key(order.reference)


def _middle(length: int) -> Draw:
    """A piece that neither begins nor ends the reference."""

    def draw(order: Order, random: Random) -> Question:
        key = _key(order)
        start = random.randint(1, max(len(key) - length - 1, 1))
        return Question(typed=key[start : start + length])

    return draw


def _place(order: Order, *, amount: bool = False, day: bool = False) -> dict[str, Any]:
    filters: dict[str, Any] = {"store": order.store}
    filters |= {"amount_minor": order.amount_minor} if amount else {}
    return filters | ({"day": order.paid_at.astimezone(OSLO).date()} if day else {})


def _in_store(order: Order, random: Random) -> Question:
    return Question(typed=_middle(4)(order, random).typed, filters=_place(order))


def _mistyped(order: Order, random: Random) -> Question:
    """One sign taken for another throughout, as a person reads a print."""
    sign = random.choice([sign for sign in "0158BSOI" if sign in _key(order)] or ["0"])
    return Question(typed=_key(order).replace(sign, sign.translate(_LOOK_ALIKE)))


def _random_text(order: Order, random: Random) -> Question:
    return Question(typed="".join(random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(8)))


KINDS: dict[str, Draw] = {
    "exact": lambda order, random: Question(typed=order.reference),
    "exact in any writing": lambda order, random: Question(typed=order.reference.replace("-", " ").lower()),
    "code of a receipt": lambda order, random: Question(typed=f"https://kvittering.nordlys.no/r?ref={order.reference}"),
    "last 8": lambda order, random: Question(typed=_key(order)[-8:]),
    "last 6": lambda order, random: Question(typed=_key(order)[-6:]),
    "last 4": lambda order, random: Question(typed=_key(order)[-4:]),
    "first 12": lambda order, random: Question(typed=_key(order)[:12]),
    "contains 8": _middle(8),
    "contains 6": _middle(6),
    "contains 4": _middle(4),
    "very common": lambda order, random: Question(typed=random.choice(_COMMON)),
    "a day inside": lambda order, random: Question(typed=f"{order.paid_at.astimezone(OSLO):%Y%m%d}"),
    "amount, store, day": lambda order, random: Question(typed="", filters=_place(order, amount=True, day=True)),
    "amount and store": lambda order, random: Question(typed="", filters=_place(order, amount=True)),
    "store and day": lambda order, random: Question(typed="", filters=_place(order, day=True)),
    "contains 4 in a store": _in_store,
    "receipt number in a store": lambda order, random: Question(typed=order.receipt_number or "1", filters=_place(order)),
    "look-alike": _mistyped,
    "nothing like it": _random_text,
}
OF_TRIGRAMS = ("contains 8", "contains 6", "contains 4", "nothing like it")
"""The kinds for which it matters whether there is a trigram index."""


def drawn(kind: str, count: int, *, seed: int) -> list[Question]:
    """So many questions of that kind, about orders of any age; the same for the same seed."""
    random = Random(f"{seed} {kind}")
    ends = Order.objects.aggregate(first=Min("pk"), last=Max("pk"))
    ids = [random.randint(ends["first"], ends["last"]) for _ in range(2 * count)]
    orders = list(Order.objects.filter(pk__in=ids).select_related("store").order_by("public_id")[:count])
    return [KINDS[kind](order, random) for order in orders]
