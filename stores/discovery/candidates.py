"""Which sales units of a chain could hold a reference: by prefix, by market, and by when their stores sold through them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from stores.models import Company, SalesUnit, Store, StoreUnit
from stores.vipps import payments

LONGEST_AGO = timedelta(days=366)
"""Vipps refunds for a year: of a unit that ended before that, nothing could be refunded (Vipps: refund period)."""
ECOM_MARKET = "NO"
"""References that are too short for ePayment are eCom's, and eCom is Norway only (Vipps: eCom API)."""


def units_that_could_hold(reference: str, *, company: Company, store: Store | None, now: datetime) -> list[SalesUnit]:
    """The chain's units, or those of one store, the newest first: with their keys, and each once."""
    links = links_for([reference], _links(company, store, now))
    units = SalesUnit.objects.filter(pk__in={link.sales_unit_id for link in links}).select_related("key_set", "company")
    if payments.needs_ecom(reference):
        units = units.filter(market=ECOM_MARKET)
    return list(units.order_by("-pk"))


def links_for(references: Iterable[str], links: Iterable[StoreUnit]) -> list[StoreUnit]:
    """Those whose prefix one of the references begins with; of several on a unit, those with the longest prefix."""
    wanted = list(references)
    by_unit: dict[int, list[StoreUnit]] = {}
    for link in links:
        if any(reference.startswith(link.prefix) for reference in wanted):
            by_unit.setdefault(link.sales_unit_id, []).append(link)
    found: list[StoreUnit] = []
    for fitting in by_unit.values():
        longest = max(len(link.prefix) for link in fitting)
        found += [link for link in fitting if len(link.prefix) == longest]
    return found


def stores_behind(reference: str, unit_ids: Iterable[int], *, named: Store | None = None) -> dict[int, list[Store]]:
    """The stores that each unit was asked for, by the unit's primary key."""
    links = StoreUnit.objects.filter(sales_unit__in=list(unit_ids)).select_related("store").order_by("store__name")
    found: dict[int, list[Store]] = {}
    for link in links_for([reference], links):
        stores = found.setdefault(link.sales_unit_id, [])
        if link.store not in stores and (named is None or link.store_id == named.pk):
            stores.append(link.store)
    return found


def _links(company: Company, store: Store | None, now: datetime) -> list[StoreUnit]:
    lately = Q(valid_until=None) | Q(valid_until__gt=now - LONGEST_AGO)
    links = StoreUnit.objects.filter(lately, sales_unit__company=company, valid_from__lte=now)
    return list(links.filter(store=store) if store is not None else links)
