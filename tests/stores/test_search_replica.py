"""A read replica looks for candidates; what is shown, and what was sold this second, comes from the database itself."""

import inspect
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from stores.models import Order
from stores.search import find_orders, reading, replica
from tests.conftest import Chain
from tests.stores.indexed import index, references

pytestmark = pytest.mark.django_db(transaction=True)


def _connect(**changes: Any) -> None:
    connections.settings[replica.REPLICA] = {**connections.settings["default"], **changes}


@pytest.fixture(autouse=True)
def _no_replica_is_left(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    replica.trust_again()
    # Django lets a test use only the databases that were configured when it began.
    case = inspect.getclosurevars(BaseDatabaseWrapper.ensure_connection).nonlocals["cls"]
    monkeypatch.setattr(case, "databases", {*case.databases, replica.REPLICA})
    yield
    if replica.REPLICA in connections.settings:
        connections[replica.REPLICA].close()
        del connections[replica.REPLICA]
        del connections.settings[replica.REPLICA]
    replica.trust_again()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which database each statement about orders went to."""
    aliases: list[str] = []
    fetch = reading._fetch

    def note(alias: str, statement: str, parameters: Mapping[str, Any], *, prepare: bool) -> Any:
        if "stores_order" in statement:
            aliases.append(alias)
        return fetch(alias, statement, parameters, prepare=prepare)

    monkeypatch.setattr(reading, "_fetch", note)
    return aliases


def test_the_replica_is_asked_for_everything_but_the_whole_reference(chain: Chain, asked: list[str]) -> None:
    order = index(chain, "BGO", "BER-2026-10042")
    find_orders("2026-1", asker=chain.kari)
    assert set(asked) == {"default"}
    asked.clear()
    _connect()
    assert references(find_orders("2026-1", asker=chain.kari)) == [order.reference]
    assert asked[0] == "default"
    assert set(asked[1:]) == {"search"}
    asked.clear()
    assert references(find_orders("", asker=chain.kari, store=chain.bergen)) == [order.reference]
    assert asked == ["search"]


def test_a_replica_that_lags_hides_no_whole_reference_and_shows_no_old_amount(chain: Chain) -> None:
    old = index(chain, "BGO", "BER-2026-10042", 20_000)
    _connect()
    behind = connections[replica.REPLICA]
    with transaction.atomic(using=replica.REPLICA):
        with behind.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM stores_order")
        index(chain, "BGO", "BER-2026-10043")
        Order.objects.filter(pk=old.pk).update(captured_minor=19_900)
        assert references(find_orders("BER-2026-10043", asker=chain.kari)) == ["BER-2026-10043"]
        [hit] = find_orders("BER-2026", asker=chain.kari).hits
        assert (hit.order.reference, hit.order.amount_minor) == ("BER-2026-10042", 19_900)
    assert len(find_orders("BER-2026", asker=chain.kari).hits) == 2


def test_a_replica_that_is_down_is_left_alone_for_a_while(
    chain: Chain, asked: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = index(chain, "BGO", "BER-2026-10042")
    _connect(HOST="127.0.0.1", PORT="1", OPTIONS={"connect_timeout": 2})
    with caplog.at_level(logging.WARNING, logger="stores.search.replica"):
        assert references(find_orders("2026-1", asker=chain.kari)) == [order.reference]
        assert references(find_orders("10042", asker=chain.kari)) == [order.reference]
    assert len(caplog.records) == 1
    assert "the database itself is asked instead" in caplog.records[0].getMessage()
    monkeypatch.setattr(replica, "AGAIN_AFTER_SECONDS", 0.0)
    replica.trust_again()
    connections.settings[replica.REPLICA].update(connections.settings["default"])
    del connections[replica.REPLICA]
    asked.clear()
    assert references(find_orders("10042", asker=chain.kari)) == [order.reference]
    assert "search" in asked


def test_a_replica_without_the_tables_does_not_stop_a_search(chain: Chain) -> None:
    order = index(chain, "BGO", "BER-2026-10042")
    _connect(NAME="postgres")
    assert references(find_orders("2026-1", asker=chain.kari)) == [order.reference]
