"""Search of many orders: each stage goes by its index, and the last one ends in time and says when it saw not all."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from stores.models import Order
from stores.search import find_orders, fragments, stages, walking
from tests.conftest import Chain
from tests.stores.indexed import NOON, index, references


def _index_many(chain: Chain, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO stores_order (public_id, sales_unit_id, store_id, reference, ref_key, channel, currency,
                                         claimed_minor, paid_at, receipt_number, indexed_at, updated_at)
               SELECT gen_random_uuid(), %s, %s, reference, upper(replace(reference, '-', '')), 'in_store', 'NOK',
                      100 + number %% 5000, %s - number * interval '1 minute', '', now(), now()
               FROM (SELECT number, 'BER-' || substr(md5(number::text), 1, 12) AS reference
                     FROM generate_series(1, %s) AS number) AS made""",
            [chain.units["BGO"].pk, chain.bergen.pk, NOON, count],
        )
        cursor.execute("ANALYZE stores_order")


@pytest.mark.parametrize(
    ("typed", "index_name"),
    [
        ("BER-000000000000", "order_ref_key"),
        ("BER-0000", "order_ref_key"),
        ("a1b2c3d4", "order_ref_key_reversed"),
    ],
)
def test_each_stage_goes_by_its_index(chain: Chain, typed: str, index_name: str) -> None:
    _index_many(chain, 30_000)
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        # The walk of the last stage reads newest keys in any case: of so few rows, all of them.
        if sql.startswith("SELECT") and 'FROM "stores_order"' in sql and "OFFSET" not in sql:
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        find_orders(typed, asker=chain.kari)
    plans = []
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(f"EXPLAIN {sql}", params)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert any(f"using {index_name} " in plan or f"on {index_name} " in plan for plan in plans), plans
    assert not any("Seq Scan on stores_order" in plan for plan in plans), plans


def test_a_common_start_or_end_shows_the_newest_not_the_first_by_name(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "MOST_BY_PREFIX", 3)
    monkeypatch.setattr(stages, "MOST_BY_SUFFIX", 3)
    for number in range(10):
        index(chain, "BGO", f"BER-{number}-END", at=NOON + timedelta(minutes=number))
    newest = ["BER-9-END", "BER-8-END", "BER-7-END"]
    assert references(find_orders("ber", asker=chain.kari, limit=3)) == newest
    assert references(find_orders("end", asker=chain.kari, limit=3)) == newest


def test_the_last_eight_characters_settle_it(chain: Chain) -> None:
    index(chain, "BGO", "BER-202610042")
    index(chain, "BGO", "BER-202610042-X")
    assert references(find_orders("202610042", asker=chain.kari)) == ["BER-202610042"]
    assert references(find_orders("610042", asker=chain.kari)) == ["BER-202610042", "BER-202610042-X"]


def test_a_fragment_that_takes_too_long_is_cut_and_says_so(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    _index_many(chain, 5_000)
    newest = index(chain, "BGO", "BER-QQQ-2026", at=NOON + timedelta(days=1))
    walk = walking._WALK.replace("SELECT id FROM (", "SELECT id FROM (SELECT pg_sleep(0.4)) AS slow, (")
    monkeypatch.setattr(fragments, "FIRST_WALK", 0)
    monkeypatch.setattr(walking, "_WALK", walk)
    page = find_orders("qqq", asker=chain.kari)
    assert page.hits == []
    assert page.hint == "Older orders were not searched: type more characters."
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("10s",)
    assert Order.objects.filter(pk=newest.pk).exists()


def test_a_walk_that_ends_before_the_oldest_order_says_so(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    _index_many(chain, 500)
    index(chain, "BGO", "BER-QQQ-2026", at=NOON - timedelta(days=100))
    monkeypatch.setattr(fragments, "FIRST_WALK", 50)
    monkeypatch.setattr(fragments, "LONGEST_WALK", 100)
    page = find_orders("qqq", asker=chain.kari)
    assert (page.hits, page.hint) == ([], "Older orders were not searched: type more characters.")


def test_the_trigram_index_finds_what_lies_beyond_the_walk(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    _index_many(chain, 500)
    index(chain, "BGO", "BER-QQQ-2026", at=NOON - timedelta(days=100))
    monkeypatch.setattr(fragments, "FIRST_WALK", 50)
    monkeypatch.setattr(fragments, "LONGEST_WALK", 100)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # Any index of this name stands in: where the extension is missing the statement is the same, only slower.
        cursor.execute(f"CREATE INDEX {fragments.TRIGRAM_INDEX} ON stores_order (ref_key)")
    page = find_orders("qqq", asker=chain.kari)
    assert (references(page), page.hint) == (["BER-QQQ-2026"], "")
