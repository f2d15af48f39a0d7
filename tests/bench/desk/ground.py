"""Who works at the desk, and what a chain has besides orders: keys, sessions, refunds that are under way."""

from __future__ import annotations

import shutil
from dataclasses import replace

from django.conf import settings
from django.test import Client

from hq.demo.processes import ProcessSpec
from stores import credentials, people
from stores.actors import hub
from stores.credentials import VippsKeys
from stores.models import Chain, Company, KeySet, Order, Role, SalesUnit, Store, User
from tests.bench.scratch import Scratch
from tests.faults.kills.town import free_ports, redis_server
from tests.refunds.asking import ask

_BY = hub("bench")


def complete(company: Company) -> None:
    """What stores made by the thousand lack beside stores that were opened: their chains of the trail, and keys.

    With keys the opening of an order has Vipps asked; nobody is there who would ask it.
    """
    Chain.objects.bulk_create(Chain(company=company, store=store) for store in Store.objects.filter(chain=None))
    if KeySet.objects.exists():
        return
    key_set = credentials.make_key_set(
        company, kind="partner", name="Partner", environment="simulator", subject="bench", by=_BY
    )
    credentials.enter_keys(key_set, VippsKeys(client_id="c", client_secret="s", subscription_key="k"), by=_BY)
    SalesUnit.objects.update(key_set=key_set)


def sign_in(number: int, store: Store, under_way: list[Order]) -> str:
    """The key of a cashier's session in that store; she has asked for a refund of each order that is to be under way."""
    person, is_new = User.objects.get_or_create(username=f"desk-{number}", defaults={"first_name": f"Cashier {number}"})
    if is_new:
        people.join_store(person, store, role=Role.CASHIER, by=_BY)
    for order in under_way:
        ask(order, 100, who=person, store=store, confirms_duplicate=True)
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def served(place: Scratch) -> list[ProcessSpec]:
    """Granian with two workers as in the image, and Redis where there is one."""
    web = place.web(workers=2, threads=8)
    if shutil.which("redis-server") is None:
        return [web]
    port = next(free_ports())
    urls = {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "REDIS_CACHE_URL": f"redis://127.0.0.1:{port}/1"}
    return [redis_server(place.fleet, port), replace(web, env={**web.env, **urls})]
