"""Releasing what is reserved through either API, and eCom's answer to it in ePayment's words."""

import json

import pytest

from stores.vipps import payments
from stores.vipps.errors import Unsure
from stores.vipps.types import Aggregate
from tests.stores.vipps.canned import RESERVED, SHORT, changed, details, entry, refunded, summary, told
from tests.stores.vipps.world import BERGEN, Recorder, World, nok

KEY = "rh1-" + "0" * 36


def test_it_is_a_cancel_of_the_api_that_reaches_the_payment(world: World) -> None:
    recorder = Recorder(answers=[Unsure("any"), Unsure("any")])
    session = world.session(BERGEN, transport=recorder)
    for reference in ("1234567", "12345678"):
        with pytest.raises(Unsure):
            payments.release(session, reference, nok(10_000), key=KEY)
    [short], [long] = recorder.sent("ecom_cancel"), recorder.sent("cancel")
    assert (short.method, short.path) == ("PUT", "/ecomm/v2/payments/1234567/cancel")
    assert (long.method, long.path) == ("POST", "/epayment/v1/payments/12345678/cancel")
    assert long.headers["Idempotency-Key"] == KEY
    assert json.loads(long.body or b"") == {}
    body = json.loads(short.body or b"")
    assert body["shouldReleaseRemainingFunds"] is False, "what was captured on purpose keeps its rest"
    assert body["transaction"] == {"transactionText": payments.ECOM_RELEASE_TEXT}


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        (summary(captured=0), Aggregate(authorized=10_000, cancelled=10_000, captured=0, refunded=0, currency="NOK")),
        (
            summary(captured=0, reserved=10_000),
            Aggregate(authorized=10_000, cancelled=0, captured=0, refunded=0, currency="NOK"),
        ),
        (summary(captured=4_000), Aggregate(authorized=10_000, cancelled=6_000, captured=4_000, refunded=0, currency="NOK")),
    ],
)
def test_what_can_no_longer_be_captured_was_let_go(world: World, sums: dict[str, int], expected: Aggregate) -> None:
    session = world.session(BERGEN, transport=Recorder(answers=[told(changed("Cancelled", sums))]))
    assert payments.release(session, SHORT, nok(10_000), key=KEY).aggregate == expected


def test_an_answer_without_sums_is_unsure(world: World) -> None:
    session = world.session(BERGEN, transport=Recorder(answers=[told(refunded(None))]))
    with pytest.raises(Unsure):
        payments.release(session, SHORT, nok(10_000), key=KEY)


@pytest.mark.parametrize("operation", ["VOID", "CANCEL"])
def test_a_cancel_counts_by_either_name_where_money_was_reserved(world: World, operation: str) -> None:
    log = [entry(operation, 10_000, 3), *RESERVED]
    session = world.session(BERGEN, transport=Recorder(answers=[told(details(log, summary(captured=0)))]))
    assert payments.read_payment(session, SHORT).aggregate.cancelled == 10_000


def test_the_portal_lets_a_reservation_go_only_once(world: World) -> None:
    world.simulator.add_payment(BERGEN, "only-reserved-1", amount_minor=5_000, captured_minor=0)
    world.simulator.portal_cancel(BERGEN, "only-reserved-1")
    assert world.simulator.payment(BERGEN, "only-reserved-1").sums().cancelled == 5_000
    with pytest.raises(ValueError, match="the portal can move"):
        world.simulator.portal_cancel(BERGEN, "only-reserved-1")
    [entered] = world.simulator.log(operation="portal-cancel")
    assert (entered.amount_minor, entered.applied) == (5_000, True)
