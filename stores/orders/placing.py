"""Which store sold a payment that only Vipps has told of: by prefix, by the only link of that time, or by its metadata."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stores.models import StoreUnit, WhyUnplaced
from stores.orders.confirmed import Confirmed

CLOCKS_APART = timedelta(days=1)
"""By how much a store's time of a payment and Vipps' may differ. Near the end of a link either store may have sold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The store and channel that sold; or None, and why. `may_be` is every store that may have sold it."""

    link: StoreUnit | None
    why: WhyUnplaced | None
    may_be: frozenset[int]


class Sellers:
    """Who sold through some sales units when; read once for many payments."""

    def __init__(self, unit_ids: Iterable[int]) -> None:
        self._links: dict[int, list[StoreUnit]] = {}
        for link in StoreUnit.objects.filter(sales_unit__in=set(unit_ids)).select_related("store", "sales_unit"):
            self._links.setdefault(link.sales_unit_id, []).append(link)

    def place(self, told: Confirmed, *, at: datetime) -> Place:
        """Never guesses: one store that can have sold it, or none."""
        links = self._links.get(told.unit_id, [])
        if links and told.currency != links[0].sales_unit.currency:
            return Place(link=None, why=WhyUnplaced.OTHER_CURRENCY, may_be=frozenset())
        fitting = _fitting(links, told.reference, at)
        named = [link for link in fitting or _near(links, at) if told.store_code and link.store.code == told.store_code]
        chosen = named or fitting
        may_be = frozenset(link.store_id for link in chosen)
        if len(may_be) == 1:
            return Place(link=min(chosen, key=lambda link: distance(link, at)), why=None, may_be=may_be)
        why = WhyUnplaced.SEVERAL_STORES if may_be else WhyUnplaced.NO_STORE
        return Place(link=None, why=why, may_be=may_be)


def _fitting(links: list[StoreUnit], reference: str, at: datetime) -> list[StoreUnit]:
    """The links with the longest prefix that fits, among those open within a day of that time."""
    fitting = [link for link in _near(links, at) if reference.startswith(link.prefix)]
    longest = max((len(link.prefix) for link in fitting), default=0)
    return [link for link in fitting if len(link.prefix) == longest]


def _near(links: list[StoreUnit], at: datetime) -> list[StoreUnit]:
    return [link for link in links if distance(link, at) <= CLOCKS_APART]


def distance(link: StoreUnit, at: datetime) -> timedelta:
    """How far outside the link's time that moment lies; zero within it."""
    if at < link.valid_from:
        return link.valid_from - at
    if link.valid_until is not None and at >= link.valid_until:
        return max(at - link.valid_until, timedelta(microseconds=1))
    return timedelta()
