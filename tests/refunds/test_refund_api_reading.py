"""Reading refunds over REST: by id, by key, by order, in pages; and what is left of an order."""

import pytest

from stores.models import Order
from tests.conftest import Chain
from tests.refunds.asking_over_rest import ask, asking
from tests.till import Till, problem


@pytest.fixture
def oslo(chain: Chain) -> Till:
    return Till(chain.systems["OSL"])


@pytest.fixture
def sold(chain: Chain) -> Order:
    """What Bergen sold: 1 000,00 kr."""
    return chain.sold(chain.bergen, "BER-2026-10042", 100_000)


def test_a_refund_is_found_by_id_by_key_and_by_order(oslo: Till, sold: Order, chain: Chain) -> None:
    shown = ask(oslo, asking(sold), key="till/1?#%2F").json()
    other = chain.sold(chain.bergen, "BER-2026-10043", 100)
    ask(oslo, asking(other, 100), key="2")
    assert oslo.get(f"refunds/{shown['id']}").json() == shown
    assert oslo.get("refunds/by-key/till%2F1%3F%23%252F").json() == shown
    assert oslo.get("refunds", {"order_id": shown["order_id"]}).json() == {"refunds": [shown], "next_cursor": ""}
    for path in ("refunds/by-key/3", "refunds/by-key/%00", "refunds/ref_" + "0" * 32, "refunds/" + shown["order_id"]):
        problem(oslo.get(path), 404, "not_found")
    problem(oslo.get("refunds", {"order_id": "ord_" + "0" * 32}), 404, "not_found")


def test_another_stores_refund_looks_absent(oslo: Till, sold: Order, chain: Chain) -> None:
    shown = ask(oslo, asking(sold)).json()
    trondheim = Till(chain.systems["TRD"])
    problem(trondheim.get(f"refunds/{shown['id']}"), 404, "not_found")
    problem(trondheim.get("refunds/by-key/till-1-000001"), 404, "not_found")
    assert trondheim.get("refunds").json()["refunds"] == []


def test_refunds_are_listed_newest_first_by_cursor(oslo: Till, sold: Order) -> None:
    made = [ask(oslo, asking(sold, 100 + number), key=str(number)).json()["id"] for number in range(5)]
    shown: list[str] = []
    cursor = ""
    for _page in range(3):
        page = oslo.get("refunds", {"limit": 2, "cursor": cursor}).json()
        shown += [refund["id"] for refund in page["refunds"]]
        cursor = page["next_cursor"]
    assert (shown, cursor) == (made[::-1], "")
    problem(oslo.get("refunds", {"cursor": "MS4wLjAuMQ"}), 400, "invalid_cursor")


def test_what_is_left_counts_money_in_flight(oslo: Till, sold: Order, chain: Chain) -> None:
    ask(oslo, asking(sold))
    response = Till(chain.systems["BGO"]).get(f"orders/ord_{sold.public_id.hex}/refundable")
    assert response.json() == {
        "order_id": f"ord_{sold.public_id.hex}",
        "currency": "NOK",
        "captured_minor": 100_000,
        "posted_minor": 0,
        "external_minor": 0,
        "reserved_minor": 25_000,
        "left_minor": 75_000,
        "releasable_minor": 0,
        "is_released": False,
        "on_hold": False,
        "is_confirmed": False,
        "disputed_minor": 0,
        "in_flight": [{"kind": "refund", "amount_minor": 25_000, "store_name": chain.oslo.name, "state": "queued"}],
        "lines": [],
    }
    problem(oslo.get("orders/ord_" + "0" * 32 + "/refundable"), 404, "not_found")
