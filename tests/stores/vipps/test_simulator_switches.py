"""Each thing that Vipps leaves open, as a switch: both ways it can stand, changed while the simulator runs."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from stores.vipps.simulator import Simulator, Switches
from stores.vipps.simulator.control import Control
from stores.vipps.simulator.wire import Call
from tests.stores.vipps.calling import ECOM, EPAYMENT, Caller, caller
from tests.stores.vipps.world import BERGEN, NOON, ORDER, World

SHORT = "abc"


@pytest.fixture
def shop(world: World) -> Caller:
    return caller(world)


@pytest.mark.parametrize(("hours", "refunded"), [(None, 500), (24, 1_000), (25, 500)])
def test_keys_are_kept_so_long(world: World, shop: Caller, hours: float | None, refunded: int) -> None:
    world.simulator.change_switches(key_retention_hours=hours, environment="production")
    shop.refund(ORDER, 500, key="k")
    world.simulator.move_clock(timedelta(hours=24, minutes=1))
    shop = caller(world)
    assert shop.refund(ORDER, 500, key="k").status == 200
    assert world.refunded() == refunded


@pytest.mark.parametrize(("balance", "status", "refunded"), [("may_go_negative", 200, 500), ("must_cover", 400, 0)])
def test_a_refund_beyond_the_merchants_balance(world: World, shop: Caller, balance: str, status: int, refunded: int) -> None:
    world.simulator.add_payment(BERGEN, "order-1", amount_minor=1_000, api="ecom")
    world.simulator.pay_out(BERGEN)
    world.simulator.change_switches(merchant_balance=balance)
    told, in_ecom = shop.refund(ORDER, 500, key="k"), shop.ecom("refund", "order-1", amount=500)
    assert (told.status, in_ecom.status, world.refunded()) == (status, status, refunded)
    if status == 400:
        assert (told.code, in_ecom.code) == ("5100", "Payment/74")
    else:
        assert world.simulator.ledger.funds.balance(BERGEN) == -1_000


def test_an_accepted_refund_may_fail_later(world: World, shop: Caller) -> None:
    world.simulator.change_switches(accepted_refunds="fail_later", failure_delay=60.0)
    told = shop.refund(ORDER, 500, key="k")
    assert (told.status, told.json["aggregate"]["refundedAmount"]["value"]) == (200, 500)
    world.simulator.move_clock(timedelta(seconds=59))
    assert world.refunded() == 500
    world.simulator.move_clock(timedelta(seconds=1))
    assert world.refunded() == 0
    events = shop.call("GET", f"{EPAYMENT}/{ORDER}/events").json[-2:]
    assert [(event["name"], event["success"], event["idempotencyKey"]) for event in events] == [
        ("REFUNDED", True, "k"),
        ("REFUNDED", False, "k"),
    ]
    assert world.simulator.ledger.funds.balance(BERGEN) == 10_000


def test_a_refund_that_is_going_to_fail_still_does_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    first = Simulator(seed=1, state=state, base=lambda: NOON)
    keys = first.add_sales_unit(BERGEN)
    first.add_payment(BERGEN, ORDER, amount_minor=10_000)
    first.change_switches(accepted_refunds="fail_later")
    Caller(simulator=first, keys=keys).refund(ORDER, 500, key="k")
    first.close()
    second = Simulator(seed=1, state=state, base=lambda: NOON + 60)
    assert second.switches.accepted_refunds == "fail_later"
    assert second.payment(BERGEN, ORDER).sums().refunded == 0
    third = Simulator(seed=1, state=state, base=lambda: NOON + 120)
    assert len(third.payment(BERGEN, ORDER).events) == 5


@pytest.mark.parametrize(("value", "code", "ecom_code"), [(123, "6210", "VippsError/91"), (124, "6220", "Payment/95")])
def test_test_amounts_fail_in_the_answer(world: World, shop: Caller, value: int, code: str, ecom_code: str) -> None:
    world.simulator.add_payment(BERGEN, "order-1", amount_minor=1_000, api="ecom")
    assert shop.refund(ORDER, value, key="a").status == 200
    world.simulator.change_switches(environment="test")
    assert shop.refund(ORDER, value, key="b").code == code
    assert shop.ecom("refund", "order-1", amount=value).code == ecom_code
    assert world.refunded() == value


@pytest.mark.parametrize("value", [123, 124])
def test_test_amounts_fail_in_the_event(world: World, shop: Caller, value: int) -> None:
    world.simulator.change_switches(environment="test", refund_test_amounts="event")
    assert shop.refund(ORDER, value, key="k").status == 200
    event = shop.call("GET", f"{EPAYMENT}/{ORDER}/events").json[-1]
    assert (event["name"], event["success"], world.refunded()) == ("REFUNDED", False, 0)


def test_the_smallest_refund(world: World, shop: Caller) -> None:
    world.simulator.change_switches(minimum_refund=100)
    assert shop.refund(ORDER, 99, key="a").code == "6010"
    assert shop.refund(ORDER, 100, key="b").status == 200


@pytest.mark.parametrize(("means", "status", "refunded"), [("refused", 400, 0), ("everything", 200, 1_000)])
def test_an_ecom_refund_without_an_amount(world: World, shop: Caller, means: str, status: int, refunded: int) -> None:
    world.simulator.change_switches(missing_refund_amount=means)
    shop.ecom_paid("order-1")
    assert shop.ecom("refund", "order-1", key="r").status == status
    assert world.refunded(reference="order-1") == refunded


def test_a_refund_right_after_the_capture(world: World, shop: Caller) -> None:
    world.simulator.change_switches(refund_wait=10.0, sticky_refusals=False)
    shop.ecom_paid("ecom-order-1")
    assert (shop.refund("ecom-order-1", 100, key="a").status, shop.ecom("refund", "ecom-order-1", amount=100).code) == (
        423,
        "VippsError/94",
    )
    world.simulator.move_clock(timedelta(seconds=10))
    assert shop.refund("ecom-order-1", 100, key="a").status == 200


@pytest.mark.parametrize(("shown", "status"), [("refused", 400), ("not_found", 404), ("shown", 200)])
def test_short_ids_of_ecom_in_epayment(world: World, shop: Caller, shown: str, status: int) -> None:
    world.simulator.change_switches(short_ids_in_epayment=shown)
    world.simulator.add_payment(BERGEN, SHORT, amount_minor=1_000, api="ecom")
    assert shop.call("GET", f"{EPAYMENT}/{SHORT}").status == status
    assert shop.refund(SHORT, 100, key="k").status == status
    assert world.refunded(reference=SHORT) == (100 if status == 200 else 0)


@pytest.mark.parametrize(("shown", "status"), [("shown", 200), ("not_found", 404)])
def test_direct_captures_in_epayment(world: World, shop: Caller, shown: str, status: int) -> None:
    world.simulator.change_switches(direct_capture_in_epayment=shown)
    world.simulator.add_payment(BERGEN, "direct-order-1", amount_minor=1_000, api="ecom", is_direct=True)
    assert shop.refund("direct-order-1", 100, key="k").status == status


def test_ecom_may_be_shut(world: World, shop: Caller) -> None:
    shop.ecom_paid("ecom-order-1")
    world.simulator.change_switches(ecom_is_shut=True)
    assert shop.call("GET", f"{ECOM}/ecom-order-1/details").status == 404
    assert shop.refund("ecom-order-1", 100, key="k").status == 200


@pytest.mark.parametrize("content_type", ["application/json", "application/problem+json"])
def test_the_content_type_of_a_modification(world: World, shop: Caller, content_type: str) -> None:
    world.simulator.change_switches(modification_content_type=content_type)
    assert shop.refund(ORDER, 100, key="k").reply.content_type == content_type


@pytest.mark.parametrize(
    ("shape", "start"),
    [
        ("status_message", '{"statusCode": 403'),
        ("response_info", '{"responseInfo"'),
        ("error_info", '{"errorInfo"'),
        ("error", '{"error"'),
        ("texts", '["'),
        ("html", "<html>"),
    ],
)
def test_the_gateways_shapes(world: World, shop: Caller, shape: str, start: str) -> None:
    world.simulator.change_switches(gateway_shape=shape)
    told = shop.call("GET", f"{EPAYMENT}/{ORDER}", merchant_serial_number="999999")
    assert told.status == 403
    assert told.reply.body.decode().startswith(start)
    assert "Invalid MSN: 999999" in told.reply.body.decode()


def test_an_unknown_switch_or_value_changes_nothing(world: World) -> None:
    wrong: tuple[dict[str, object], ...] = ({"colour": "red"}, {"replay": "never"}, {"rate_limits": 1}, {"refund_wait": -1.0})
    for changes in wrong:
        with pytest.raises(ValueError, match=next(iter(changes))):
            world.simulator.change_switches(**{"retry_after": True, **changes})
    assert world.simulator.switches == Switches()


def test_switches_are_read_and_changed_through_the_control_api(world: World) -> None:
    control = Control(world.simulator)

    def ask(method: str, told: object = None) -> tuple[int, dict[str, object]]:
        body = json.dumps(told).encode()
        headers = {"content-type": "application/json"}
        reply = control.answer(Call(method=method, path="/_simulator/switches", headers=headers, body=body))
        return reply.status, json.loads(reply.body)

    assert ask("GET") == (200, Switches().as_json())
    assert ask("PUT", {"replay": "fresh", "statuses": {"5090": 400}})[1]["statuses"] == {"5090": 400}
    assert world.simulator.switches.replay == "fresh"
    assert ask("PUT", {"replay": "never"})[0] == 400
