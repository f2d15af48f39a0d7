"""Who gets in at the simulator: sales unit keys, partner keys, tokens, and what does not belong together."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from stores.vipps.errors import Misconfigured, TokenUnavailable, Unauthorized
from stores.vipps.simulator import Fault, FaultKind, Switches
from stores.vipps.simulator.merchants import Keys
from stores.vipps.simulator.wire import Call, Reply
from tests.stores.vipps.world import BERGEN, HAMAR, ORDER, OSLO, TRONDHEIM, World, nok


def token_call(keys: Keys, **changes: str) -> Call:
    headers = {
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
        "ocp-apim-subscription-key": keys.subscription_key,
        **changes,
    }
    return Call(method="POST", path="/accesstoken/get", headers=headers)


def get_call(world: World, keys: Keys, **changes: str) -> Reply:
    token = json.loads(world.simulator.answer(token_call(keys)).body)["access_token"]
    headers = {
        "authorization": f"Bearer {token}",
        "ocp-apim-subscription-key": keys.subscription_key,
        "merchant-serial-number": BERGEN,
    }
    told = {name.replace("_", "-"): value.replace("TOKEN", token) for name, value in changes.items()}
    return world.simulator.answer(Call(method="GET", path=f"/epayment/v1/payments/{ORDER}", headers={**headers, **told}))


@pytest.mark.parametrize(("environment", "seconds"), [("production", "86400"), ("test", "3600")])
def test_a_token_answer_is_all_texts(world: World, environment: str, seconds: str) -> None:
    world = World(switches=Switches(environment="production" if environment == "production" else "test"))
    told = json.loads(world.simulator.answer(token_call(world.keys[BERGEN])).body)
    assert set(told) == {
        "token_type",
        "expires_in",
        "ext_expires_in",
        "expires_on",
        "not_before",
        "resource",
        "access_token",
    }
    assert all(isinstance(value, str) for value in told.values())
    assert (told["token_type"], told["expires_in"]) == ("Bearer", seconds)
    assert len(told["access_token"]) > 1000


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_secret": "wrong"},
        {"ocp-apim-subscription-key": ""},
        {"ocp-apim-subscription-key": "wrong"},
    ],
    ids=str,
)
def test_wrong_values_get_no_token(world: World, change: dict[str, str]) -> None:
    assert world.simulator.answer(token_call(world.keys[BERGEN], **change)).status == 401


def test_another_units_subscription_key_gets_no_token(world: World) -> None:
    other = world.keys[OSLO].subscription_key
    assert world.simulator.answer(token_call(world.keys[BERGEN], **{"ocp-apim-subscription-key": other})).status == 401


def test_both_subscription_keys_of_a_set_are_of_equal_worth(world: World) -> None:
    keys = world.keys[BERGEN]
    second = replace(keys, subscription_keys=keys.subscription_keys[::-1])
    assert world.epayment(BERGEN, keys=second).get_payment(ORDER).reference == ORDER


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"authorization": "TOKEN"}, 401),
        ({"authorization": "bearer TOKEN"}, 401),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer TOKENx"}, 401),
        ({"authorization": "Bearer a.b.c"}, 401),
        ({"ocp_apim_subscription_key": ""}, 401),
        ({"ocp_apim_subscription_key": "wrong"}, 401),
        ({"merchant_serial_number": ""}, 403),
        ({"merchant_serial_number": OSLO}, 403),
        ({"merchant_serial_number": "999999"}, 403),
    ],
    ids=str,
)
def test_token_subscription_key_and_msn_are_checked_against_each_other(
    world: World, changes: dict[str, str], status: int
) -> None:
    assert get_call(world, world.keys[BERGEN], **changes).status == status


def test_another_units_subscription_key_beside_the_right_token_is_refused(world: World) -> None:
    other = world.keys[OSLO].subscription_key
    assert get_call(world, world.keys[BERGEN], ocp_apim_subscription_key=other).status == 401


def test_partner_keys_act_for_each_linked_unit_and_the_log_says_whose_they_were(world: World) -> None:
    for msn in (TRONDHEIM, HAMAR):
        world.simulator.add_payment(msn, "sold-here-1", amount_minor=500)
        world.epayment(msn, keys=world.keys["chain"]).refund("sold-here-1", nok(500), idempotency_key=f"k-{msn}")
        assert world.refunded(msn, "sold-here-1") == 500
    assert [(entry.msn, entry.keys) for entry in world.simulator.log(applied=True)] == [
        (TRONDHEIM, "partner-chain"),
        (HAMAR, "partner-chain"),
    ]


def test_partner_keys_do_not_act_for_a_unit_that_is_not_linked(world: World) -> None:
    with pytest.raises(Misconfigured, match="Invalid MSN: 100001") as caught:
        world.epayment(BERGEN, keys=world.keys["chain"]).refund(ORDER, nok(100), idempotency_key="k")
    assert caught.value.status == 403
    (entry,) = world.simulator.log()
    assert (entry.keys, entry.status, entry.applied) == ("partner-chain", 403, False)
    assert world.refunded() == 0


def test_partner_keys_without_an_msn_are_told_so_without_a_number(world: World) -> None:
    reply = get_call(world, world.keys["chain"], merchant_serial_number="")
    assert reply.status == 403
    assert b"Invalid MSN. The MSN is not valid for the provided supermerchant ID" in reply.body


def test_a_unit_is_linked_to_one_partner_at_a_time(world: World) -> None:
    world.simulator.add_payment(HAMAR, "sold-here-1", amount_minor=500)
    other = world.simulator.add_partner("other", [HAMAR])
    assert world.epayment(HAMAR, keys=other).get_payment("sold-here-1").aggregate.refundable == 500
    assert world.epayment(HAMAR).get_payment("sold-here-1").aggregate.refundable == 500
    with pytest.raises(Misconfigured):
        world.epayment(HAMAR, keys=world.keys["chain"]).get_payment("sold-here-1")


def test_partner_keys_do_not_work_in_test() -> None:
    world = World(switches=Switches(environment="test"))
    with pytest.raises(Unauthorized):
        world.session(TRONDHEIM, keys=world.keys["chain"]).ensure_token()


def test_regenerated_keys_stop_the_old_ones_and_their_tokens_at_once(world: World) -> None:
    old = world.epayment(BERGEN)
    old.get_payment(ORDER)
    new = world.simulator.rotate_keys(BERGEN)
    with pytest.raises(Unauthorized):
        old.get_payment(ORDER)
    assert world.epayment(BERGEN, keys=new).get_payment(ORDER).reference == ORDER


def test_a_new_secret_alone_stops_the_tokens_of_the_old_one(world: World) -> None:
    bergen = world.epayment(BERGEN)
    bergen.get_payment(ORDER)
    world.simulator.add_sales_unit(BERGEN, keys=replace(world.keys[BERGEN], client_secret="a-new-one"))
    with pytest.raises(Unauthorized):
        bergen.get_payment(ORDER)


def test_an_expired_token_is_replaced_without_the_caller_noticing(world: World) -> None:
    bergen = world.epayment(BERGEN)
    bergen.get_payment(ORDER)
    world.simulator.move_clock(timedelta(days=2))
    bergen.refund(ORDER, nok(100), idempotency_key="k")
    assert world.simulator.calls["token"] == 2
    assert [entry.status for entry in world.simulator.log()] == [401, 200]


def test_the_same_seed_makes_the_same_keys() -> None:
    assert World().keys == World().keys


def test_an_unknown_path_is_the_gateways_404(world: World) -> None:
    for method, path in (
        ("GET", "/nowhere"),
        ("DELETE", f"/epayment/v1/payments/{ORDER}"),
        ("GET", "/accesstoken/get"),
    ):
        assert world.simulator.answer(Call(method=method, path=path, headers={})).status == 404


def test_a_lost_token_answer_leaves_the_refund_unsent(world: World) -> None:
    world.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="token"))
    with pytest.raises(TokenUnavailable):
        world.epayment(BERGEN).refund(ORDER, nok(100), idempotency_key="k")
    assert world.simulator.log() == []
