"""Releases over REST: asked for under a key at an address of their own, looked at where refunds are."""

from typing import Any

import pytest

from refunds.models import Delivery, LedgerEntry, Refund, State
from stores.models import Order, Scope
from tests.conftest import Chain
from tests.refunds.asking import run
from tests.refunds.releases import cancels, releases_of, reserved
from tests.till import Till, problem


@pytest.fixture
def oslo(chain: Chain) -> Till:
    return Till(chain.systems["OSL"])


@pytest.fixture
def order(chain: Chain) -> Order:
    return reserved(chain)


def asking(order: Order, **more: Any) -> dict[str, Any]:
    return {"order_id": f"ord_{order.public_id.hex}", "reason": "not_delivered", "cashier": "kari-7", **more}


def ask(till: Till, body: Any, key: str = "till-1-release") -> Any:
    return till.post("releases", body, Idempotency_Key=key)


def test_a_release_is_accepted_for_the_keys_store_and_read_as_a_refund_of_its_own_kind(
    chain: Chain, oslo: Till, order: Order
) -> None:
    response = ask(oslo, asking(order))
    [release] = releases_of(order)
    body = response.json()
    assert (response.status_code, response["Retry-After"]) == (202, "2")
    assert response["Location"] == f"/api/v1/refunds/ref_{release.pk.hex}"
    assert (body["kind"], body["state"], body["amount"]) == ("release", "queued", {"amount_minor": 50_000, "currency": "NOK"})
    assert (release.refunding_store, release.cashier) == (chain.oslo, "kari-7")
    assert not LedgerEntry.objects.filter(refund=release).exists()
    run(release)
    read = oslo.get(f"refunds/ref_{release.pk.hex}").json()
    assert (read["state"], read["outcome"], read["is_final"], read["headline"]) == ("released", "released", True, "Released")
    assert oslo.get("refunds/by-key/till-1-release").json() == read
    again = ask(oslo, asking(order))
    assert (again.status_code, again["Idempotency-Replayed"], again.json()) == (200, "true", read)
    assert len(cancels(chain)) == 1


def test_what_can_be_released_is_told_with_what_can_be_refunded(oslo: Till, order: Order) -> None:
    path = f"orders/ord_{order.public_id.hex}/refundable"
    before = oslo.get(path).json()
    assert (before["releasable_minor"], before["is_released"]) == (50_000, False)
    ask(oslo, asking(order))
    while_open = oslo.get(path).json()
    assert (while_open["left_minor"], while_open["releasable_minor"], while_open["is_released"]) == (0, 0, False)
    assert [(flight["kind"], flight["amount_minor"]) for flight in while_open["in_flight"]] == [("release", 50_000)]
    run(releases_of(order)[0])
    after = oslo.get(path).json()
    assert (after["left_minor"], after["is_released"], after["in_flight"]) == (0, True, [])


def test_an_order_is_named_by_store_and_reference_too(oslo: Till, order: Order) -> None:
    named = {"store": "BGO", "reference": order.reference, "reason": "not_delivered", "cashier": "kari-7"}
    assert ask(oslo, named).json()["order_id"] == f"ord_{order.public_id.hex}"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"amount": {"amount_minor": 1, "currency": "NOK"}}, "amount", "unknown_field"),
        ({"msn": "100002"}, "msn", "unknown_field"),
        ({"reason": "because"}, "reason", "reason_needed"),
        ({"reason": "other"}, "reason_text", "reason_needed"),
        ({"cashier": ""}, "cashier", "blank"),
        ({"store": "BGO", "reference": "BGO-1"}, "order_id", "invalid"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_accepted(
    oslo: Till, order: Order, change: dict[str, Any], field: str, code: str
) -> None:
    body = problem(ask(oslo, {**asking(order), **change}), 400, code)
    assert [error["field"] for error in body["errors"]] == [field]
    assert releases_of(order) == []


def test_without_a_key_or_the_scope_nothing_is_accepted(chain: Chain, oslo: Till, order: Order) -> None:
    problem(oslo.post("releases", asking(order)), 400, "idempotency_key_required")
    chain.systems["OSL"].__class__.objects.filter(pk=oslo.system.pk).update(scopes=[Scope.REFUNDS_READ])
    assert ask(oslo, asking(order)).status_code == 403
    assert releases_of(order) == []


def test_a_key_belongs_to_one_wish_be_it_a_refund_or_a_release(oslo: Till, order: Order) -> None:
    ask(oslo, asking(order))
    problem(ask(oslo, asking(order, reason="goodwill")), 422, "key_reused")
    refund = {**asking(order), "amount": {"amount_minor": 1_000, "currency": "NOK"}}
    problem(oslo.post("refunds", refund, Idempotency_Key="till-1-release"), 422, "key_reused")
    problem(oslo.post("refunds", refund, Idempotency_Key="till-1-another"), 409, "released")


def test_what_was_taken_or_never_seen_reserved_is_refused_by_its_code(chain: Chain, oslo: Till) -> None:
    claimed = chain.sold(chain.bergen, "BGO-20261101-8821", 50_000)
    problem(ask(oslo, asking(claimed)), 409, "not_reserved")
    Order.objects.filter(pk=claimed.pk).update(captured_minor=50_000)
    problem(ask(oslo, asking(claimed)), 409, "captured")
    assert Refund.objects.filter(order=claimed).count() == 0


def test_the_stores_hear_of_a_release_in_its_own_words(chain: Chain, oslo: Till, order: Order) -> None:
    from_oslo = chain.systems["OSL"].endpoints.create(url="https://till.invalid/hook")
    ask(oslo, asking(order))
    run(releases_of(order)[0])
    [told] = Delivery.objects.filter(endpoint=from_oslo)
    assert told.event == "refund.released"
    assert '"kind":"release"' in told.body
    assert f'"state":"{State.RELEASED}"' in told.body
    assert '"amount":{"amount_minor":50000,"currency":"NOK"}' in told.body
