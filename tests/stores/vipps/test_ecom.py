"""eCom v2 through the client: what is sent, what is understood, and what is not believed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stores.vipps.ecom import Ecom
from stores.vipps.ecom_types import NewEcomPayment, Summary
from stores.vipps.errors import NotSent, OurDefect, Unsure
from stores.vipps.exchange import Request, Response
from tests.stores.vipps.canned import CAPTURED, RESERVED, SHORT, changed, details, entry, refunded, summary, told
from tests.stores.vipps.world import BERGEN, TRONDHEIM, Recorder, World, answer

KEY = "rh1-" + "0" * 36
NEW = NewEcomPayment(
    order_id=SHORT,
    amount=10_000,
    text="Socks",
    callback_prefix="https://bergen.invalid/callbacks",
    fall_back="https://bergen.invalid/done",
)


def ecom(world: World, *answers: Response, msn: str = BERGEN) -> tuple[Ecom, Recorder]:
    recorder = Recorder(answers=list(answers))
    keys = world.keys["chain"] if msn == TRONDHEIM else None
    return Ecom(world.session(msn, keys=keys, transport=recorder)), recorder


def sent(recorder: Recorder) -> Request:
    [request] = [request for request in recorder.requests if request.operation != "token"]
    return request


def body_of(request: Request) -> Any:
    return json.loads(request.body or b"null")


def test_a_refund_names_the_unit_twice_and_carries_its_key_as_request_id(world: World) -> None:
    client, recorder = ecom(world, told(refunded(summary(refunded=2_500))), msn=TRONDHEIM)
    change = client.refund(SHORT, 2_500, text="Refusjon", request_id=KEY)
    assert (change.order_id, change.operation_status, change.transaction_id) == (SHORT, "Refund", "5001000004")
    assert change.summary == Summary(captured=10_000, refunded=2_500, remaining_to_capture=0, remaining_to_refund=7_500)
    request = sent(recorder)
    assert (request.method, request.path) == ("POST", f"/ecomm/v2/payments/{SHORT}/refund")
    assert body_of(request) == {
        "merchantInfo": {"merchantSerialNumber": TRONDHEIM},
        "transaction": {"amount": 2_500, "transactionText": "Refusjon"},
    }
    assert request.headers["X-Request-Id"] == KEY
    assert request.headers["Merchant-Serial-Number"] == TRONDHEIM
    assert request.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert "Idempotency-Key" not in request.headers


def test_details_are_the_sums_and_the_log_newest_first(world: World) -> None:
    log = [entry("REFUND", 2_500, 5, request_id=KEY), entry("REFUND", 9_999, 4, success=False, request_id="k-2"), *CAPTURED]
    sums = {**summary(refunded=2_500), "bankIdentificationNumber": 492_556}
    client, recorder = ecom(world, told(details(log, sums, userDetails={"firstName": "[Expired]"}, sub="x", more=1)))
    found = client.get_details(SHORT)
    assert [(one.operation, one.success) for one in found.log] == [
        ("REFUND", True),
        ("REFUND", False),
        ("CAPTURE", True),
        ("RESERVE", True),
        ("INITIATE", True),
    ]
    assert (found.log[0].request_id, found.log[0].amount, found.log[0].transaction_id) == (KEY, 2_500, "5001000005")
    assert found.log[3].request_id is None
    assert found.summary is not None
    assert (found.summary.refunded, found.summary.bank_identification_number) == (2_500, 492_556)
    assert (sent(recorder).method, sent(recorder).path, sent(recorder).body) == (
        "GET",
        f"/ecomm/v2/payments/{SHORT}/details",
        None,
    )


def test_before_the_customer_reacts_there_are_no_sums(world: World) -> None:
    unopened = {**RESERVED[1]}
    del unopened["transactionId"]
    client, _ = ecom(world, told(details([unopened])))
    found = client.get_details(SHORT)
    assert (found.summary, found.log[0].transaction_id) == (None, "")


def test_a_capture_takes_a_part_or_all(world: World) -> None:
    answers = [told(changed("Captured", summary(captured=4_000, reserved=6_000))), told(changed("Captured", summary()))]
    client, recorder = ecom(world, *answers)
    assert client.capture(SHORT, 4_000, text="Socks", request_id="k-1").operation_status == "Captured"
    client.capture(SHORT, text="Socks", request_id="k-2")
    part, rest = (request for request in recorder.requests if request.operation == "ecom_capture")
    assert part.path == f"/ecomm/v2/payments/{SHORT}/capture"
    assert [body_of(request)["transaction"] for request in (part, rest)] == [
        {"amount": 4_000, "transactionText": "Socks"},
        {"transactionText": "Socks"},
    ]
    assert [request.headers["X-Request-Id"] for request in (part, rest)] == ["k-1", "k-2"]


@pytest.mark.parametrize("releases", [False, True])
def test_a_cancel_says_whether_the_rest_is_released_too(world: World, releases: bool) -> None:
    client, recorder = ecom(world, told(changed("Cancelled", summary(captured=0))))
    assert client.cancel(SHORT, text="Socks", releases_rest=releases).operation_status == "Cancelled"
    assert (sent(recorder).method, sent(recorder).path) == ("PUT", f"/ecomm/v2/payments/{SHORT}/cancel")
    assert body_of(sent(recorder))["shouldReleaseRemainingFunds"] is releases


def test_a_payment_is_started_at_the_sessions_unit(world: World) -> None:
    client, recorder = ecom(world, told({"orderId": SHORT, "url": "https://api.vipps.no/dwo?token=x"}))
    new = replace(NEW, mobile_number="91234567", auth_token="t", skips_landing_page=True, scope="name")
    assert client.initiate(new).url == "https://api.vipps.no/dwo?token=x"
    assert (sent(recorder).method, sent(recorder).path) == ("POST", "/ecomm/v2/payments")
    assert body_of(sent(recorder)) == {
        "customerInfo": {"mobileNumber": "91234567"},
        "merchantInfo": {
            "merchantSerialNumber": BERGEN,
            "callbackPrefix": "https://bergen.invalid/callbacks",
            "fallBack": "https://bergen.invalid/done",
            "isApp": False,
            "authToken": "t",
        },
        "transaction": {
            "amount": 10_000,
            "transactionText": "Socks",
            "orderId": SHORT,
            "skipLandingPage": True,
            "scope": "name",
        },
    }


def test_a_test_payment_is_approved(world: World) -> None:
    client, recorder = ecom(world, answer(200))
    client.force_approve(SHORT, mobile_number="91234567", token="t")
    assert sent(recorder).path == f"/ecomm/v2/integration-test/payments/{SHORT}/approve"
    assert body_of(sent(recorder)) == {"customerPhoneNumber": "91234567", "token": "t"}


IMPOSSIBLE: list[tuple[str, Callable[[Ecom], object]]] = [
    *(
        (f"order id {order_id!r}", lambda client, order_id=order_id: client.get_details(order_id))
        for order_id in ("", "x" * 51, "../evil", "a b", "ø", "a\n")
    ),
    *(
        (f"amount {amount!r}", lambda client, amount=amount: client.refund(SHORT, amount, text="t", request_id="k"))
        for amount in (99, 0, -1, 65_000_001, True, 100.0)
    ),
    *(
        (f"key {key!r}", lambda client, key=key: client.refund(SHORT, 100, text="t", request_id=key))
        for key in ("", "x" * 41, "a b", "a\r\nX: y", "å")
    ),
    ("no text", lambda client: client.refund(SHORT, 100, text="", request_id="k")),
    ("long text", lambda client: client.cancel(SHORT, text="x" * 101)),
    ("mobile number", lambda client: client.force_approve(SHORT, mobile_number="4791234567", token="t")),
    ("mobile number at start", lambda client: client.initiate(replace(NEW, mobile_number="1"))),
    ("address", lambda client: client.initiate(replace(NEW, fall_back="https://" + "x" * 255))),
]


@pytest.mark.parametrize("call", [row[1] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE])
def test_what_ecom_cannot_take_is_not_sent(world: World, call: Callable[[Ecom], object]) -> None:
    client, recorder = ecom(world)
    with pytest.raises(OurDefect):
        call(client)
    assert recorder.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"<html>",
        json.dumps(refunded(summary(), order_id="B-78")).encode(),
        json.dumps(refunded({"refundedAmount": 2_500})).encode(),
        json.dumps(refunded(summary())).replace("10000", '"10000"').encode(),
        json.dumps(refunded(summary())).replace("10000", "10000.0").encode(),
        json.dumps(refunded(summary())).replace("10000", "true").encode(),
        json.dumps({**refunded(summary()), "transaction": "done"}).encode(),
        json.dumps(refunded(summary()))[:-1].encode() + b',"orderId":"B-77"}',
    ],
)
def test_a_200_that_cannot_be_read_or_speaks_of_another_order_is_unsure(world: World, body: bytes) -> None:
    client, _ = ecom(world, Response(status=200, headers={}, body=body))
    with pytest.raises(Unsure) as caught:
        client.refund(SHORT, 2_500, text="Refusjon", request_id=KEY)
    assert caught.value.status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"operationSuccess": "true"},
        {"operationSuccess": None},
        {"amount": "2500"},
        {"amount": -1},
        {"timeStamp": ""},
        {"timeStamp": "yesterday"},
        {"transactionId": 5},
        {"transactionId": ""},
        {"requestId": 7},
        {"operation": None},
    ],
    ids=json.dumps,
)
def test_a_log_that_cannot_be_read_is_unsure_and_not_empty(world: World, change: dict[str, Any]) -> None:
    client, _ = ecom(world, told(details([{**entry("REFUND", 2_500, 4), **change}, *CAPTURED], summary())))
    with pytest.raises(Unsure):
        client.get_details(SHORT)


@pytest.mark.parametrize("log", [None, {}, "no"])
def test_details_without_a_log_are_unsure(world: World, log: object) -> None:
    client, _ = ecom(world, told({**details([], summary()), "transactionLogHistory": log}))
    with pytest.raises(Unsure):
        client.get_details(SHORT)


def test_past_its_moment_a_refund_is_not_sent(world: World) -> None:
    client, recorder = ecom(world, told(refunded(summary())))
    with pytest.raises(NotSent):
        client.refund(SHORT, 2_500, text="Refusjon", request_id=KEY, send_before=0.0)
    assert recorder.sent("ecom_refund") == []
