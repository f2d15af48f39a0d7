"""Whose address the trail names behind a proxy."""

import json

import pytest
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


def test_a_log_line_names_no_address_that_the_visitor_has_written(
    chain: Chain, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for proxies, seen in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
        caplog.clear()
        Till(chain.systems["BGO"]).get("orders", None, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
        assert f"'ip': '{seen}'" in caplog.text
        assert "198.51.100.1" not in caplog.text
