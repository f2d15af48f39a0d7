"""Scan or type, and the order is there: one hit opens, two stores are a choice, a miss says what to try."""

from zoneinfo import ZoneInfo

import pytest
from django.test import Client, override_settings

from refunds.models import State
from stores.models import LookUp
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import signed_in, text_of

OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def kari(chain: Chain) -> Client:
    return signed_in(chain.kari)


def test_the_cursor_stands_in_the_search_field(kari: Client) -> None:
    page = kari.get("/desk/")
    assert page.status_code == 200
    assert '<input id="q" name="q" type="text" value="" maxlength="10000" autofocus' in page.content.decode()


@pytest.mark.parametrize("typed", ["BGO-20261101-7741", "bgo 20261101 7741", " bgo202611017741 ", "1-7741", "017741"])
def test_one_hit_opens_at_once(chain: Chain, kari: Client, typed: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    chain.sold(chain.oslo, "OSL-20261101-1111", 100_000)
    found = kari.get("/desk/", {"q": typed})
    assert (found.status_code, found["Location"]) == (302, f"/desk/orders/{order.public_id}/")


def test_the_same_reference_in_two_stores_is_a_choice_by_store(chain: Chain, kari: Client) -> None:
    for store in (chain.bergen, chain.trondheim):
        chain.sold(store, "SHOP-100042", 40_000)
    page = kari.get("/desk/", {"q": "SHOP-100042"})
    said = text_of(page)
    assert page.status_code == 200
    assert "The same reference in 2 stores: where was it bought?" in said
    assert "Nordlys Bergen" in said
    assert "Nordlys Trondheim" in said
    assert "100002" not in page.content.decode(), "nobody needs to know a sales unit's number to choose"


def test_two_orders_of_one_store_that_differ_in_case_alone_are_no_choice_of_store(chain: Chain, kari: Client) -> None:
    for reference in ("SHOP-100042", "shop-100042"):
        chain.sold(chain.bergen, reference, 40_000)
    said = text_of(kari.get("/desk/", {"q": "SHOP-100042"}))
    assert "2 orders" in said
    assert "The same reference in" not in said


def test_a_line_says_store_time_amount_what_is_left_and_status(chain: Chain, kari: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    chain.sold(chain.bergen, "BGO-20261101-7742", 50_000)
    run(ask(order, 25_000, who=chain.kari, store=chain.oslo).refund)
    said = text_of(kari.get("/desk/", {"q": "BGO-20261101"}))
    assert "NOK 1,000.00 NOK 750.00 left Partly refunded" in said
    assert "NOK 500.00 NOK 500.00 left Can be refunded" in said


def test_money_in_flight_elsewhere_is_named(chain: Chain, kari: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    chain.sold(chain.bergen, "BGO-20261101-7742", 50_000)
    ask(order, 25_000, who=chain.kari, store=chain.oslo)
    assert "NOK 750.00 left Being refunded in Nordlys Oslo" in text_of(kari.get("/desk/", {"q": "BGO-20261101"}))


def test_a_used_up_order_is_shown_and_cannot_be_chosen(chain: Chain, kari: Client) -> None:
    used = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    chain.sold(chain.bergen, "BGO-20261101-7742", 50_000)
    assert run(ask(used, 100_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED
    page = kari.get("/desk/", {"q": "BGO-20261101"}).content.decode()
    assert "All refunded" in page
    assert f"/desk/orders/{used.public_id}/" not in page


def test_amount_and_day_and_store_find_it_without_the_receipt(chain: Chain, kari: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 123_450)
    chain.sold(chain.oslo, "OSL-20261101-7741", 123_450)
    asked = {
        "amount": "1 234,50",
        "day": order.paid_at.astimezone(OSLO).date().isoformat(),
        "store": "Bergen",
    }
    page = kari.get("/desk/", asked)
    assert page.status_code == 200
    assert "BGO-20261101-7741" in page.content.decode()
    assert "OSL-20261101-7741" not in page.content.decode()
    assert '<details class="filters" open>' in page.content.decode()


def test_a_miss_keeps_the_text_selected_and_says_what_to_try(kari: Client) -> None:
    page = kari.get("/desk/", {"q": "NOSUCH-99"})
    assert 'value="NOSUCH-99"' in page.content.decode()
    assert " data-select>" in page.content.decode()
    assert "Try the last four to six characters" in text_of(page)


@pytest.mark.parametrize("scanned", ["https://nordlys.no/k?ref=BGO-20261101-7741", "]C1BGO-20261101-7741\x00"])
def test_a_scanned_code_opens_its_order(chain: Chain, kari: Client, scanned: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    found = kari.get("/desk/", {"q": scanned})
    assert (found.status_code, found["Location"]) == (302, f"/desk/orders/{order.public_id}/")


@pytest.mark.parametrize("scanned", ["x" * 10_000, "%_" * 5_000, "https://nordlys.no/" + "a/" * 4_000])
def test_a_code_without_a_reference_is_answered_in_place(kari: Client, scanned: str) -> None:
    page = kari.get("/desk/", {"q": scanned})
    assert page.status_code == 200
    assert "No order matches" in text_of(page)


def test_a_look_alike_is_shown_and_does_not_open_by_itself(chain: Chain, kari: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7751", 100_000)
    page = kari.get("/desk/", {"q": "BGO-20261101-77SI"})
    assert page.status_code == 200
    assert "These look alike" in text_of(page)
    assert f"/desk/orders/{order.public_id}/" in page.content.decode()


def test_what_she_typed_is_never_markup(kari: Client) -> None:
    page = kari.get("/desk/", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize("asked", [{"amount": "lots"}, {"day": "yesterday"}, {"store": "not-a-store"}, {"q": "x" * 10_001}])
def test_a_wrong_filter_is_said_in_place(kari: Client, asked: dict[str, str]) -> None:
    page = kari.get("/desk/", {**asked, "amount": asked.get("amount", "")})
    assert page.status_code == 400
    assert 'class="error"' in page.content.decode()
    assert LookUp.objects.count() == 0


@override_settings(LOOK_UPS_PER_MINUTE=2)
def test_too_many_look_ups_are_refused_in_place(chain: Chain, kari: Client) -> None:
    for _ in range(2):
        assert kari.get("/desk/", {"q": "NOSUCH-99"}).status_code == 200
    page = kari.get("/desk/", {"q": "NOSUCH-99"})
    assert page.status_code == 429
    assert 'value="NOSUCH-99"' in page.content.decode()
    assert 'role="alert"' in page.content.decode()


def test_a_full_page_says_that_there_are_more(chain: Chain, kari: Client) -> None:
    for number in range(21):
        chain.sold(chain.bergen, f"BGO-20261101-{9000 + number}", 10_000)
    assert "20 orders, and more" in text_of(kari.get("/desk/", {"q": "2026110"}))
