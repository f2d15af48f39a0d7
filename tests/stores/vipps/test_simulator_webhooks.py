"""Webhooks that go out: their signature, their order, their ladder of retries, and their faults."""

from datetime import timedelta
from pathlib import Path

import pytest

from stores.vipps.signatures import Verdict
from stores.vipps.simulator import Fault, FaultKind, Simulator
from stores.vipps.simulator.webhooks.notices import wait_after
from stores.vipps.simulator.webhooks.signing import signed_headers
from tests.stores.vipps.calling import Caller, caller
from tests.stores.vipps.receiving import Receiver, verdict
from tests.stores.vipps.world import BERGEN, NOON, ORDER, OSLO, World

OTHER = "bergen-2026-0002"


@pytest.fixture
def shop(world: World) -> Caller:
    world.simulator.add_payment(BERGEN, OTHER, amount_minor=9_000)
    return caller(world)


def test_the_vector_of_vipps() -> None:
    headers = signed_headers(
        "A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A==",
        url="https://webhook.site/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63",
        body=b'{"some-unique-content":"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world"}',
        at=1680165512.0,
    )
    assert headers["x-ms-date"] == "Thu, 30 Mar 2023 08:38:32 GMT"
    assert headers["x-ms-content-sha256"] == "lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4="
    assert headers["Authorization"] == (
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U="
    )


def test_a_refund_is_told_once_signed_and_with_the_events_own_reference(world: World, shop: Caller) -> None:
    registered = shop.register("http://127.0.0.1:9/hooks/one").json
    shop.refund(ORDER, 500, key="k")
    receiver = Receiver()
    assert world.simulator.deliver_due(receiver) == 1
    assert world.simulator.deliver_due(receiver) == 0
    event = shop.call("GET", f"/epayment/v1/payments/{ORDER}/events").json[-1]
    assert receiver.bodies() == [{"msn": BERGEN, **event}]
    (outgoing,) = receiver.arrivals
    assert outgoing.headers["Webhook-Id"] == registered["id"]
    assert verdict(outgoing, registered["secret"], at=NOON) is Verdict.GENUINE


def test_only_the_chosen_events_of_the_own_unit_are_told(world: World, shop: Caller) -> None:
    shop.register(events=["epayments.payment.captured.v1"])
    world.simulator.add_payment(OSLO, ORDER, amount_minor=500, captured_minor=0)
    world.simulator.add_payment(BERGEN, "bergen-reserved", amount_minor=500, captured_minor=0)
    world.simulator.portal_capture(OSLO, ORDER, 100)
    world.simulator.portal_capture(BERGEN, "bergen-reserved", 200)
    shop.refund(ORDER, 500, key="k")
    receiver = Receiver()
    world.simulator.deliver_due(receiver)
    assert receiver.told() == [("bergen-reserved", "CAPTURED", 200)]


def test_a_failing_event_holds_back_its_own_payment_only(world: World, shop: Caller) -> None:
    shop.register()
    shop.refund(ORDER, 1, key="k-1")
    shop.refund(ORDER, 2, key="k-2")
    shop.refund(OTHER, 3, key="k-3")
    receiver = Receiver(says=lambda outgoing: 500 if outgoing.notice.reference == ORDER else 200)
    world.simulator.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()] == [1, 3]
    receiver.says = lambda outgoing: 200
    world.simulator.move_clock(timedelta(seconds=2))
    world.simulator.deliver_due(receiver)
    world.simulator.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()] == [1, 3, 1, 2]


def test_the_ladder() -> None:
    waits = [wait_after(attempt) for attempt in range(1, 32)]
    assert waits[:5] == [2.0, 2.0, 2.0, 60.0, 120.0]
    assert set(waits[5:28]) == {3_600.0}
    assert set(waits[28:]) == {86_400.0}


def test_it_gives_up_after_seven_days(world: World, shop: Caller) -> None:
    shop.register()
    shop.refund(ORDER, 1, key="k")
    receiver = Receiver(says=lambda outgoing: None)
    times = []
    for _ in range(60):
        waiting = [notice for notice in world.simulator.notices() if notice.state == "waiting"]
        if not waiting:
            break
        world.simulator.move_clock(timedelta(seconds=waiting[0].due_at - world.simulator.now.timestamp()))
        world.simulator.deliver_due(receiver)
        times.append(world.simulator.now.timestamp() - NOON)
    assert times[:7] == pytest.approx([0, 2, 4, 6, 66, 186, 3_786])
    assert times[28] == pytest.approx(186 + 23 * 3_600)
    assert times[-1] <= 7 * 86_400 < times[-1] + 86_400
    assert world.simulator.notices()[0].state == "given_up"


def test_a_dead_address_is_forgotten_after_two_weeks(world: World, shop: Caller) -> None:
    shop.register()
    silent = Receiver(says=lambda outgoing: None)
    for day in (0, 8, 15):
        world.simulator.move_clock(timedelta(seconds=NOON + day * 86_400 - world.simulator.now.timestamp()))
        world.simulator.portal_refund(BERGEN, ORDER, 1)
        world.simulator.deliver_due(silent)
    assert world.simulator.registrations == []


@pytest.mark.parametrize(("fails", "state"), [(True, "waiting"), (False, "delivered")])
def test_a_redirect_counts_as_failure_or_not(world: World, shop: Caller, fails: bool, state: str) -> None:
    world.simulator.change_switches(webhook_redirect_fails=fails)
    shop.register()
    shop.refund(ORDER, 1, key="k")
    world.simulator.deliver_due(Receiver(says=lambda outgoing: 302))
    assert world.simulator.notices()[0].state == state


def test_doubled_late_and_lost(world: World, shop: Caller) -> None:
    shop.register()
    for kind in (FaultKind.DOUBLED, FaultKind.LATE, FaultKind.LOST):
        world.simulator.arm(Fault(kind=kind))
    for number, reference in enumerate((ORDER, OTHER, OTHER), 1):
        shop.refund(reference, number, key=f"k-{number}")
    receiver = Receiver()
    world.simulator.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()] == [1, 1]
    world.simulator.move_clock(timedelta(seconds=600))
    world.simulator.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()] == [1, 1, 2]
    assert sorted(notice.state for notice in world.simulator.notices()) == ["delivered", "delivered", "lost"]


def test_out_of_order(world: World, shop: Caller) -> None:
    shop.register()
    world.simulator.arm(Fault(kind=FaultKind.OUT_OF_ORDER, reference=ORDER))
    receiver = Receiver()
    shop.refund(ORDER, 1, key="k-1")
    world.simulator.deliver_due(receiver)
    shop.refund(ORDER, 2, key="k-2")
    world.simulator.deliver_due(receiver)
    world.simulator.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()] == [2, 1]


def test_badly_signed_once_and_then_right(world: World, shop: Caller) -> None:
    secret = shop.register("http://127.0.0.1:9/hooks/one").json["secret"]
    world.simulator.arm(Fault(kind=FaultKind.BADLY_SIGNED))
    shop.refund(ORDER, 1, key="k")
    receiver = Receiver(says=lambda outgoing: 401 if not outgoing.notice.attempts else 200)
    world.simulator.deliver_due(receiver)
    world.simulator.move_clock(timedelta(seconds=2))
    world.simulator.deliver_due(receiver)
    verdicts = [verdict(outgoing, secret, at=NOON) for outgoing in receiver.arrivals]
    assert verdicts == [Verdict.FORGED, Verdict.GENUINE]


def test_registrations_and_what_waits_survive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    first = Simulator(seed=1, state=state, base=lambda: NOON)
    keys = first.add_sales_unit(BERGEN)
    first.add_payment(BERGEN, ORDER, amount_minor=10_000)
    shop = Caller(simulator=first, keys=keys)
    registered = shop.register("http://127.0.0.1:9/hooks/one").json
    shop.refund(ORDER, 1, key="k-1")
    shop.refund(ORDER, 2, key="k-2")
    first.deliver_due(Receiver(says=lambda outgoing: 500))
    first.close()
    second = Simulator(seed=1, state=state, base=lambda: NOON + 2)
    assert [(notice.attempts, notice.state) for notice in second.notices()] == [(1, "waiting"), (0, "waiting")]
    receiver = Receiver()
    second.deliver_due(receiver)
    second.deliver_due(receiver)
    assert [value for _, _, value in receiver.told()] == [1, 2]
    assert verdict(receiver.arrivals[0], registered["secret"], at=NOON) is Verdict.GENUINE
    third = Simulator(seed=1, state=state, base=lambda: NOON + 4)
    assert {notice.state for notice in third.notices()} == {"delivered"}
