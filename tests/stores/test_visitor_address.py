"""Whose address the trail names behind a proxy."""

import json

from pytest_django import Settings

from stores.models import Entry
from tests.conftest import Chain
from tests.till import Till, row


def test_a_store_systems_own_address_not_the_proxys(chain: Chain, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    till = Till(chain.systems["BGO"])
    answer = till.post("orders", {"orders": [row("BGO-20261101-7741")]}, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
    assert answer.status_code == 200
    synced = Entry.objects.get(event="orders.synced")
    assert json.loads(synced.canonical)["actor"]["address"] == "203.0.113.9"
