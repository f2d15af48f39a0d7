"""The payment confirmed live: Vipps is asked when an order opens, the page does not wait, and what it says changes the page."""

import re
from datetime import timedelta

import pytest
from django.utils.http import urlencode

from refunds import comparison, overview
from refunds.models import CheckReason, OrderCheck
from stores import clock
from stores.actors import hub
from stores.models import Order, SalesUnit
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.desk_pages import Page, Till, signed_in, text_of

WORKER = hub("worker")


@pytest.fixture
def till(chain: Chain) -> Till:
    """Kari in Oslo, at an order of 1 000 kr that Bergen sold."""
    return Till(client=signed_in(chain.kari), order=chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))


def question(page: Page) -> str:
    """Where the page looks for the answer."""
    found = re.search(r'id="confirmed"[^>]* hx-get="([^"]+)"', page.content.decode())
    assert found, "the page asks nobody"
    return found[1].replace("&amp;", "&")


def test_opening_asks_vipps_and_a_worker_answers(chain: Chain, till: Till) -> None:
    page = till.open()
    check = OrderCheck.objects.get(order=till.order)
    assert (check.why, check.due_at is not None) == (CheckReason.OPENED, True)
    assert till.client.get(question(page)).status_code == 204, "nobody has looked yet"
    assert comparison.check_order(till.order.pk, by=WORKER) == 0
    answer = till.client.get(question(page))
    assert "Vipps confirmed this 0 s ago: NOK 1,000.00 of NOK 1,000.00 left." in text_of(answer)
    assert "hx-get" not in answer.content.decode().split('id="confirmed"')[1].split(">")[0], "it stops asking"
    assert "HX-Refresh" not in answer.headers


def test_what_vipps_has_just_said_is_not_asked_again(till: Till) -> None:
    till.open()
    comparison.check_order(till.order.pk, by=WORKER)
    assert "Vipps confirmed this" in text_of(till.open()), "a reload shows it without a script"
    assert OrderCheck.objects.get(order=till.order).due_at is None
    Order.objects.filter(pk=till.order.pk).update(confirmed_at=clock.db_now() - timedelta(seconds=11))
    assert "Vipps is being asked" in text_of(till.open())


def test_a_refund_made_elsewhere_shows_in_the_answer_with_what_is_left_now(chain: Chain, till: Till) -> None:
    page = till.open()
    chain.simulator.portal_refund(till.order.sales_unit.msn, till.order.reference, 60_000)
    comparison.check_order(till.order.pk, by=WORKER)
    answer = till.client.get(question(page))
    said = text_of(answer)
    assert "NOK 400.00 of NOK 1,000.00 left" in said
    assert "NOK 600.00 outside the hub" in said
    assert 'data-value="400.00"' in answer.content.decode(), "all that is left is less now"
    assert answer.content.decode().count('hx-swap-oob="true"') == 3
    assert answer["HX-Trigger"] == "balance-changed", "and what she has typed is measured against it"
    assert "balance-changed from:body" in page.content.decode()
    assert "NOK 600.00 outside the hub" in text_of(till.open())


def test_where_the_answer_changes_what_the_page_is_for_it_loads_anew(chain: Chain, till: Till) -> None:
    page = till.open()
    chain.simulator.portal_refund(till.order.sales_unit.msn, till.order.reference, 100_000)
    comparison.check_order(till.order.pk, by=WORKER)
    answer = till.client.get(question(page))
    assert answer["HX-Refresh"] == "true"
    assert "All of it has been refunded." in text_of(till.open())


def test_a_reservation_shows_as_one_although_the_till_claimed_money(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7742", 50_000, captured=False)
    till = Till(client=signed_in(chain.kari), order=order)
    page = till.open()
    comparison.check_order(order.pk, by=WORKER)
    assert till.client.get(question(page))["HX-Refresh"] == "true"
    assert "Release the reservation" in text_of(till.open())


def test_where_vipps_does_not_answer_the_page_says_so_and_goes_on(chain: Chain, till: Till) -> None:
    page = till.open()
    chain.simulator.arm(Fault(kind=FaultKind.DROP_BEFORE, operation="get", times=9))
    assert comparison.check_order(till.order.pk, by=WORKER) is None
    answer = till.client.get(question(page))
    assert "Vipps did not answer just now. It is asked again before money moves." in text_of(answer)
    assert "hx-get" not in answer.content.decode().split('id="confirmed"')[1].split(">")[0]
    assert 'name="amount"' in page.content.decode(), "she can go on"


def test_the_page_waits_no_longer_than_is_worth_it(till: Till) -> None:
    page = till.open()
    long_ago = (clock.db_now() - timedelta(seconds=21)).isoformat()
    path = question(page).split("?")[0]
    assert "Vipps did not answer just now" in text_of(till.client.get(f"{path}?{urlencode({'since': long_ago})}"))
    for odd in ("", "yesterday", "2026-11-01", "9" * 500):
        answer = till.client.get(f"{path}?{urlencode({'since': odd})}")
        assert answer.status_code == 200, odd
        assert "As the store says" in text_of(answer)


def test_nobody_is_asked_where_the_store_has_no_keys(chain: Chain, till: Till) -> None:
    SalesUnit.objects.filter(pk=till.order.sales_unit.pk).update(key_set=None)
    assert "As the store says" in text_of(till.open())
    assert OrderCheck.objects.count() == 0


def test_two_looks_at_once_ask_for_one_row(chain: Chain, till: Till) -> None:
    till.open()
    till.open()
    check = OrderCheck.objects.get(order=till.order)
    assert (check.asks, check.tries, check.problem) == (1, 0, "")
    seen = overview.overview_of(chain.kari, till.order.public_id, store=chain.oslo, now=clock.db_now())
    assert (seen.left.left_minor, seen.outside, seen.disputed_minor) == (100_000, [], 0)
