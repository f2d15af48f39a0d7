"""A session: what goes over the wire, what happens on a 401, and what never leaves it."""

import contextlib
import copy
import json
import logging
import pickle

import pytest

from stores.vipps.errors import (
    NotSent,
    OurDefect,
    Throttled,
    TokenUnavailable,
    Unauthorized,
    Unsure,
    VippsError,
)
from stores.vipps.exchange import Response
from stores.vipps.types import Credentials, SystemHeaders
from tests.stores.vipps.world import (
    BERGEN,
    ORDER,
    TRONDHEIM,
    Recorder,
    World,
    answer,
    modification,
    nok,
    problem,
    token_answer,
)


def test_a_refund_carries_exactly_these_headers(world: World) -> None:
    transport = Recorder(answers=[answer(200, modification(2500))])
    world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")
    (request,) = transport.sent("refund")
    assert (request.method, request.path) == ("POST", f"/epayment/v1/payments/{ORDER}/refund")
    assert request.body == b'{"modificationAmount":{"currency":"NOK","value":2500}}'
    assert dict(request.headers) == {
        "Merchant-Serial-Number": BERGEN,
        "Ocp-Apim-Subscription-Key": world.keys[BERGEN].subscription_key,
        "Authorization": "Bearer a-token",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Idempotency-Key": "hub-1",
        "Vipps-System-Name": "refund-hub",
        "Vipps-System-Version": "0.1.0",
        "Vipps-System-Plugin-Name": "refund-hub",
        "Vipps-System-Plugin-Version": "0.1.0",
    }


def test_the_token_is_asked_for_with_the_three_values_and_fetched_once(world: World) -> None:
    transport = Recorder(answers=[answer(200, modification(2500)), answer(200, modification(5000))])
    bergen = world.epayment(BERGEN, transport=transport)
    bergen.refund(ORDER, nok(2500), idempotency_key="hub-1")
    bergen.refund(ORDER, nok(2500), idempotency_key="hub-2")
    (request,) = transport.sent("token")
    keys = world.keys[BERGEN]
    assert (request.method, request.path, request.body) == ("POST", "/accesstoken/get", b"")
    assert request.headers["client_id"] == keys.client_id
    assert request.headers["client_secret"] == keys.client_secret
    assert request.headers["Ocp-Apim-Subscription-Key"] == keys.subscription_key
    assert request.headers["Merchant-Serial-Number"] == BERGEN
    assert "Authorization" not in request.headers


def test_after_a_401_it_fetches_once_and_repeats_once_with_the_same_key(world: World) -> None:
    transport = Recorder(
        token_answers=[token_answer("old"), token_answer("new")],
        answers=[answer(401, ""), answer(200, modification(2500))],
    )
    world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")
    first, second = transport.sent("refund")
    assert len(transport.sent("token")) == 2
    assert (first.headers["Authorization"], second.headers["Authorization"]) == ("Bearer old", "Bearer new")
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "hub-1"
    assert first.body == second.body


def test_a_second_401_is_unauthorized_and_not_a_third_attempt(world: World) -> None:
    transport = Recorder(answers=[answer(401, ""), answer(401, "")])
    with pytest.raises(Unauthorized) as caught:
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")
    assert caught.value.operation == "refund"
    assert len(transport.sent("refund")) == 2


def test_the_token_of_a_second_401_is_not_kept_either(world: World) -> None:
    transport = Recorder(answers=[answer(401, ""), answer(401, ""), answer(200, modification(2500))])
    bergen = world.epayment(BERGEN, transport=transport)
    with pytest.raises(Unauthorized):
        bergen.refund(ORDER, nok(2500), idempotency_key="hub-1")
    bergen.refund(ORDER, nok(2500), idempotency_key="hub-1")
    assert len(transport.sent("token")) == 3


def test_an_answer_lost_on_the_repeated_call_is_unsure(world: World) -> None:
    transport = Recorder(answers=[answer(401, ""), Unsure("refund", detail="lost")])
    with pytest.raises(Unsure):
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_keys_that_the_token_endpoint_refuses_are_unauthorized_and_nothing_is_sent(world: World, status: int) -> None:
    transport = Recorder(token_answers=[answer(status, '{"error":"invalid_client"}')])
    with pytest.raises(Unauthorized) as caught:
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")
    assert (caught.value.operation, caught.value.status, caught.value.detail) == ("token", status, "invalid_client")
    assert transport.sent("refund") == []


@pytest.mark.parametrize(
    "told",
    [
        NotSent("token"),
        Unsure("token"),
        answer(500, ""),
        answer(429, "", retry_after="7"),
        answer(308, ""),
        answer(200, "<html>"),
        answer(200, '{"access_token":"a"}'),
        answer(200, '{"access_token":"a","expires_in":"soon"}'),
    ],
)
def test_without_a_token_nothing_of_the_refund_was_sent(world: World, told: Response | VippsError) -> None:
    transport = Recorder(token_answers=[told])
    with pytest.raises(TokenUnavailable) as caught:
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")
    assert isinstance(caught.value, NotSent)
    assert caught.value.operation == "token"
    assert transport.sent("refund") == []
    if isinstance(told, Response) and told.status == 429:
        assert (caught.value.status, caught.value.retry_after) == (429, 7.0)


def test_past_its_moment_a_refund_is_not_sent_although_the_token_is_fetched(world: World) -> None:
    transport = Recorder(answers=[answer(200, modification(2500))])
    with pytest.raises(NotSent) as caught:
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1", send_before=0.0)
    assert not isinstance(caught.value, TokenUnavailable)
    assert len(transport.sent("token")) == 1
    assert transport.sent("refund") == []


def test_a_token_can_be_had_beforehand(world: World) -> None:
    transport = Recorder()
    world.session(BERGEN, transport=transport).ensure_token()
    world.session(BERGEN, transport=transport).ensure_token()
    assert [request.operation for request in transport.requests] == ["token"]


def test_retry_after_reaches_the_caller(world: World) -> None:
    transport = Recorder(answers=[answer(429, "", retry_after="12")])
    with pytest.raises(Throttled) as caught:
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")
    assert caught.value.retry_after == 12.0


def test_the_msn_is_the_sessions_also_with_partner_keys(world: World) -> None:
    transport = Recorder(answers=[answer(200, modification(2500))])
    world.epayment(TRONDHEIM, keys=world.keys["chain"], transport=transport).refund(ORDER, nok(2500), idempotency_key="hub-1")
    assert {request.headers["Merchant-Serial-Number"] for request in transport.requests} == {TRONDHEIM}


@pytest.mark.parametrize("msn", ["", "123", "12345678901", "12345a", "123 45", "１２３４５", "12345\n"])
def test_what_is_no_msn_opens_no_session(world: World, msn: str) -> None:
    with pytest.raises(ValueError, match="MSN"):
        world.session(msn, keys=world.keys[BERGEN])


@pytest.mark.parametrize("key", ["", "x" * 51, "a b", "a\r\nX: y", "å"])
def test_an_idempotency_key_that_no_header_can_carry_is_refused_before_sending(world: World, key: str) -> None:
    transport = Recorder()
    with pytest.raises(OurDefect):
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(2500), idempotency_key=key)
    assert transport.requests == []


@pytest.mark.parametrize("value", ["", "a\r\nb", "å", "a\x00"])
def test_a_credential_that_no_header_can_carry_is_refused_without_being_named(value: str) -> None:
    with pytest.raises(ValueError, match="credential") as caught:
        Credentials(client_id=value, client_secret="canary", subscription_key="canary")
    assert "canary" not in str(caught.value)


def test_a_system_header_longer_than_vipps_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="30"):
        SystemHeaders(name="x" * 31, version="1", plugin_name="a", plugin_version="1")


def test_keys_show_themselves_to_nobody(world: World) -> None:
    keys = Credentials(client_id="canary-id", client_secret="canary-secret", subscription_key="canary-key")
    assert "canary" not in f"{keys} {keys!r} {[keys]} {world.session(BERGEN)!r}"
    for secretive in (keys, world.session(BERGEN)):
        with pytest.raises(TypeError):
            pickle.dumps(secretive)
        with pytest.raises(TypeError):
            copy.deepcopy(secretive)
        with pytest.raises(TypeError):
            json.dumps(secretive)


def test_log_lines_carry_facts_and_no_secrets(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    transport = Recorder(
        token_answers=[token_answer("canary-token")],
        answers=[problem(400, "6150"), answer(200, modification(100)), Unsure("refund")],
    )
    bergen = world.epayment(BERGEN, transport=transport)
    for number in range(3):
        with contextlib.suppress(VippsError):
            bergen.refund(ORDER, nok(100), idempotency_key=f"canary-idempotency-{number}")
    lines = [record.getMessage() for record in caplog.records if record.name == "stores.vipps"]
    assert len(lines) == 4
    assert "operation=refund msn=100001 status=400 code=6150 outcome=Refused trace_id=00-abc-def-00" in lines[1]
    assert "outcome=Unsure" in lines[3]
    keys = world.keys[BERGEN]
    for secret in ("canary", keys.client_id, keys.client_secret, keys.subscription_key):
        assert secret not in caplog.text
