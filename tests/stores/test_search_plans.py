"""Each stage of a search goes by its index, however PostgreSQL plans it: no statement reads the orders from end to end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from stores import actors, people
from stores.models import Channel, Company, Order, Role, User
from stores.search import find_orders, reading
from stores.search.indexes import TRIGRAM_INDEX
from tests.many_orders import make_orders

ROWS = 40_000


@pytest.fixture
def hanne(db: None) -> User:
    """She may search a chain of 200 stores."""
    company = Company.objects.create(name="Nordlys")
    hanne = User.objects.create(username="hanne", first_name="Hanne")
    people.join_headquarters(hanne, company, role=Role.OPERATOR, by=actors.hub("test"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        make_orders(company, ROWS, stores=200)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ANALYZE stores_order")
        # What a VACUUM would write down, which no transaction can run: that indexes may be read alone.
        cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE oid = 'stores_order'::regclass")
    return hanne


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

    def note(alias: str, statement: str, parameters: Mapping[str, Any], *, prepare: bool) -> Any:
        if "stores_order" in statement:
            planning = {} if prepare else reading._current(alias, "enable_seqscan", "enable_bitmapscan", "enable_sort")
            asked.append(Asked(statement=statement, parameters=parameters, is_prepared=prepare, planning=planning))
        return fetch(alias, statement, parameters, prepare=prepare)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "_fetch", note)
        find_orders(typed, asker=hanne, **filters)
    return asked


NEWEST = "Index Only Scan using order_newest"
NEWEST_OF_STORE = "Index Only Scan using order_store_newest"
BY_KEY = "(Index|Bitmap Index) Scan( Backward)? (using|on) order_ref_key "
BY_START = "Index Only Scan( Backward)? using order_ref_key "
BY_END = "Index Only Scan using order_ref_key_end "
BY_AMOUNTS = ["Index Scan using order_store_amount", "Index Scan using order_store_captured"]


def test_no_search_reads_the_orders_from_end_to_end(
    hanne: User, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    # On a busy machine the time of a search would be up before its last stage.
    monkeypatch.setattr(reading, "LONGEST_MS", 60_000)
    online = Order.objects.filter(channel=Channel.ONLINE).order_by("id")[ROWS // 6]
    key, store, day = online.ref_key, online.store, online.paid_at.date()
    amount = Order.objects.exclude(claimed_minor=None).order_by("id")[ROWS // 6].claimed_minor
    cases: list[tuple[str, str, dict[str, Any], list[str]]] = [
        ("the whole reference", key, {}, [BY_KEY]),
        ("a code that may hold several", f"https://nordlys.no/?ref={key}&id=1234567", {}, [BY_KEY]),
        ("a common start", key[:5], {}, [NEWEST]),
        ("a start", key[:8], {}, [BY_KEY, BY_START]),
        ("the last eight", key[-8:], {}, [BY_KEY, BY_START, BY_END]),
        ("the last four", key[-4:], {}, [NEWEST, BY_START, BY_END]),
        ("a fragment", key[3:10], {}, [BY_START, BY_END, NEWEST]),
        ("a look-alike", "QQB0S1QQ", {}, [BY_KEY, "Nested Loop", BY_START, BY_END]),
        ("a receipt number in a store", "K7-4711", {"store": store}, ["order_receipt_number"]),
        ("a day inside", f"Q{day:%Y%m%d}Q", {}, [NEWEST]),
        ("a fragment in a store", key[3:10], {"store": store}, [NEWEST_OF_STORE]),
        ("a fragment on a day", key[3:10], {"day": day}, [NEWEST]),
        ("a fragment in a store on a day", key[3:10], {"store": store, "day": day}, [NEWEST_OF_STORE]),
        ("a store", "", {"store": store}, ["order_store_newest"]),
        ("amount and store", "", {"store": store, "amount_minor": amount}, BY_AMOUNTS),
        ("amount and day", "", {"day": day, "amount_minor": amount}, ["order_newest"]),
    ]
    for name, typed, filters, scans in cases:
        with subtests.test(name):
            _expect(_asked(hanne, monkeypatch, typed, **filters), scans)
    with subtests.test("a rare fragment, by trigrams"):
        scan = f"Bitmap Index Scan on {TRIGRAM_INDEX}" if _build_trigram_index() else NEWEST
        _expect(_asked(hanne, monkeypatch, key[3:10]), [scan])


def _build_trigram_index() -> bool:
    """Whether this PostgreSQL can."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
        can = bool((cursor.fetchone() or (0,))[0])
        if can:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(f"CREATE INDEX {TRIGRAM_INDEX} ON stores_order USING gin (ref_key gin_trgm_ops)")
    return can


def _expect(asked: list[Asked], scans: list[str]) -> None:
    plans = [each.plan() for each in asked]
    for scan in scans:
        assert any(re.search(scan, plan) for plan in plans), "\n\n".join((scan, *plans))
    assert plans
    assert not any("Seq Scan on stores_order" in plan for plan in plans), "\n\n".join(plans)
