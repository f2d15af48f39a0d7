"""What the day stands on: some stores among very many orders, a system and cashiers in each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from django.conf import settings
from django.test import Client

from stores import keys, people, registry
from stores.actors import hub
from stores.models import Channel, Company, Role, SalesUnit, Scope, Store, User
from tests.bench.ingest.batches import Sales
from tests.bench.search.questions import KINDS, Question, drawn
from tests.bench.till_day.tills import Till

JUST_SOLD = "just sold"
_BY = hub("bench")
_SECONDS_A_SALE = 10
"""On the average, as `Sales` has them."""
_A_KIND = 200


def open_stores(count: int) -> list[Store]:
    """In the chain that is there already."""
    company = Company.objects.get()
    return [
        registry.open_store(company, code=f"T{number:02}", name=f"Till {number}", city="Bergen", country="NO", by=_BY)
        for number in range(count)
    ]


def till_of(store: Store, *, sales: int) -> Till:
    """Its system, which will tell of so many sales, the last of them made not long ago."""
    unit = registry.add_sales_unit(
        store,
        msn=str(100_000 + store.pk),
        name=store.name,
        market="NO",
        environment="simulator",
        channel=Channel.IN_STORE,
        valid_from=datetime.now(UTC) - timedelta(days=800),
        by=_BY,
    )
    system = keys.add_system(store, name=store.name, scopes=[Scope.ORDERS_WRITE], by=_BY)
    key = keys.issue_key(system, by=_BY).text
    days = 1.1 * sales * _SECONDS_A_SALE / 86_400
    mine = Sales(Store.objects.get(pk=store.pk), SalesUnit.objects.get(pk=unit.pk), seed=store.pk, days=days)
    return Till(sales=mine, key=key)


def sign_in(store: Store, number: int) -> str:
    """Another cashier of that store; the key of her session."""
    person = User.objects.create(username=f"cashier-{number}", first_name=f"Cashier {number}")
    people.join_store(person, store, role=Role.CASHIER, by=_BY)
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def questions(*, seed: int) -> dict[str, list[Question]]:
    """Of every kind that the bench of search knows, about orders of any age."""
    return {kind: drawn(kind, _A_KIND, seed=seed) for kind in KINDS}


def asked_by_one(
    known: Mapping[str, Sequence[Question]], *, newest: Sequence[str], seed: str
) -> Iterator[tuple[str, Question]]:
    """One after the other, each with the name of its kind: first and then every fourth time an order of the newest, else any
    kind."""
    random = Random(seed)
    for number in itertools.count():
        if number % 4 == 0:
            yield JUST_SOLD, Question(typed=random.choice(newest))
        else:
            kind = random.choice(list(known))
            yield kind, random.choice(known[kind])
