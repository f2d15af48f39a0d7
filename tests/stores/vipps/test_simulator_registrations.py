"""Registering for webhooks: whose they are, how many there may be, and which addresses are taken."""

import pytest

from tests.stores.vipps.calling import EVENTS, WEBHOOKS, Caller, caller
from tests.stores.vipps.receiving import Receiver
from tests.stores.vipps.world import BERGEN, HAMAR, OSLO, TRONDHEIM, World


@pytest.fixture
def shop(world: World) -> Caller:
    return caller(world)


@pytest.fixture
def partner(world: World) -> Caller:
    """The chain's partner keys, without a sales unit."""
    return Caller(simulator=world.simulator, keys=world.keys["chain"], msn=None)


def test_the_secret_is_shown_once(shop: Caller) -> None:
    made = shop.register().json
    assert len(made["secret"]) == 88
    listed = shop.call("GET", WEBHOOKS).json
    assert listed == {"webhooks": [{"id": made["id"], "url": "http://127.0.0.1:1/hooks", "events": EVENTS}]}


def test_the_secret_may_look_like_a_guid(world: World, shop: Caller) -> None:
    world.simulator.change_switches(secrets_look_like="guid")
    assert len(shop.register().json["secret"]) == 36


def test_a_deleted_one_is_gone_and_told_nothing_more(world: World, shop: Caller) -> None:
    made = shop.register().json
    shop.refund("bergen-2026-0001", 1, key="k")
    assert shop.call("DELETE", f"{WEBHOOKS}/{made['id']}").status == 204
    assert shop.call("GET", WEBHOOKS).json == {"webhooks": []}
    assert world.simulator.deliver_due(Receiver()) == 0
    assert shop.call("DELETE", f"{WEBHOOKS}/{made['id']}").status == 400


def test_another_unit_neither_sees_nor_deletes_it(world: World, shop: Caller) -> None:
    made = shop.register().json
    oslo = caller(world, OSLO)
    assert oslo.call("GET", WEBHOOKS).json == {"webhooks": []}
    assert oslo.call("DELETE", f"{WEBHOOKS}/{made['id']}").status == 400
    assert len(world.simulator.registrations) == 1


def test_twenty_five_an_event_and_then_no_more(shop: Caller) -> None:
    for _ in range(25):
        assert shop.register(events=EVENTS[:1]).status == 201
    assert shop.register(events=EVENTS).status == 400
    assert shop.register(events=EVENTS[1:]).status == 201


def test_the_limit_is_a_switch_and_the_check_in_may_have_one(world: World, shop: Caller) -> None:
    world.simulator.change_switches(webhooks_per_event=5)
    assert [shop.register().status for _ in range(6)] == [201, 201, 201, 201, 201, 400]
    assert [shop.register(events=["user.checked-in.v1"]).status for _ in range(2)] == [201, 400]


def test_a_units_and_a_partners_are_counted_apart(world: World, partner: Caller) -> None:
    world.simulator.change_switches(webhooks_per_event=1)
    for_one = caller(world, TRONDHEIM, keys=world.keys["chain"])
    assert [partner.register().status, for_one.register().status, caller(world, TRONDHEIM).register().status] == [201, 201, 400]


def test_a_partner_hears_of_all_its_units_also_later_ones(world: World, partner: Caller) -> None:
    assert partner.register().status == 201
    later = world.simulator.add_sales_unit("200001")
    world.simulator.add_partner("chain", [TRONDHEIM, "200001"], keys=world.keys["chain"])
    for msn in (TRONDHEIM, HAMAR, "200001", BERGEN):
        world.simulator.add_payment(msn, "order-of-many", amount_minor=500)
        world.simulator.portal_refund(msn, "order-of-many", 100)
    receiver = Receiver()
    world.simulator.deliver_due(receiver)
    assert {body["msn"] for body in receiver.bodies()} == {TRONDHEIM, "200001"}
    assert later.client_id


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://refunds.example/hooks", 201),
        ("https://refunds.example:8080/hooks", 201),
        ("https://refunds.example:9999/hooks", 400),
        ("http://refunds.example/hooks", 400),
        ("refunds.example", 400),
        ("", 400),
    ],
)
def test_which_addresses_are_taken(shop: Caller, url: str, status: int) -> None:
    assert shop.register(url).status == status


@pytest.mark.parametrize("events", [[], ["epayments.payment.exploded.v1"], "all"])
def test_events_must_be_known(shop: Caller, events: object) -> None:
    told = shop.call("POST", WEBHOOKS, {"url": "https://refunds.example", "events": events})
    assert (told.status, told.json["extraDetails"][0]["name"]) == (400, "events")


def test_accounting_keys_and_own_keys_without_a_unit_do_not_register(world: World) -> None:
    own = Caller(simulator=world.simulator, keys=world.keys[BERGEN], msn=None)
    assert own.register().status == 403
