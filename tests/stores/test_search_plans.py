"""Each stage of a search goes by its index, however PostgreSQL plans it: no statement reads the orders from end to end."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from stores import actors, people
from stores.models import Channel, Company, Order, Role, User
from stores.search import find_orders, reading
from stores.search.fragments import TRIGRAM_INDEX
from tests.many_orders import make_orders

ROWS = 40_000


@pytest.fixture(scope="module")
def hanne(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[User]:
    """She may search a chain of 200 stores; all of it is gone after these tests."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
            company = Company.objects.create(name="Nordlys")
            hanne = User.objects.create(username="hanne-of-many", first_name="Hanne")
            people.join_headquarters(hanne, company, role=Role.OPERATOR, by=actors.hub("test"))
            make_orders(company, ROWS, stores=200)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("ANALYZE stores_order")
            yield hanne
            transaction.set_rollback(True)
        connection.close()


@pytest.fixture(autouse=True)
def _its_own_savepoint(hanne: User, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A statement about orders, its values, whether it is planned once for all values, and what the planner may do."""

    statement: str
    parameters: Mapping[str, Any]
    is_prepared: bool
    planning: Mapping[str, str]

    def plan(self) -> str:
        """How PostgreSQL does it: at worst for any values, where it is prepared, else for these."""
        names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", self.statement)))
        numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", self.statement)
        with transaction.atomic(), psycopg.ClientCursor(connection.connection) as cursor:
            cursor.execute(f"SET LOCAL plan_cache_mode = force_{'generic' if self.is_prepared else 'custom'}_plan".encode())
            for name, value in self.planning.items():
                cursor.execute(f"SET LOCAL {name} = {value}".encode())
            cursor.execute(f"PREPARE asked AS {numbered}".encode())
            values = cursor.mogrify(", ".join(f"%({name})s" for name in names), self.parameters)
            cursor.execute(f"EXPLAIN EXECUTE asked ({values})".encode())
            plan = cursor.fetchall()
            cursor.execute("DEALLOCATE asked")
            transaction.set_rollback(True)
        return "\n".join(line for (line,) in plan)


def _asked(hanne: User, monkeypatch: pytest.MonkeyPatch, typed: str, **filters: Any) -> list[Asked]:
    """The statements about orders that such a search asks."""
    asked: list[Asked] = []
    fetch = reading._fetch

    def note(statement: str, parameters: Mapping[str, Any], *, prepare: bool) -> Any:
        if "stores_order" in statement:
            planning = {} if prepare else reading._current("enable_seqscan", "enable_bitmapscan", "enable_sort")
            asked.append(Asked(statement=statement, parameters=parameters, is_prepared=prepare, planning=planning))
        return fetch(statement, parameters, prepare=prepare)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "_fetch", note)
        find_orders(typed, asker=hanne, **filters)
    return asked


NEWEST = r"Index Only Scan using order_newest"
BY_KEY = r"Index Scan using order_ref_key "
BY_START = r"Index Only Scan Backward using order_ref_key "
BY_END = r"Index Only Scan using order_ref_key_end "


@pytest.mark.parametrize(
    ("part", "scans"),
    [
        (slice(None), [BY_KEY]),
        (slice(0, 5), [NEWEST]),
        (slice(0, 8), [BY_KEY, BY_START, BY_END]),
        (slice(-8, None), [BY_KEY, BY_START, BY_END]),
        (slice(-4, None), [NEWEST, BY_START, BY_END]),
        (slice(3, 10), [BY_START, BY_END, NEWEST]),
    ],
)
def test_a_part_of_a_reference_is_found_by_indexes_alone(
    hanne: User, monkeypatch: pytest.MonkeyPatch, part: slice, scans: list[str]
) -> None:
    order = Order.objects.filter(channel=Channel.ONLINE).order_by("id")[ROWS // 6]
    _expect(_asked(hanne, monkeypatch, order.ref_key[part]), scans)


def test_a_chosen_store_or_day_is_walked_by_its_index(hanne: User, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order.objects.filter(channel=Channel.ONLINE).order_by("id")[ROWS // 6]
    fragment, day = order.ref_key[3:10], order.paid_at.date()
    by_store = "Index Only Scan using order_store_newest"
    _expect(_asked(hanne, monkeypatch, fragment, store=order.store), [by_store])
    _expect(_asked(hanne, monkeypatch, fragment, day=day), [NEWEST])
    _expect(_asked(hanne, monkeypatch, fragment, store=order.store, day=day), [by_store])


def test_amount_store_and_day_go_by_their_indexes(hanne: User, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order.objects.exclude(claimed_minor=None).order_by("id")[ROWS // 6]
    amount, day = order.claimed_minor, order.paid_at.date()
    halves = ["Index Scan using order_store_amount", "Index Scan using order_store_captured"]
    _expect(_asked(hanne, monkeypatch, "", store=order.store, amount_minor=amount), halves)
    _expect(_asked(hanne, monkeypatch, "", store=order.store), ["order_store_newest"])
    _expect(_asked(hanne, monkeypatch, "", day=day, amount_minor=amount), ["order_newest"])


def test_the_trigram_index_is_asked_for_what_is_rare(hanne: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
        can = (cursor.fetchone() or (0,))[0]
        if can:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(f"CREATE INDEX {TRIGRAM_INDEX} ON stores_order USING gin (ref_key gin_trgm_ops)")
    order = Order.objects.filter(channel=Channel.ONLINE).order_by("id")[ROWS // 6]
    scan = f"Bitmap Index Scan on {TRIGRAM_INDEX}" if can else NEWEST
    _expect(_asked(hanne, monkeypatch, order.ref_key[3:10]), [scan])


def _expect(asked: list[Asked], scans: list[str]) -> None:
    plans = [each.plan() for each in asked]
    for scan in scans:
        assert any(re.search(scan, plan) for plan in plans), "\n\n".join((scan, *plans))
    assert plans
    assert not any("Seq Scan on stores_order" in plan for plan in plans), "\n\n".join(plans)
