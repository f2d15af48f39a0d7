"""Search of many orders: what is common shows its newest, and what takes too long ends and says that it saw not all."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from stores.models import Order
from stores.search import ends, find_orders, fragments, indexes, reading, walking
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


def test_a_common_start_or_end_shows_the_newest_not_the_first_by_name(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "MOST_BY_PREFIX", 3)
    monkeypatch.setattr(ends, "MOST_BY_SUFFIX", 3)
    for number in range(10):
        index(chain, "BGO", f"BER-{number}-END", at=NOON + timedelta(minutes=number))
    newest = ["BER-9-END", "BER-8-END", "BER-7-END"]
    assert references(find_orders("ber", asker=chain.kari, limit=3)) == newest
    assert references(find_orders("end", asker=chain.kari, limit=3)) == newest


def test_the_last_six_characters_settle_it(chain: Chain) -> None:
    index(chain, "BGO", "BER-202610042")
    index(chain, "BGO", "BER-202610042-X")
    page = find_orders("610042", asker=chain.kari)
    assert references(page) == ["BER-202610042"]
    assert page.hint == "These start or end with what you typed: type more characters for others."
    assert find_orders("202610042", asker=chain.kari).hint == ""
    assert references(find_orders("10042", asker=chain.kari)) == ["BER-202610042", "BER-202610042-X"]


def test_a_fragment_that_takes_too_long_is_cut_and_says_so(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = index(chain, "BGO", "BER-QQQ-2026", at=NOON + timedelta(days=1))
    slow = walking._WALK.replace("SELECT id FROM (", "SELECT id FROM (SELECT pg_sleep(0.4)) AS slow, (")
    monkeypatch.setattr(walking, "_WALK", slow)
    began = time.monotonic()
    page = find_orders("rqqq", asker=chain.kari)
    assert time.monotonic() - began < 2
    assert (page.hits, page.hint) == ([], "Older orders were not searched: type more characters.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('enable_seqscan')")
        assert cursor.fetchone() == ("10s", "on")
    assert Order.objects.filter(pk=newest.pk).exists()


def test_what_was_found_before_the_time_was_up_is_shown(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    _index_many(chain, 500)
    index(chain, "BGO", "QQQ-2026", at=NOON - timedelta(days=100))
    monkeypatch.setattr(reading, "LONGEST_MS", 0)
    page = find_orders("qqq", asker=chain.kari)
    assert (references(page), page.hint) == (["QQQ-2026"], "Older orders were not searched: type more characters.")


def test_a_walk_that_ends_before_the_oldest_order_says_so(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    _index_many(chain, 500)
    index(chain, "BGO", "BER-QQQ-2026", at=NOON - timedelta(days=100))
    monkeypatch.setattr(fragments, "SHORT_WALK", 50)
    monkeypatch.setattr(fragments, "LONGEST_WALK", 100)
    page = find_orders("qqq", asker=chain.kari)
    assert (page.hits, page.hint) == ([], "Older orders were not searched: type more characters.")


def test_a_chosen_store_or_day_is_walked_to_its_end(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    _index_many(chain, 500)
    day = date(2026, 5, 1)
    index(chain, "OSL", "BER-QQQ-2026", at=datetime(2026, 5, 1, 12, tzinfo=UTC))
    for module in (fragments, ends):
        monkeypatch.setattr(module, "SHORT_WALK", 50)
        monkeypatch.setattr(module, "LONGEST_WALK", 100)
    for chosen in ({"store": chain.oslo}, {"day": day}, {"store": chain.oslo, "day": day}):
        page = find_orders("qqq", asker=chain.kari, **chosen)
        assert (references(page), page.hint) == (["BER-QQQ-2026"], "")
    assert references(find_orders("qqq", asker=chain.kari, store=chain.bergen)) == []


def test_a_cut_range_shows_the_newest_of_the_chosen_store(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "MOST_BY_PREFIX", 3)
    for number in range(10):
        index(chain, "BGO", f"COMMON-{number}", at=NOON + timedelta(minutes=number))
    index(chain, "OSL", "COMMON-0", at=NOON - timedelta(days=100))
    assert references(find_orders("common", asker=chain.kari, store=chain.oslo)) == ["COMMON-0"]
    page = find_orders("common", asker=chain.kari, limit=2)
    assert references(page) == ["COMMON-9", "COMMON-8"]
    page = find_orders("common", asker=chain.kari, limit=2, cursor=page.next_cursor)
    assert references(page) == ["COMMON-7", "COMMON-6"]


def test_the_trigram_index_finds_what_lies_beyond_the_walk(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    _index_many(chain, 500)
    index(chain, "BGO", "BER-QQQ-2026", at=NOON - timedelta(days=100))
    monkeypatch.setattr(fragments, "SHORT_WALK", 50)
    monkeypatch.setattr(fragments, "LONGEST_WALK", 100)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # Any index of this name stands in: where the extension is missing the statement is the same, only slower.
        cursor.execute(f"CREATE INDEX {indexes.TRIGRAM_INDEX} ON stores_order (ref_key)")
    page = find_orders("qqq", asker=chain.kari)
    assert (references(page), page.hint) == (["BER-QQQ-2026"], "")


def test_a_common_fragment_fills_its_page_from_the_newest(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fourth of the newest keys has it, so a walk somewhat longer than the first one gives a page."""
    for number in range(40):
        index(chain, "BGO", f"BER-{'QQQ' if number % 4 == 0 else 'PPP'}-{number:02}", at=NOON - timedelta(minutes=number))
    monkeypatch.setattr(fragments, "SHORT_WALK", 8)
    monkeypatch.setattr(fragments, "LONGEST_WALK", 40)
    assert references(find_orders("qqq", asker=chain.kari, limit=4)) == [f"BER-QQQ-{n:02}" for n in (0, 4, 8, 12)]
