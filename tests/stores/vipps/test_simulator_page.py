"""The control page and the doors behind it: what is shown, and that nothing secret is."""

import json
from typing import Any

import pytest

from stores.vipps.simulator import Fault, FaultKind
from stores.vipps.simulator.control import Control
from stores.vipps.simulator.wire import Call
from tests.stores.vipps.calling import Caller, caller
from tests.stores.vipps.receiving import Receiver
from tests.stores.vipps.world import BERGEN, ORDER, World


@pytest.fixture
def shop(world: World) -> Caller:
    return caller(world)


def _control(world: World, method: str, path: str, told: object = None) -> tuple[int, Any]:
    body = b"" if told is None else json.dumps(told).encode()
    headers = {"content-type": "application/json"}
    reply = Control(world.simulator).answer(Call(method=method, path=f"/_simulator/{path}", headers=headers, body=body))
    return reply.status, json.loads(reply.body)


def _page(world: World) -> str:
    reply = Control(world.simulator).answer(Call(method="GET", path="/_simulator/", headers={}))
    assert (reply.status, reply.content_type) == (200, "text/html; charset=utf-8")
    return reply.body.decode()


def test_the_page_shows_everything_that_goes_on(world: World, shop: Caller) -> None:
    secret = shop.register().json["secret"]
    shop.refund(ORDER, 2_500, key="refund-key-1")
    world.simulator.deliver_due(Receiver(says=lambda outgoing: 503))
    world.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund", times=None))
    world.simulator.change_switches(replay="fresh")
    page = _page(world)
    sections = (
        *("Payments", "Events", "Refunds", "Rate-limit windows", "Webhook deliveries", "Webhook registrations"),
        *("Faults armed", "Switches", "Sales units"),
    )
    for section in sections:
        assert f"<h2>{section}</h2>" in page
    for shown in ("25.00 NOK", "refund-key-1", "1 of 5 a minute", "waiting", "503", "drop_after", "without end", "changed"):
        assert shown in page
    for hidden in (secret, shop.keys.client_secret, *shop.keys.subscription_keys, shop.headers()["authorization"]):
        assert hidden not in page


def test_the_page_needs_nothing_from_elsewhere_and_escapes_what_it_shows(world: World, shop: Caller) -> None:
    world.simulator.add_sales_unit("200001", name="<script>alert(1)</script>")
    page = _page(world)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for outside in ("http://", "https://", "src=", "@import"):
        assert outside not in page


def test_the_customer_the_bank_and_the_settlement_have_doors(world: World, shop: Caller) -> None:
    shop.initiate("order-1")
    one = {"msn": BERGEN, "reference": "order-1"}
    assert _control(world, "POST", "customer", {**one, "does": "approve"})[0] == 200
    assert _control(world, "POST", "customer", {**one, "does": "approve"})[0] == 400
    assert _control(world, "POST", "customer", {**one, "does": "sing"})[0] == 400
    assert _control(world, "POST", "portal-capture", {**one, "amount_minor": 600})[0] == 200
    assert _control(world, "POST", "dispute", {**one, "amount_minor": 100})[0] == 200
    assert _control(world, "POST", "dispute", {**one, "amount_minor": 601})[0] == 400
    assert _control(world, "POST", "pay-out", {"msn": BERGEN}) == (200, {"paid_minor": 10_600 - 100 - 185})
    assert _control(world, "POST", "deactivate", {"msn": BERGEN})[0] == 200
    assert _control(world, "POST", "deactivate", {"msn": "999999"})[0] == 404
    assert shop.ecom("refund", "order-1", amount=100).code == "Merchant/37"


def test_a_customer_who_says_no(world: World, shop: Caller) -> None:
    shop.initiate("order-1")
    _control(world, "POST", "customer", {"msn": BERGEN, "reference": "order-1", "does": "abort"})
    assert shop.details("order-1")["transactionLogHistory"][0]["operation"] == "CANCEL"


def test_limits_and_webhooks_can_be_read(world: World, shop: Caller) -> None:
    shop.register()
    shop.refund(ORDER, 1, key="k")
    assert _control(world, "GET", "limits")[1] == {"windows": [{"subject": ["refund", ORDER, BERGEN], "used": 1, "limit": 5}]}
    told = _control(world, "GET", "webhooks")[1]
    assert told["registrations"][0]["owner"] == {"kind": "unit", "name": BERGEN}
    assert [notice["state"] for notice in told["notices"]] == ["waiting"]


def test_a_unit_can_be_told_what_it_may(world: World) -> None:
    unit = {"msn": "200001", "captures_directly": True, "ledger": "302321", "business": "123456789"}
    assert _control(world, "PUT", "merchants", {"sales_units": [unit]})[0] == 200
    made = world.simulator.merchants.units["200001"]
    assert (made.captures_directly, made.ledger_id, made.business) == (True, "302321", "123456789")
    assert _control(world, "PUT", "merchants", {"sales_units": [{**unit, "is_active": "no"}]})[0] == 400
