"""Making a payment through ePayment, approving it in the test environment, and cancelling it in time."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from stores.vipps.epayment import Epayment
from stores.vipps.errors import KeyConflict, OurDefect, Refused, Unsure, VippsError
from stores.vipps.new_payment import Customer, Flow, NewPayment, QrFormat
from tests.stores.vipps.canned import told
from tests.stores.vipps.recorded import unit
from tests.stores.vipps.test_order_management_client import BODY, RECEIPT
from tests.stores.vipps.world import ORDER, World, answer, modification, nok, problem

KARI = Customer(phone_number="4791234567")
NEW = NewPayment(reference=ORDER, amount=nok(10_000), flow=Flow.QR, is_present=True)
ADDRESS = "https://qr.vipps.no/generate/qr.svg?token=" + "e" * 3000


def test_a_payment_at_the_till_says_that_the_customer_is_present(world: World) -> None:
    session, recorder = unit(world, told({"reference": ORDER, "redirectUrl": ADDRESS}, 201))
    created = Epayment(session).create(NEW, idempotency_key="k-1")
    assert (created.reference, created.redirect_url) == (ORDER, ADDRESS)
    assert (recorder.call.method, recorder.call.path) == ("POST", "/epayment/v1/payments")
    assert recorder.call.headers["Idempotency-Key"] == "k-1"
    assert recorder.body == {
        "reference": ORDER,
        "amount": {"currency": "NOK", "value": 10_000},
        "paymentMethod": {"type": "WALLET"},
        "userFlow": "QR",
        "customerInteraction": "CUSTOMER_PRESENT",
    }


def test_everything_that_can_be_wished_for_is_sent(world: World) -> None:
    session, recorder = unit(world, told({"reference": ORDER}, 201))
    new = replace(
        NEW,
        flow=Flow.PUSH_MESSAGE,
        is_present=False,
        customer=KARI,
        description="Socks",
        return_url="https://bergen.example.com/done",
        blocked_sources=("COMMERCIAL_CARDS",),
        expires_at=datetime(2026, 9, 20, 12, tzinfo=UTC),
        minimum_age=18,
        metadata={"till": "4"},
        receipt=RECEIPT,
        receipt_url="https://bergen.example.com/7741",
        qr_format=QrFormat.PNG,
        qr_size=500,
        scope="name",
    )
    assert Epayment(session).create(new, idempotency_key="k-1").redirect_url is None
    assert recorder.body == {
        "reference": ORDER,
        "amount": {"currency": "NOK", "value": 10_000},
        "paymentMethod": {"type": "WALLET", "blockedSources": ["COMMERCIAL_CARDS"]},
        "userFlow": "PUSH_MESSAGE",
        "customerInteraction": "CUSTOMER_NOT_PRESENT",
        "paymentDescription": "Socks",
        "returnUrl": "https://bergen.example.com/done",
        "customer": {"phoneNumber": "4791234567"},
        "expiresAt": "2026-09-20T12:00:00+00:00",
        "minimumUserAge": 18,
        "metadata": {"till": "4"},
        "receipt": BODY,
        "receiptUrl": "https://bergen.example.com/7741",
        "qrFormat": {"format": "IMAGE/PNG", "size": 500},
        "profile": {"scope": "name"},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"flow": Flow.WEB_REDIRECT},
        {"flow": Flow.PUSH_MESSAGE},
        {"expires_at": datetime(2026, 9, 20, tzinfo=UTC)},
        {"description": "No"},
        {"description": "x" * 101},
        {"metadata": {str(number): "x" for number in range(6)}},
        {"metadata": {"x": "x" * 501}},
        {"metadata": {"x" * 101: "x"}},
    ],
    ids=str,
)
def test_what_vipps_cannot_take_is_no_payment(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(NEW, **change)


def test_a_customer_is_named_in_one_way_and_never_shown() -> None:
    assert "4791234567" not in repr(KARI)
    for names in ({}, {"phone_number": "4791234567", "token": "t"}, {"phone_number": "+4791234567"}):
        with pytest.raises(ValueError, match=r"customer|phone"):
            Customer(**names)


@pytest.mark.parametrize("change", [{"reference": "short"}, {"reference": "a/b-c-d-e"}, {"amount": nok(0)}], ids=str)
def test_what_is_no_reference_or_amount_is_not_sent(world: World, change: dict[str, Any]) -> None:
    session, recorder = unit(world)
    with pytest.raises(OurDefect):
        Epayment(session).create(replace(NEW, **change), idempotency_key="k-1")
    assert recorder.requests == []


@pytest.mark.parametrize("body", [{}, [], {"reference": "another-order"}, {"reference": ORDER, "redirectUrl": 5}])
def test_an_answer_that_cannot_be_read_is_unsure(world: World, body: object) -> None:
    session, _ = unit(world, told(body, 201))
    with pytest.raises(Unsure):
        Epayment(session).create(NEW, idempotency_key="k-1")


@pytest.mark.parametrize(
    ("status", "code", "error"), [(409, "4150", KeyConflict), (400, "7010", Refused), (500, None, Unsure)]
)
def test_refusals_are_typed(world: World, status: int, code: str | None, error: type[VippsError]) -> None:
    session, _ = unit(world, problem(status, code))
    with pytest.raises(error):
        Epayment(session).create(NEW, idempotency_key="k-1")


def test_the_test_user_approves_by_number_or_by_token(world: World) -> None:
    session, recorder = unit(world, answer(200), answer(200))
    Epayment(session).force_approve(ORDER, customer=KARI)
    assert (recorder.call.method, recorder.call.path) == ("POST", f"/epayment/v1/test/payments/{ORDER}/approve")
    assert recorder.body == {"customer": {"phoneNumber": "4791234567"}}
    Epayment(session).force_approve(ORDER, token="t")
    assert recorder.body == {"token": "t"}
    for neither_or_both in ({}, {"customer": KARI, "token": "t"}):
        with pytest.raises(OurDefect):
            Epayment(session).force_approve(ORDER, **neither_or_both)  # type: ignore[arg-type]  # both kinds in one table


def test_a_cancel_may_be_only_for_what_is_not_paid_yet(world: World) -> None:
    session, recorder = unit(world, answer(200, modification(0)), problem(400, "6060"))
    Epayment(session).cancel(ORDER, idempotency_key="k-1")
    assert recorder.body == {}
    with pytest.raises(Refused):
        Epayment(session).cancel(ORDER, idempotency_key="k-2", only_if_unauthorized=True)
    assert recorder.body == {"cancelTransactionOnly": True}
