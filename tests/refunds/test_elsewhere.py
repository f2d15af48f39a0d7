"""The store that sold sees what other stores refund of its sales: by day, with sums, and as news until somebody has seen it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from refunds import elsewhere
from refunds.models import ElsewhereSeen, Refund
from stores import clock, people
from stores.models import Order, Role, User
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import signed_in, text_of
from tests.refunds.releases import ask_release, reserved

PAGE, SEEN = "/desk/elsewhere/", "/desk/elsewhere/seen/"


@pytest.fixture
def bjarne(chain: Chain) -> User:
    """Cashier in Bergen, whose sales Kari refunds in Oslo."""
    bjarne = User.objects.create(username="bjarne", first_name="Bjarne")
    people.join_store(bjarne, chain.bergen, role=Role.CASHIER, by=chain.by)
    return bjarne


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)


def in_oslo(chain: Chain, order: Order, amount_minor: int) -> Refund:
    return run(ask(order, amount_minor, who=chain.kari, store=chain.oslo).refund)


def count_in_header(client: Client) -> str:
    """What stands beside the link, on any page of the desk; empty where nothing is new."""
    body = client.get("/desk/today/").content.decode()
    _before, found, after = body.partition('<b class="count"')
    return after.partition(">")[2].partition("<")[0] if found else ""


def test_the_store_that_sold_sees_who_gave_back_how_much(chain: Chain, bjarne: User, order: Order) -> None:
    in_oslo(chain, order, 12_550)
    in_oslo(chain, order, 7_450)
    ask(order, 5_000, who=chain.kari, store=chain.oslo)
    run(ask(order, 100, who=bjarne, store=chain.bergen).refund)
    page = signed_in(bjarne).get(PAGE)
    said = text_of(page)
    assert page.status_code == 200
    assert "2 refunds NOK 200.00" in said, "not its own, and not what is not through yet"
    assert "Nordlys Oslo" in said
    assert "BGO-20261101-7741 R1 Goods returned NOK 125.50" in said
    assert "On its way 1 refund NOK 50.00" in said
    assert "R3 Goods returned NOK 50.00" in said
    assert "NOK 1.00" not in said.partition("Sold in Nordlys Bergen")[2], "above it stands what he himself has under way"
    kari = text_of(signed_in(chain.kari).get(PAGE))
    assert "Other stores have refunded none of our sales." in kari, "Oslo sold nothing"


def test_a_day_is_the_stores_own(chain: Chain, bjarne: User, order: Order) -> None:
    late, early = in_oslo(chain, order, 100), in_oslo(chain, order, 200)
    # half past eleven in the evening and half past midnight in Bergen
    Refund.objects.filter(pk=late.pk).update(ended_at=datetime(2026, 11, 10, 22, 30, tzinfo=UTC))
    Refund.objects.filter(pk=early.pk).update(ended_at=datetime(2026, 11, 10, 23, 30, tzinfo=UTC))
    client = signed_in(bjarne)
    assert "1 refund NOK 1.00" in text_of(client.get(PAGE, {"day": "2026-11-10"}))
    assert "1 refund NOK 2.00" in text_of(client.get(PAGE, {"day": "2026-11-11"}))
    assert "none of our sales" in text_of(client.get(PAGE, {"day": "2026-11-12"}))
    assert client.get(PAGE, {"day": "yesterday"}).status_code == 400


def test_what_is_new_is_counted_on_every_page_until_she_says_seen(
    chain: Chain, bjarne: User, order: Order, travel: Any
) -> None:
    client = signed_in(bjarne)
    assert count_in_header(client) == ""
    in_oslo(chain, order, 100)
    in_oslo(chain, order, 200)
    travel(timedelta(minutes=1))
    assert count_in_header(client) == "2"
    page = client.get(PAGE)
    assert "2 refunds you have not seen yet." in text_of(page)
    assert page.content.decode().count('class="hit news"') == 2
    assert count_in_header(client) == "2", "to look is not yet to have seen"
    until = page.content.decode().partition('name="until" value="')[2].partition('"')[0]
    in_oslo(chain, order, 300)
    travel(timedelta(minutes=1))
    assert client.post(SEEN, {"until": until})["Location"] == PAGE
    assert count_in_header(client) == "1", "what came in meanwhile is still news"


def test_each_person_has_her_own_mark_in_each_store(chain: Chain, bjarne: User, order: Order, travel: Any) -> None:
    liv = User.objects.create(username="liv")
    people.join_store(liv, chain.bergen, role=Role.MANAGER, by=chain.by)
    in_oslo(chain, order, 100)
    travel(timedelta(minutes=1))
    bjarnes, livs = signed_in(bjarne), signed_in(liv)
    bjarnes.post(SEEN, {"until": clock.db_now().isoformat()})
    assert (count_in_header(bjarnes), count_in_header(livs)) == ("", "1")
    assert count_in_header(signed_in(chain.kari)) == "", "in Oslo nothing is new"


def test_a_mark_goes_forward_only_and_never_to_the_very_moment(chain: Chain, bjarne: User, travel: Any) -> None:
    now = clock.db_now()
    elsewhere.mark_seen(bjarne, chain.bergen, until=now + timedelta(days=9))
    mark = ElsewhereSeen.objects.get()
    assert mark.until < clock.db_now() - timedelta(seconds=4)
    elsewhere.mark_seen(bjarne, chain.bergen, until=now - timedelta(days=1))
    mark.refresh_from_db()
    assert mark.until > now - timedelta(minutes=1)
    for nonsense in ("", "x", "2026-11-01T00:00:00", "9" * 400):
        assert signed_in(bjarne).post(SEEN, {"until": nonsense}).status_code == 302
    assert ElsewhereSeen.objects.get().until == mark.until


def test_somebody_new_is_told_of_the_last_week_only(chain: Chain, bjarne: User, order: Order) -> None:
    old, new = in_oslo(chain, order, 100), in_oslo(chain, order, 200)
    Refund.objects.filter(pk=old.pk).update(ended_at=clock.db_now() - timedelta(days=8))
    assert elsewhere.count_unseen(bjarne, chain.bergen) == 1
    assert new.origin_store == chain.bergen


def test_a_release_debits_nothing_and_is_no_news(chain: Chain, bjarne: User) -> None:
    run(ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund)
    assert elsewhere.count_unseen(bjarne, chain.bergen) == 0
    assert "none of our sales" in text_of(signed_in(bjarne).get(PAGE))


def test_the_database_writes_down_whose_sale_it_was_and_keeps_it(chain: Chain, order: Order) -> None:
    refund = in_oslo(chain, order, 100)
    refund.refresh_from_db()
    assert refund.origin_store == chain.bergen
    with pytest.raises(ProgrammingError), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(origin_store=chain.oslo)


def test_the_count_is_one_query_by_its_index(chain: Chain, bjarne: User, order: Order) -> None:
    in_oslo(chain, order, 100)
    with CaptureQueriesContext(connection) as asked:
        elsewhere.count_unseen(bjarne, chain.bergen)
    [query] = asked.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query['sql']}")
        [(plan,)] = cursor.fetchall()
    assert "refund_origin_at" in json.dumps(plan)
