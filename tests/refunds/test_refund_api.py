"""The REST door for refunds: asked for under a key, by order or by store and reference, never by MSN."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from refunds.models import OrderAccount, Refund, State
from stores import audit, keys, registry
from stores.models import Channel, Entry, Order, SalesUnit, Scope
from tests.conftest import Chain
from tests.refunds.asking_over_rest import ask, asking, nothing_moved
from tests.till import YESTERDAY, Till, problem, row


@pytest.fixture
def oslo(chain: Chain) -> Till:
    return Till(chain.systems["OSL"])


@pytest.fixture
def sold(chain: Chain) -> Order:
    """What Bergen sold: 1 000,00 kr."""
    return chain.sold(chain.bergen, "BER-2026-10042", 100_000)


def test_a_refund_is_accepted_for_the_keys_store(oslo: Till, sold: Order, chain: Chain) -> None:
    response = ask(oslo, asking(sold))
    refund = Refund.objects.get()
    body = response.json()
    assert response.status_code == 202
    assert response["Location"] == f"/api/v1/refunds/ref_{refund.pk.hex}"
    assert response["Retry-After"] == "2"
    assert "Idempotency-Replayed" not in response
    assert (body["id"], body["order_id"]) == (f"ref_{refund.pk.hex}", f"ord_{sold.public_id.hex}")
    assert (body["store"]["code"], body["refunding_store"]["code"]) == ("BGO", "OSL")
    assert body["amount"] == {"amount_minor": 25_000, "currency": "NOK"}
    assert (body["state"], body["is_final"], body["number"], body["reason"]) == ("queued", False, 1, "returned")
    assert (refund.refunding_store, refund.requested_by_system, refund.cashier) == (chain.oslo, oslo.system, "kari-7")
    assert (refund.client_id, refund.client_key) == (str(oslo.system.public_id), "till-1-000001")
    assert OrderAccount.objects.get().reserved_minor == 25_000
    entry = Entry.objects.get(event="refund.accepted")
    assert json.loads(entry.canonical)["actor"]["cashier"] == "kari-7"
    assert audit.verify().bad is None
    assert chain.units["BGO"].msn not in response.content.decode()


def test_the_same_request_again_is_the_same_refund_and_says_so(oslo: Till, sold: Order) -> None:
    first, again = ask(oslo, asking(sold)), ask(oslo, asking(sold))
    assert (again.status_code, again["Idempotency-Replayed"], again["Retry-After"]) == (202, "true", "2")
    assert again.json() == first.json()
    assert Refund.objects.count() == 1
    assert OrderAccount.objects.get().reserved_minor == 25_000


def test_a_repeated_request_of_an_ended_refund_is_answered_at_once(oslo: Till, sold: Order) -> None:
    ask(oslo, asking(sold))
    Refund.objects.update(state=State.REFUNDED)
    again = ask(oslo, asking(sold))
    assert (again.status_code, again["Idempotency-Replayed"]) == (200, "true")
    assert (again.json()["state"], again.json()["is_final"]) == ("refunded", True)
    assert "Retry-After" not in again


def test_the_same_request_with_another_key_of_the_system_is_the_same_refund(oslo: Till, sold: Order) -> None:
    ask(oslo, asking(sold))
    rotated = Till(oslo.system)
    assert rotated.key != oslo.key
    assert ask(rotated, asking(sold))["Idempotency-Replayed"] == "true"
    assert Refund.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(oslo: Till, sold: Order) -> None:
    ask(oslo, asking(sold))
    problem(ask(oslo, asking(sold, 26_000)), 422, "key_reused")
    assert [refund.amount_minor for refund in Refund.objects.all()] == [25_000]


def test_another_systems_same_key_is_another_refund(oslo: Till, sold: Order, chain: Chain) -> None:
    bergen = Till(chain.systems["BGO"])
    ask(oslo, asking(sold))
    assert ask(bergen, asking(sold, 10_000)).status_code == 202
    assert Refund.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "with space", "k" * 101, "nøkkel", "tab\tbed"])
def test_without_a_proper_key_no_money_is_touched(oslo: Till, sold: Order, key: str) -> None:
    response = ask(oslo, asking(sold), key=key)
    assert response.status_code == 400
    assert response.json()["code"] in ("idempotency_key_required", "invalid_key")
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"
    assert nothing_moved()


def test_an_order_may_be_named_by_store_and_reference(oslo: Till, sold: Order) -> None:
    body = asking(sold, store="BGO", reference="BER-2026-10042")
    del body["order_id"]
    assert ask(oslo, body).json()["order_id"] == f"ord_{sold.public_id.hex}"
    problem(ask(oslo, body | {"reference": "ber-2026-10042"}, key="2"), 404, "not_found")
    problem(ask(oslo, body | {"store": "XXX"}, key="3"), 404, "not_found")


def second_unit(chain: Chain) -> SalesUnit:
    return registry.add_sales_unit(
        chain.bergen,
        msn="100010",
        name="Bergen web",
        market="NO",
        environment="simulator",
        channel=Channel.ONLINE,
        valid_from=YESTERDAY - timedelta(days=9),
        by=chain.by,
    )


def test_a_reference_in_two_units_of_the_store_is_a_choice(oslo: Till, sold: Order, chain: Chain) -> None:
    body = {name: value for name, value in asking(sold, store="BGO", reference=sold.reference).items() if name != "order_id"}
    assert ask(oslo, body, key="before").status_code == 202
    second_unit(chain)
    Till(chain.systems["BGO"]).sync(row(sold.reference, 100_000, channel="online"))
    twin = Order.objects.exclude(pk=sold.pk).get()

    found = problem(ask(oslo, body, key="after"), 409, "ambiguous_order")
    assert found["facts"]["orders"] == [
        {"order_id": f"ord_{sold.public_id.hex}", "channel": "in_store"},
        {"order_id": f"ord_{twin.public_id.hex}", "channel": "online"},
    ]
    assert ask(oslo, body, key="before")["Idempotency-Replayed"] == "true"
    chosen = ask(oslo, body | {"channel": "in_store", "confirms_duplicate": True}, key="after")
    assert (chosen.status_code, chosen.json()["order_id"]) == (202, f"ord_{sold.public_id.hex}")


def test_absent_and_invisible_orders_are_answered_alike(oslo: Till, sold: Order) -> None:
    absent = ask(oslo, asking(sold) | {"order_id": "ord_" + "0" * 32})
    shapeless = ask(oslo, asking(sold) | {"order_id": "BER-2026-10042"})
    problem(absent, 404, "not_found")
    problem(shapeless, 404, "not_found")
    assert nothing_moved()


@pytest.mark.parametrize(("currency", "amount_minor", "status", "code"), [("NOK", 100_001, 409, "exceeds_left")])
def test_more_than_is_left_is_refused_with_what_is_left(
    oslo: Till, sold: Order, currency: str, amount_minor: int, status: int, code: str
) -> None:
    found = problem(ask(oslo, asking(sold, amount_minor)), status, code)
    assert found["facts"]["left_minor"] == 100_000
    assert nothing_moved()


def test_another_currency_is_refused(oslo: Till, sold: Order) -> None:
    response = ask(oslo, asking(sold) | {"amount": {"amount_minor": 100, "currency": "DKK"}})
    assert response.json()["code"] == "wrong_currency"
    assert nothing_moved()


def test_the_same_amount_again_within_minutes_is_asked_about(oslo: Till, sold: Order) -> None:
    ask(oslo, asking(sold), key="1")
    refund = Refund.objects.get()
    found = problem(ask(oslo, asking(sold), key="2"), 409, "possible_duplicate")
    assert found["facts"]["refund_id"] == f"ref_{refund.pk.hex}"
    assert Refund.objects.count() == 1
    assert ask(oslo, asking(sold, confirms_duplicate=True), key="2").status_code == 202
    assert OrderAccount.objects.get().reserved_minor == 50_000


def test_a_key_that_may_only_read_refunds_asks_for_none(sold: Order, chain: Chain) -> None:
    reader = Till(keys.add_system(chain.oslo, name="Reader", scopes=[Scope.REFUNDS_READ], by=chain.by))
    problem(ask(reader, asking(sold)), 403, "forbidden")
    assert nothing_moved()


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twice_at_once_is_one_refund(chain: Chain) -> None:
    sold = chain.sold(chain.bergen, "BER-2026-10042", 100_000)
    tills = [Till(chain.systems["OSL"]), Till(chain.systems["OSL"])]
    gate = threading.Barrier(2)
    answers: list[Any] = []

    def send(till: Till) -> None:
        try:
            gate.wait(timeout=10)
            answers.append(ask(till, asking(sold)))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == ["", "true"]
    assert OrderAccount.objects.get().reserved_minor == 25_000
