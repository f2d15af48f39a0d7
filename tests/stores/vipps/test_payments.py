"""One way to both APIs: which is chosen, and eCom's answers in ePayment's words."""

import json

import pytest

from stores.vipps import payments
from stores.vipps.errors import Misconfigured, OurDefect, Refused, Unauthorized, Unsure, VippsError
from stores.vipps.exchange import Response
from stores.vipps.types import Amount
from tests.stores.vipps.canned import CAPTURED, RESERVED, SHORT, SOLD, details, entry, refunded, summary, told
from tests.stores.vipps.world import BERGEN, ORDER, Recorder, World, nok

KEY = "rh1-" + "0" * 36


def recorded(world: World, answers: list[Response | VippsError]) -> tuple[Recorder, list[str]]:
    recorder = Recorder(answers=answers)
    session = world.session(BERGEN, transport=recorder)
    for reference in ("1234567", "12345678"):
        with pytest.raises(VippsError):
            payments.read_payment(session, reference)
        with pytest.raises(VippsError):
            payments.read_events(session, reference)
        with pytest.raises(VippsError):
            payments.refund(session, reference, nok(2_500), key=KEY)
    return recorder, [request.path for request in recorder.requests if request.operation != "token"]


def test_ids_under_8_characters_are_ecoms_and_all_others_epayments(world: World) -> None:
    _, paths = recorded(world, [Unsure("any")] * 6)
    assert paths == [
        "/ecomm/v2/payments/1234567/details",
        "/ecomm/v2/payments/1234567/details",
        "/ecomm/v2/payments/1234567/refund",
        "/epayment/v1/payments/12345678",
        "/epayment/v1/payments/12345678/events",
        "/epayment/v1/payments/12345678/refund",
    ]


def test_the_same_key_goes_out_under_either_name(world: World) -> None:
    recorder, _ = recorded(world, [Unsure("any")] * 6)
    assert recorder.sent("ecom_refund")[0].headers["X-Request-Id"] == KEY
    assert recorder.sent("refund")[0].headers["Idempotency-Key"] == KEY


def test_a_repeat_is_the_same_request_in_every_byte(world: World) -> None:
    recorder = Recorder(answers=[Unsure("ecom_refund"), Unsure("ecom_refund")])
    session = world.session(BERGEN, transport=recorder)
    for _ in range(2):
        with pytest.raises(Unsure):
            payments.refund(session, SHORT, nok(2_500), key=KEY)
    first, second = recorder.sent("ecom_refund")
    assert (first.path, first.body, dict(first.headers)) == (second.path, second.body, dict(second.headers))
    assert json.loads(first.body or b"")["transaction"] == {"amount": 2_500, "transactionText": payments.ECOM_TEXT}


def test_ecom_is_never_asked_for_another_currency(world: World) -> None:
    recorder = Recorder()
    with pytest.raises(OurDefect):
        payments.refund(world.session(BERGEN, transport=recorder), SHORT, Amount(currency="DKK", value=2_500), key=KEY)
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("log", "sums", "expected"),
    [
        # authorized, cancelled, captured, refunded
        (RESERVED, summary(captured=0, reserved=10_000), (10_000, 0, 0, 0)),
        (CAPTURED, summary(), (10_000, 0, 10_000, 0)),
        (CAPTURED, None, (10_000, 0, 10_000, 0)),
        (SOLD, summary(), (10_000, 0, 10_000, 0)),
        (SOLD, summary(captured=0), (10_000, 0, 10_000, 0)),
        (SOLD, None, (10_000, 0, 10_000, 0)),
        ([entry("REFUND", 2_500, 4), *CAPTURED], summary(refunded=2_500), (10_000, 0, 10_000, 2_500)),
        ([entry("REFUND", 2_500, 4), *CAPTURED], summary(refunded=0), (10_000, 0, 10_000, 2_500)),
        (CAPTURED, summary(refunded=2_500), (10_000, 0, 10_000, 2_500)),
        ([entry("REFUND", 2_500, 4, success=False), *CAPTURED], summary(), (10_000, 0, 10_000, 0)),
        ([entry("CAPTURE", 10_000, 3, success=False), *RESERVED], summary(captured=0, reserved=10_000), (10_000, 0, 0, 0)),
        ([entry("SALE", 10_000, 2, success=False), SOLD[1]], summary(captured=0), (0, 0, 0, 0)),
        (
            [entry("VOID", 6_000, 4), entry("CAPTURE", 4_000, 3), *RESERVED],
            summary(captured=4_000),
            (10_000, 6_000, 4_000, 0),
        ),
        ([entry("CANCEL", 10_000, 2), RESERVED[1]], summary(captured=0), (0, 0, 0, 0)),
        ([RESERVED[1]], None, (0, 0, 0, 0)),
    ],
)
def test_the_sums_come_from_the_summary_and_what_succeeded(
    world: World, log: list[dict[str, object]], sums: dict[str, int] | None, expected: tuple[int, int, int, int]
) -> None:
    recorder = Recorder(answers=[told(details(log, sums))])
    payment = payments.read_payment(world.session(BERGEN, transport=recorder), SHORT)
    found = payment.aggregate
    assert (found.authorized, found.cancelled, found.captured, found.refunded) == expected
    assert (payment.reference, found.currency, payment.amount) == (SHORT, "NOK", nok(10_000))


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ([RESERVED[1]], "CREATED"),
        (RESERVED, "AUTHORIZED"),
        (SOLD, "AUTHORIZED"),
        ([entry("CANCEL", 1, 2), RESERVED[1]], "ABORTED"),
    ],
)
def test_the_state_is_what_the_log_shows(world: World, log: list[dict[str, object]], state: str) -> None:
    session = world.session(BERGEN, transport=Recorder(answers=[told(details(log))]))
    assert payments.read_payment(session, SHORT).state == state


def test_the_log_becomes_events_oldest_first_with_the_key_that_was_sent(world: World) -> None:
    log = [
        entry("REFUND", 1_000, 6),
        entry("REFUND", 2_500, 5, request_id=KEY),
        entry("REFUND", 2_500, 4, success=False, request_id=KEY),
        *CAPTURED,
        entry("REFUNDED", 1, 0, request_id=KEY),
    ]
    session = world.session(BERGEN, transport=Recorder(answers=[told(details(log, summary(refunded=3_500)))]))
    events = payments.read_events(session, SHORT)
    assert [(event.name, event.amount.value, event.idempotency_key, event.success) for event in events] == [
        ("ECOM REFUNDED", 1, KEY, True),
        ("CREATED", 10_000, None, True),
        ("AUTHORIZED", 10_000, None, True),
        ("CAPTURED", 10_000, "till-1", True),
        ("REFUNDED", 2_500, KEY, False),
        ("REFUNDED", 2_500, KEY, True),
        ("REFUNDED", 1_000, None, True),
    ]
    assert {event.amount.currency for event in events} == {"NOK"}
    assert len({event.psp_reference for event in events}) == 7


def test_a_refunds_answer_is_read_as_sums_and_without_them_it_is_unsure(world: World) -> None:
    recorder = Recorder(answers=[told(refunded(summary(refunded=2_500))), told(refunded(None))])
    session = world.session(BERGEN, transport=recorder)
    modification = payments.refund(session, SHORT, nok(2_500), key=KEY)
    assert (modification.reference, modification.aggregate.refunded, modification.aggregate.captured) == (SHORT, 2_500, 10_000)
    with pytest.raises(Unsure):
        payments.refund(session, SHORT, nok(2_500), key=KEY)


@pytest.mark.parametrize(
    ("error", "is_unknown"),
    [
        (Misconfigured("get", status=404), True),
        (Misconfigured("get", status=400, code="5090"), True),
        (Misconfigured("ecom_details", status=400, code="Merchant 35"), True),
        (Misconfigured("get", status=403), False),
        (Misconfigured("get", status=400, code="5100"), False),
        (Refused("get", status=400, code="6150"), False),
        (Unauthorized("get", status=401), False),
        (Unsure("get", status=500, code="5090"), False),
    ],
)
def test_no_such_payment_is_told_from_other_trouble(error: VippsError, is_unknown: bool) -> None:
    assert payments.is_unknown(error) is is_unknown


def test_a_long_reference_still_goes_to_epayment_and_is_read_there(world: World) -> None:
    session = world.session(BERGEN)
    assert payments.read_payment(session, ORDER).aggregate.captured == 10_000
    assert payments.refund(session, ORDER, nok(2_500), key=KEY).aggregate.refunded == 2_500
    assert payments.read_events(session, ORDER)[-1].idempotency_key == KEY
