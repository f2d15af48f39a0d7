"""ePayment through the client against the simulator, and answers that must not be believed."""

import pytest

from stores.vipps.epayment import Epayment
from stores.vipps.errors import Misconfigured, NotSent, OurDefect, Refused, Unsure, VippsError
from stores.vipps.transport import WsgiTransport
from stores.vipps.types import Aggregate, Amount
from tests.stores.vipps.world import BERGEN, ORDER, OSLO, Recorder, World, answer, modification, nok


def test_a_payment_is_read(bergen: Epayment) -> None:
    payment = bergen.get_payment(ORDER)
    assert (payment.reference, payment.state, payment.amount) == (ORDER, "AUTHORIZED", nok(10_000))
    assert payment.aggregate == Aggregate(authorized=10_000, cancelled=0, captured=10_000, refunded=0, currency="NOK")
    assert payment.aggregate.refundable == 10_000


def test_metadata_comes_along(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, "bergen-till-4", amount_minor=500, metadata={"till": "4"})
    assert bergen.get_payment("bergen-till-4").metadata == {"till": "4"}


def test_a_refund_moves_the_money_and_says_so(world: World, bergen: Epayment) -> None:
    told = bergen.refund(ORDER, nok(2_500), idempotency_key="hub-1")
    assert (told.reference, told.state, told.status) == (ORDER, "AUTHORIZED", 200)
    assert (told.aggregate.refunded, told.aggregate.refundable) == (2_500, 7_500)
    assert world.refunded() == 2_500


def test_the_event_log_names_our_key_and_the_answer_does_not_name_the_event(bergen: Epayment) -> None:
    told = bergen.refund(ORDER, nok(2_500), idempotency_key="hub-1")
    created, authorized, captured, refunded = bergen.get_events(ORDER)
    assert [event.name for event in (created, authorized, captured)] == ["CREATED", "AUTHORIZED", "CAPTURED"]
    assert (refunded.name, refunded.idempotency_key, refunded.success) == ("REFUNDED", "hub-1", True)
    assert refunded.amount == nok(2_500)
    assert told.psp_reference == created.psp_reference != refunded.psp_reference
    assert len({event.psp_reference for event in (created, authorized, captured, refunded)}) == 4


def test_what_is_reserved_can_be_captured_in_part_and_the_rest_released(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, "bergen-reserved", amount_minor=9_000, captured_minor=0)
    assert bergen.capture("bergen-reserved", nok(4_000), idempotency_key="hub-1").aggregate.capturable == 5_000
    told = bergen.cancel("bergen-reserved", idempotency_key="hub-2")
    assert (told.aggregate.captured, told.aggregate.cancelled, told.aggregate.capturable) == (4_000, 5_000, 0)
    assert told.state == "AUTHORIZED"


def test_the_right_reference_at_the_wrong_unit_is_misconfigured(world: World) -> None:
    oslo = world.epayment(OSLO)
    for call in (
        lambda: oslo.get_payment(ORDER),
        lambda: oslo.get_events(ORDER),
        lambda: oslo.refund(ORDER, nok(100), idempotency_key="hub-1"),
    ):
        with pytest.raises(Misconfigured) as caught:
            call()
        assert (caught.value.status, caught.value.code) == (404, "5090")
    assert world.refunded() == 0


def test_the_same_reference_at_two_units_is_two_payments(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(OSLO, ORDER, amount_minor=300)
    world.epayment(OSLO).refund(ORDER, nok(300), idempotency_key="hub-1")
    assert world.refunded(OSLO) == 300
    assert world.refunded(BERGEN) == 0
    assert bergen.get_payment(ORDER).aggregate.refunded == 0


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "short",
        "x" * 65,
        "../../../evil",
        "bergen/2026",
        "bergen-2026?x=1",
        "bergen 2026",
        "bergen-2026\n",
        "bergen-ø-26",
    ],
)
def test_what_is_no_reference_never_becomes_a_path(world: World, reference: str) -> None:
    transport = Recorder()
    bergen = world.epayment(BERGEN, transport=transport)
    for call in (
        lambda: bergen.get_payment(reference),
        lambda: bergen.get_events(reference),
        lambda: bergen.refund(reference, nok(100), idempotency_key="hub-1"),
        lambda: bergen.cancel(reference, idempotency_key="hub-1"),
    ):
        with pytest.raises(OurDefect):
            call()
    assert transport.requests == []


@pytest.mark.parametrize("amount", [nok(0), nok(-1), nok(65_000_001), Amount(currency="nok", value=1)])
def test_an_amount_that_vipps_cannot_take_is_not_sent(world: World, amount: Amount) -> None:
    transport = Recorder()
    with pytest.raises(OurDefect):
        world.epayment(BERGEN, transport=transport).refund(ORDER, amount, idempotency_key="hub-1")
    assert transport.requests == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "null",
        "<html>welcome</html>",
        modification(100)[:-1],
        modification(100).replace('"AUTHORIZED"', "null"),
        modification(100).replace('"value":100}', '"value":100.0}'),
        modification(100).replace('"value":100}', '"value":true}'),
        modification(100).replace('"value":100}', '"value":"100"}'),
        modification(100).replace('"value":100}', '"value":100,"value":9}'),
        modification(100).replace("refundedAmount", "refunded"),
        modification(100, reference="another-order"),
    ],
)
def test_a_200_that_cannot_be_read_or_speaks_of_another_payment_is_unsure(world: World, body: str) -> None:
    transport = Recorder(answers=[answer(200, body)])
    with pytest.raises(Unsure) as caught:
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(100), idempotency_key="hub-1")
    assert caught.value.status == 200


@pytest.mark.parametrize("body", ["{}", "[{}]", '[{"reference":"another-order"}]', '"no"', "[1]"])
def test_an_event_log_that_cannot_be_read_is_unsure_and_not_empty(world: World, body: str) -> None:
    with pytest.raises(Unsure):
        world.epayment(BERGEN, transport=Recorder(answers=[answer(200, body)])).get_events(ORDER)


def test_an_empty_event_log_is_a_list_without_events(world: World) -> None:
    assert world.epayment(BERGEN, transport=Recorder(answers=[answer(200, "[]")])).get_events(ORDER) == []


@pytest.mark.parametrize(("asked", "code"), [(10_001, "6150"), (65_000_000, "6150")])
def test_more_than_was_captured_is_refused_and_moves_nothing(world: World, bergen: Epayment, asked: int, code: str) -> None:
    with pytest.raises(Refused) as caught:
        bergen.refund(ORDER, nok(asked), idempotency_key="hub-1")
    assert (caught.value.status, caught.value.code) == (400, code)
    assert world.refunded() == 0


def test_nobody_listening_is_proved_not_sent(world: World) -> None:
    transport = WsgiTransport(world.simulator.wsgi)
    bergen = world.epayment(BERGEN, transport=transport)
    bergen.get_payment(ORDER)
    transport.is_reachable = False
    with pytest.raises(NotSent) as caught:
        bergen.refund(ORDER, nok(100), idempotency_key="hub-1")
    assert isinstance(caught.value, VippsError)
    assert world.simulator.log() == []
