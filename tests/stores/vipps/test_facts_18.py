"""What a faithful simulator must reproduce, row by row of that list; the tests beside this one go deeper into each."""

import json
from datetime import timedelta

import pytest

from stores.vipps.signatures import Verdict
from stores.vipps.simulator import Fault, FaultKind
from tests.stores.vipps.calling import ECOM, EPAYMENT, RECEIPT, Caller, ask, caller, sign_in, token
from tests.stores.vipps.receiving import Receiver, verdict
from tests.stores.vipps.world import BERGEN, HAMAR, NOON, ORDER, OSLO, TRONDHEIM, World

RESERVED = "bergen-reserved"


@pytest.fixture
def shop(world: World) -> Caller:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=1_000, captured_minor=0)
    return caller(world)


@pytest.mark.parametrize(("environment", "seconds"), [("test", "3600"), ("production", "86400")])
def test_row_1_tokens_are_texts_and_live_an_hour_or_a_day(world: World, environment: str, seconds: str) -> None:
    world.simulator.change_switches(environment=environment)
    told = sign_in(world.simulator, world.keys[BERGEN]).json
    assert all(isinstance(value, str) for value in told.values())
    assert (told["expires_in"], len(told["access_token"]) > 1_000) == (seconds, True)


def test_row_1_token_subscription_key_and_msn_belong_together(world: World, shop: Caller) -> None:
    get = ("GET", f"{EPAYMENT}/{ORDER}")
    bare = shop.headers()["authorization"].removeprefix("Bearer ")
    assert shop.call(*get).status == 200
    assert shop.call(*get, ocp_apim_subscription_key=world.keys[BERGEN].subscription_keys[1]).status == 200
    assert shop.call(*get, ocp_apim_subscription_key=world.keys[OSLO].subscription_key).status == 401
    assert shop.call(*get, ocp_apim_subscription_key="unknown").status == 401
    assert shop.call(*get, authorization=bare).status == 401
    assert shop.call(*get, authorization=f"bearer {bare}").status == 401
    assert shop.call(*get, authorization=f"Bearer {token(world.simulator, world.keys[OSLO])}").status == 401
    assert shop.call(*get, merchant_serial_number=OSLO).status == 403
    assert sign_in(world.simulator, world.keys[BERGEN], client_secret="another").status == 401


def test_row_2_partner_keys_need_the_msn_of_a_linked_unit(world: World) -> None:
    world.simulator.add_payment(TRONDHEIM, ORDER, amount_minor=500)
    path = f"{EPAYMENT}/{ORDER}"
    partner = Caller(simulator=world.simulator, keys=world.keys["chain"], msn=None)
    assert caller(world, TRONDHEIM, keys=world.keys["chain"]).call("GET", path).status == 200
    for headers, text in (
        ({}, "Invalid MSN. The MSN is not valid for the provided supermerchant ID."),
        ({"merchant_serial_number": BERGEN}, f"Invalid MSN: {BERGEN}. The MSN is not valid for the provided supermerchant ID."),
    ):
        told = partner.call("GET", path, **headers)
        assert (told.status, told.json["message"]) == (403, text)


def test_row_2_a_unit_has_one_partner_and_partners_have_no_test_environment(world: World) -> None:
    path = f"{EPAYMENT}/{ORDER}"
    world.simulator.add_payment(TRONDHEIM, ORDER, amount_minor=500)
    other = world.simulator.add_partner("other", [TRONDHEIM])
    assert caller(world, TRONDHEIM, keys=world.keys["chain"]).call("GET", path).status == 403
    assert caller(world, TRONDHEIM, keys=other).call("GET", path).status == 200
    assert caller(world, TRONDHEIM).call("GET", path).status == 200
    world.simulator.change_switches(environment="test")
    assert sign_in(world.simulator, other).status == 401


def test_row_3_one_reference_in_two_units_and_the_right_id_with_the_wrong_unit(world: World, shop: Caller) -> None:
    oslo = caller(world, OSLO)
    assert (oslo.refund(ORDER, 100, key="k").status, oslo.call("GET", f"{EPAYMENT}/{ORDER}").code) == (404, "5090")
    assert oslo.call("GET", f"{ECOM}/{ORDER}/details").code == "Merchant/35"
    world.simulator.add_payment(OSLO, ORDER, amount_minor=700)
    assert oslo.refund(ORDER, 100, key="k-2").status == 200
    assert (world.refunded(OSLO), world.refunded(BERGEN)) == (100, 0)


def test_row_4_the_state_stays_authorized_and_every_event_has_its_own_reference(shop: Caller) -> None:
    first = shop.refund(ORDER, 100, key="a").json
    second = shop.refund(ORDER, 200, key="b").json
    got = shop.call("GET", f"{EPAYMENT}/{ORDER}").json
    assert {first["state"], second["state"], got["state"]} == {"AUTHORIZED"}
    assert {name: amount["value"] for name, amount in got["aggregate"].items()} == {
        "authorizedAmount": 10_000,
        "cancelledAmount": 0,
        "capturedAmount": 10_000,
        "refundedAmount": 300,
    }
    events = shop.call("GET", f"{EPAYMENT}/{ORDER}/events").json
    assert [(each["name"], each["idempotencyKey"], each["success"]) for each in events[-2:]] == [
        ("REFUNDED", "a", True),
        ("REFUNDED", "b", True),
    ]
    assert {first["pspReference"], second["pspReference"], got["pspReference"]} == {events[0]["pspReference"]}
    assert len({each["pspReference"] for each in events}) == len(events)


def test_row_5_epayment_sees_ecom_and_ecom_does_not_see_epayment(world: World, shop: Caller) -> None:
    shop.ecom_paid("ecom-order-1")
    assert shop.refund("ecom-order-1", 400, key="r").status == 200
    assert shop.ecom("refund", ORDER, amount=100).code == "Merchant/35"
    told = shop.ecom("refund", "ecom-order-1", amount=100, key="mine").json
    assert ("transactionInfo" in told, told["transaction"]["status"]) == (False, "Refund")
    log = shop.details("ecom-order-1")["transactionLogHistory"]
    assert [(entry["operation"], entry["requestId"]) for entry in log[:2]] == [("REFUND", "mine"), ("REFUND", "r")]


def test_row_6_repeats_conflicts_and_refusals_that_stick(world: World, shop: Caller) -> None:
    assert shop.refund(ORDER, 100, key="k").json == shop.refund(ORDER, 100, key="k").json
    amount = {"modificationAmount": {"currency": "NOK", "value": 100}}
    assert (shop.refund(ORDER, 101, key="k").status, shop.refund(ORDER, 101, key="k").code) == (409, "4150")
    shop.call("POST", f"{EPAYMENT}/{RESERVED}/capture", amount, idempotency_key="c")
    amount["modificationAmount"]["value"] = 101
    assert shop.call("POST", f"{EPAYMENT}/{RESERVED}/capture", amount, idempotency_key="c").code == "4010"
    assert shop.refund(RESERVED, 101, key="r").code == "6150"
    world.simulator.portal_capture(BERGEN, RESERVED, 500)
    assert shop.refund(RESERVED, 101, key="r").code == "6150"
    assert shop.refund(RESERVED, 101, key="r-2").status == 200
    shop.ecom_paid("order-1")
    shop.ecom("refund", "order-1", amount=100, key="e")
    assert shop.ecom("refund", "order-1", amount=101, key="e").code == "Payment/93"
    assert world.refunded() == 100


@pytest.mark.parametrize(
    ("reference", "value", "currency", "code"),
    [
        (RESERVED, 100, "NOK", "6210"),
        (ORDER, 10_001, "NOK", "6150"),
        (ORDER, 100, "DKK", "5040"),
        (ORDER, 0, "NOK", "6010"),
    ],
)
def test_row_7_guards_of_a_refund(shop: Caller, reference: str, value: int, currency: str, code: str) -> None:
    assert shop.refund(reference, value, key="k", currency=currency).code == code


def test_row_7_guards_of_time_decimals_and_states(world: World, shop: Caller) -> None:
    shop.refund(ORDER, 10_000, key="all")
    assert shop.refund(ORDER, 1, key="more").code == "6180"
    part = {"modificationAmount": {"currency": "NOK", "value": 49900.0000001}}
    assert shop.call("POST", f"{EPAYMENT}/{ORDER}/refund", part, idempotency_key="d").code == "4040"
    assert shop.call("POST", f"{EPAYMENT}/{ORDER}/cancel", idempotency_key="c").code == "6040"
    shop.ecom_paid("order-1")
    shop.ecom_paid("order-2", captured=0)
    assert shop.ecom("cancel", "order-1", key="").code == "Payment/51"
    assert shop.ecom("refund", "order-1", amount=1_001, key="m").code == "Payment/71"
    assert shop.ecom("refund", "order-2", amount=100, key="m").code == "Payment/72"
    shop.ecom("cancel", "order-2", key="")
    assert shop.ecom("refund", "order-2", amount=100, key="n").code == "Payment/73"
    world.simulator.add_payment(BERGEN, "bergen-2026-0002", amount_minor=500)
    world.simulator.move_clock(timedelta(days=366))
    later = caller(world)
    assert later.refund("bergen-2026-0002", 100, key="k").code == "6220"
    assert later.ecom("refund", "order-1", amount=100, key="o").code == "Payment/95"


def test_row_7_locks_and_a_cancel_in_the_middle_are_injected(world: World, shop: Caller) -> None:
    shop.ecom_paid("order-1")
    world.simulator.arm(Fault(kind=FaultKind.LOCK, operation="refund", times=2))
    told = shop.refund(ORDER, 100, key="k")
    assert (told.status, told.code) == (423, "6160")
    assert shop.ecom("refund", "order-1", amount=100).code == "VippsError/94"
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="cancel", code="6250"))
    assert shop.call("POST", f"{EPAYMENT}/{RESERVED}/cancel", idempotency_key="c").code == "6250"
    assert shop.refund(ORDER, 100, key="k").status == 200


def test_row_8_limits_by_reference(world: World, shop: Caller) -> None:
    world.simulator.change_switches(retry_after=True)
    statuses = [shop.refund(ORDER, 1, key=f"k-{number}").status for number in range(6)]
    assert statuses == [200] * 5 + [429]
    assert [shop.call("GET", f"{EPAYMENT}/{ORDER}").status for _ in range(121)][-2:] == [200, 429]
    assert [shop.initiate("order-1").status for _ in range(3)] == [200, 409, 429]
    assert dict(shop.refund(ORDER, 1, key="k-9").reply.headers)["Retry-After"] == "61"


def test_row_9_a_refund_applied_whose_answer_is_lost(world: World, shop: Caller) -> None:
    world.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    assert shop.refund(ORDER, 100, key="k").reply.is_dropped
    assert world.refunded() == 100
    assert shop.refund(ORDER, 100, key="k").status == 200
    assert world.refunded() == 100


@pytest.mark.parametrize(
    ("kind", "status", "moved"),
    [
        (FaultKind.ERROR_BEFORE, 503, 0),
        (FaultKind.ERROR_AFTER, 500, 100),
        (FaultKind.UNAUTHORIZED, 401, 0),
        (FaultKind.FORBIDDEN, 403, 0),
        (FaultKind.THROTTLE, 429, 0),
        (FaultKind.FAILED_EVENT, 200, 0),
    ],
)
def test_row_9_failures_on_demand(world: World, shop: Caller, kind: FaultKind, status: int, moved: int) -> None:
    world.simulator.arm(Fault(kind=kind, operation="refund"))
    told = shop.refund(ORDER, 100, key="k")
    assert (told.status, world.refunded()) == (status, moved)
    if status in (401, 403, 429):
        assert set(told.json) == {"statusCode", "message"}


def test_row_9_test_amounts_lagging_sums_and_the_merchants_balance(world: World, shop: Caller) -> None:
    world.simulator.change_switches(aggregate_lag=30.0)
    assert shop.refund(ORDER, 100, key="a").json["aggregate"]["refundedAmount"]["value"] == 0
    world.simulator.add_payment(BERGEN, "order-1", amount_minor=1_000, api="ecom")
    world.simulator.pay_out(BERGEN)
    world.simulator.change_switches(merchant_balance="must_cover")
    assert shop.ecom("refund", "order-1", amount=200).code == "Payment/74"
    world.simulator.change_switches(merchant_balance="may_go_negative", environment="test")
    assert [shop.refund(ORDER, value, key=f"k-{value}").code for value in (123, 124)] == ["6210", "6220"]


def test_row_10_the_portal_and_the_customers_bank_act_behind_everybodys_back(world: World, shop: Caller) -> None:
    shop.register()
    world.simulator.portal_refund(BERGEN, ORDER, 500)
    world.simulator.portal_capture(BERGEN, RESERVED, 300)
    world.simulator.dispute(BERGEN, ORDER, 1_000)
    receiver = Receiver()
    world.simulator.deliver_due(receiver)
    assert receiver.told() == [(ORDER, "REFUNDED", 500), (RESERVED, "CAPTURED", 300)]
    entries = shop.call("GET", f"/report/v2/ledgers/3{BERGEN}/funds/feed").json["items"]
    assert [(entry["entryType"], entry["amount"]) for entry in entries] == [
        ("capture", 10_000),
        ("refund", -500),
        ("capture", 300),
        ("retained-disputed-capture", -1_000),
    ]


def test_row_11_webhooks_are_signed_ordered_repeated_and_not_for_ecom(world: World, shop: Caller) -> None:
    secret = shop.register("http://127.0.0.1:9/hooks/one").json["secret"]
    partner = Caller(simulator=world.simulator, keys=world.keys["chain"], msn=None)
    assert partner.register().status == 201
    world.simulator.arm(Fault(kind=FaultKind.DOUBLED))
    shop.refund(ORDER, 1, key="a")
    shop.refund(ORDER, 2, key="b")
    shop.ecom_paid("ecom-order-1")
    shop.refund("ecom-order-1", 100, key="c")
    world.simulator.add_payment(HAMAR, "hamar-order-1", amount_minor=500)
    world.simulator.portal_refund(HAMAR, "hamar-order-1", 3)
    receiver = Receiver(says=lambda outgoing: 500)
    world.simulator.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()] == [1, 1, 3]
    receiver.says = lambda outgoing: 200
    world.simulator.move_clock(timedelta(seconds=2))
    for _ in range(2):
        world.simulator.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()][3:] == [1, 3, 2]
    assert verdict(receiver.arrivals[0], secret, at=NOON) is Verdict.GENUINE
    assert [shop.register().status for _ in range(25)] == [201] * 24 + [400]


def test_row_12_receipts_once_reports_by_cursor_and_units_that_are_not_there(world: World, shop: Caller) -> None:
    place = "/order-management/v2/ECOM/receipts/no-such-order"
    assert [shop.call("POST", place, RECEIPT).status for _ in range(2)] == [201, 409]
    fed = shop.call("GET", f"/report/v2/ledgers/3{BERGEN}/funds/feed").json
    assert (len(fed["items"]), fed["tryLater"], bool(fed["cursor"])) == (1, True, True)
    partner = Caller(simulator=world.simulator, keys=world.keys["chain"], msn=None)
    assert [unit["msn"] for unit in partner.call("GET", "/management/v1/sales-units").json] == [TRONDHEIM, HAMAR]
    assert partner.call("GET", f"/management/v1/sales-units/{BERGEN}").status == 404


def test_no_row_answers_outside_its_paths(world: World) -> None:
    told = ask(world.simulator, "GET", "/epayment/v2/payments")
    assert (told.status, json.loads(told.reply.body)) == (404, {"statusCode": 404, "message": "Resource not found"})
