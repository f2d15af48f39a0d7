"""eCom v2 in the simulator: its life of a payment, its shapes, its repeats and its place beside ePayment."""

from datetime import timedelta

import pytest

from stores.vipps.simulator import Fault, FaultKind
from tests.stores.vipps.calling import ECOM, EPAYMENT, Caller, caller
from tests.stores.vipps.world import BERGEN, ORDER, OSLO, World


@pytest.fixture
def shop(world: World) -> Caller:
    return caller(world)


def test_an_order_is_initiated_approved_captured_and_refunded(shop: Caller) -> None:
    told = shop.initiate("order-1")
    assert (told.status, set(told.json)) == (200, {"orderId", "url"})
    assert "transactionSummary" not in shop.details("order-1")
    approved = {"customerPhoneNumber": "91234567", "token": "x"}
    assert shop.call("POST", "/ecomm/v2/integration-test/payments/order-1/approve", approved).status == 200
    captured = shop.ecom("capture", "order-1", key="c").json
    assert set(captured) == {"orderId", "transactionInfo", "transactionSummary", "paymentInstrument"}
    assert (captured["transactionInfo"]["status"], captured["transactionInfo"]["amount"]) == ("Captured", 1_000)
    refunded = shop.ecom("refund", "order-1", amount=300, key="r").json
    assert set(refunded) == {"orderId", "transaction", "transactionSummary"}
    assert (refunded["transaction"]["status"], refunded["transaction"]["amount"]) == ("Refund", 300)
    assert refunded["transactionSummary"] == {
        "capturedAmount": 1_000,
        "refundedAmount": 300,
        "remainingAmountToCapture": 0,
        "remainingAmountToRefund": 700,
    }


def test_the_log_is_newest_first_and_echoes_request_ids(shop: Caller) -> None:
    shop.ecom_paid("order-1")
    shop.ecom("refund", "order-1", amount=300, key="r")
    log = shop.details("order-1")["transactionLogHistory"]
    assert [(entry["operation"], entry["requestId"]) for entry in log] == [
        ("REFUND", "r"),
        ("CAPTURE", "capture"),
        ("RESERVE", ""),
        ("INITIATE", ""),
    ]
    assert log[2]["transactionId"] == log[3]["transactionId"]
    assert len({entry["transactionId"] for entry in log}) == 3


def test_a_failed_refund_is_in_the_log_and_has_moved_nothing(world: World, shop: Caller) -> None:
    shop.ecom_paid("order-1")
    world.simulator.arm(Fault(kind=FaultKind.FAILED_EVENT, operation="refund", api="ecom"))
    assert shop.refund(ORDER, 300, key="r").json["aggregate"]["refundedAmount"]["value"] == 300
    assert shop.ecom("refund", "order-1", amount=300, key="r").status == 200
    newest = shop.details("order-1")["transactionLogHistory"][0]
    assert (newest["operation"], newest["operationSuccess"], world.refunded(reference="order-1")) == ("REFUND", False, 0)


def test_a_merchants_cancel_is_void_after_and_cancel_before_the_reservation(shop: Caller) -> None:
    shop.ecom_paid("reserved", captured=0)
    shop.initiate("waiting")
    assert shop.ecom("cancel", "reserved").json["transactionInfo"]["status"] == "Cancelled"
    shop.ecom("cancel", "waiting")
    assert shop.details("reserved")["transactionLogHistory"][0]["operation"] == "VOID"
    assert shop.details("waiting")["transactionLogHistory"][0]["operation"] == "CANCEL"


def test_a_cancel_after_a_partial_capture_releases_the_rest_only_if_told(shop: Caller) -> None:
    shop.ecom_paid("order-1", captured=400)
    assert shop.ecom("cancel", "order-1").code == "Payment/51"
    released = shop.ecom("cancel", "order-1", key="", shouldReleaseRemainingFunds=True).json
    assert released["transactionInfo"]["amount"] == 600
    assert released["transactionSummary"]["remainingAmountToCapture"] == 0


def test_a_direct_capture_is_one_sale_and_can_be_refunded(world: World) -> None:
    keys = world.simulator.add_sales_unit("200001", captures_directly=True)
    shop = caller(world, "200001", keys=keys)
    shop.initiate("order-1")
    world.simulator.customer("200001", "order-1", "approve")
    assert [entry["operation"] for entry in shop.details("order-1")["transactionLogHistory"]] == ["SALE", "INITIATE"]
    assert shop.ecom("cancel", "order-1", key="").code == "Payment/51"
    assert shop.ecom("refund", "order-1", amount=1_000).json["transactionSummary"]["refundedAmount"] == 1_000


@pytest.mark.parametrize("operation", ["capture", "refund"])
def test_a_repeat_must_be_identical_and_has_one_effect(world: World, shop: Caller, operation: str) -> None:
    shop.ecom_paid("order-1", captured=500)
    first = shop.ecom(operation, "order-1", amount=200, key="k")
    again = shop.ecom(operation, "order-1", amount=200, key="k")
    assert first.json == again.json
    assert shop.ecom(operation, "order-1", amount=201, key="k").code == "Payment/93"
    other_text = {"amount": 200, "transactionText": "another"}
    assert shop.ecom(operation, "order-1", key="k", transaction=other_text).code == "VippsError/93"
    assert len(world.simulator.log(operation=operation, applied=True)) == (2 if operation == "capture" else 1)


def test_a_key_reaches_one_operation_of_one_order(shop: Caller) -> None:
    for order in ("order-1", "order-2"):
        shop.ecom_paid(order, captured=500)
        assert shop.ecom("refund", order, amount=100, key="k").status == 200
        assert shop.ecom("capture", order, amount=100, key="k").status == 200


def test_ids_are_one_per_sales_unit_whichever_api_made_them(world: World, shop: Caller) -> None:
    assert shop.initiate(ORDER).code == "Merchant/34"
    assert caller(world, OSLO).initiate(ORDER).status == 200
    assert shop.initiate("order-1").status == 200
    assert shop.initiate("order-1").code == "Merchant/34"


def test_what_epayment_made_is_unknown_to_ecom_and_what_ecom_made_is_known_to_epayment(world: World, shop: Caller) -> None:
    assert shop.call("GET", f"{ECOM}/{ORDER}/details").code == "Merchant/35"
    assert shop.ecom("refund", ORDER, amount=100).code == "Merchant/35"
    shop.ecom_paid("ecom-order-1")
    view = shop.call("GET", f"{EPAYMENT}/ecom-order-1").json
    assert view["aggregate"]["capturedAmount"] == {"currency": "NOK", "value": 1_000}
    assert shop.refund("ecom-order-1", 400, key="r").status == 200
    newest = shop.details("ecom-order-1")["transactionLogHistory"][0]
    assert (newest["operation"], newest["amount"], newest["requestId"]) == ("REFUND", 400, "r")


def test_several_refunds_until_the_captured_amount_is_used_up(world: World, shop: Caller) -> None:
    shop.ecom_paid("order-1")
    assert shop.ecom("refund", "order-1", amount=600, key="a").status == 200
    assert shop.ecom("refund", "order-1", amount=401, key="b").code == "Payment/71"
    assert shop.ecom("refund", "order-1", amount=400, key="c").status == 200
    assert world.refunded(reference="order-1") == 1_000


def test_the_header_and_the_body_must_name_one_sales_unit(world: World, shop: Caller) -> None:
    shop.ecom_paid("order-1")
    told = shop.call(
        "POST",
        f"{ECOM}/order-1/refund",
        {"merchantInfo": {"merchantSerialNumber": OSLO}, "transaction": {"amount": 100, "transactionText": "x"}},
        x_request_id="r",
    )
    assert (told.status, told.code) == (400, "InvalidRequest/merchantInfo.merchantSerialNumber")
    assert world.refunded(reference="order-1") == 0


def test_own_keys_may_leave_the_header_out_and_partner_keys_may_not(world: World) -> None:
    own = Caller(simulator=world.simulator, keys=world.keys[BERGEN], msn=None)
    world.simulator.add_payment(BERGEN, "order-1", amount_minor=1_000, api="ecom")
    assert own.call("GET", f"{ECOM}/order-1/details").status == 200
    partner = Caller(simulator=world.simulator, keys=world.keys["chain"], msn=None)
    assert partner.call("GET", f"{ECOM}/order-1/details").status == 403


def test_the_status_is_the_last_thing_that_happened(shop: Caller) -> None:
    shop.ecom_paid("order-1")
    told = shop.call("GET", f"{ECOM}/order-1/status").json["transactionInfo"]
    assert (told["status"], told["amount"]) == ("CAPTURE", 1_000)


def test_an_order_that_nobody_answers_has_expired(world: World, shop: Caller) -> None:
    shop.initiate("order-1")
    world.simulator.move_clock(timedelta(minutes=10))
    assert shop.ecom("capture", "order-1").code == "VippsError/91"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"transaction": {"amount": 100}}, "transaction.transactionText"),
        ({"transaction": {"amount": 100.5, "transactionText": "x"}}, "transaction.amount"),
        ({"transaction": {"amount": 99, "transactionText": "x"}}, "transaction.amount"),
        ({"merchantInfo": {"merchantSerialNumber": 100001}}, "merchantInfo.merchantSerialNumber"),
        ({"reason": "broken"}, "reason"),
    ],
    ids=str,
)
def test_a_refund_of_the_wrong_form_names_the_field(world: World, shop: Caller, members: dict[str, object], field: str) -> None:
    shop.ecom_paid("order-1")
    told = shop.ecom("refund", "order-1", amount=100, key="r", **members)
    assert (told.status, told.code, world.refunded(reference="order-1")) == (400, f"InvalidRequest/{field}", 0)


def test_a_refund_without_a_request_id_is_refused(world: World, shop: Caller) -> None:
    shop.ecom_paid("order-1")
    assert shop.ecom("refund", "order-1", amount=100, key="").code == "InvalidRequest/X-Request-Id"
    assert shop.ecom("refund", "order-1", amount=100, key="x" * 41).code == "InvalidRequest/X-Request-Id"
    assert world.refunded(reference="order-1") == 0


def test_the_word_ecomm_may_be_written_with_a_capital(shop: Caller) -> None:
    shop.ecom_paid("order-1")
    assert shop.call("GET", "/Ecomm/v2/payments/order-1/details").status == 200
