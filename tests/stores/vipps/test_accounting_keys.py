"""Accounting keys and sessions without an MSN: another token call, no subscription key, and never somebody's money."""

import base64
import contextlib
import copy
import logging
import pickle

import pytest

from stores.vipps.ecom import Ecom
from stores.vipps.epayment import Epayment
from stores.vipps.errors import OurDefect, Unauthorized, VippsError
from stores.vipps.report import Report
from stores.vipps.types import AccountingCredentials
from stores.vipps.webhooks import Webhooks
from tests.stores.vipps.canned import told
from tests.stores.vipps.recorded import accountant, partner, unit
from tests.stores.vipps.world import BERGEN, ORDER, TRONDHEIM, World, answer, nok, token_answer

NO_LEDGERS = told({"items": [], "cursor": ""})


def test_the_token_is_asked_for_with_basic_and_a_form_and_no_subscription_key() -> None:
    session, recorder = accountant(NO_LEDGERS)
    recorder.token_answers = [told({"access_token": "t-1", "token_type": "Bearer", "expires_in": 900})]
    Report(session).ledgers()
    [request] = recorder.sent("token")
    assert (request.method, request.path, request.body) == ("POST", "/miami/v1/token", b"grant_type=client_credentials")
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"canary-id:canary-secret").decode()
    assert request.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert recorder.call.headers["Authorization"] == "Bearer t-1"
    for sent in recorder.requests:
        assert not {"Ocp-Apim-Subscription-Key", "Merchant-Serial-Number", "client_id", "client_secret"} & set(sent.headers)


def test_a_refused_accounting_key_is_unauthorized() -> None:
    session, recorder = accountant()
    recorder.token_answers = [told({"error": "invalid_client"}, 400)]
    with pytest.raises(Unauthorized) as caught:
        Report(session).ledgers()
    assert caught.value.detail == "invalid_client"


def test_after_a_401_a_new_token_is_fetched_once() -> None:
    session, recorder = accountant(answer(401), NO_LEDGERS)
    recorder.token_answers = [token_answer("old"), token_answer("new")]
    Report(session).ledgers()
    assert [request.headers["Authorization"] for request in recorder.sent("report_ledgers")] == ["Bearer old", "Bearer new"]


def test_a_session_without_an_msn_cannot_touch_a_payment(world: World) -> None:
    for session, recorder in (accountant(), partner(world)):
        for call in (
            lambda session=session: Epayment(session).get_payment(ORDER),
            lambda session=session: Epayment(session).refund(ORDER, nok(100), idempotency_key="k"),
            lambda session=session: Ecom(session).get_details("B-77"),
            lambda session=session: Ecom(session).refund("B-77", 100, text="t", request_id="k"),
        ):
            with pytest.raises(OurDefect):
                call()
        assert recorder.requests == []


def test_the_msn_header_is_the_sessions_and_a_call_cannot_replace_it(world: World) -> None:
    session, recorder = unit(world, answer(200, "{}"), msn=TRONDHEIM)
    session.call("any", "GET", "/any", headers={"Merchant-Serial-Number": BERGEN, "Authorization": "x", "Size": "100"})
    assert recorder.call.headers["Merchant-Serial-Number"] == TRONDHEIM
    assert recorder.call.headers["Authorization"] == "Bearer a-token"
    assert recorder.call.headers["Size"] == "100"


def test_accounting_keys_show_themselves_to_nobody() -> None:
    session, _ = accountant()
    keys = AccountingCredentials(client_id="canary-id", client_secret="canary-secret")
    assert "canary" not in f"{keys} {keys!r} {session!r}"
    for secretive in (keys, session):
        with pytest.raises(TypeError):
            pickle.dumps(secretive)
        with pytest.raises(TypeError):
            copy.deepcopy(secretive)


@pytest.mark.parametrize("client_id", ["", "a\r\nb", "å", "canary:1"])
def test_a_client_id_that_basic_cannot_carry_is_refused_without_being_named(client_id: str) -> None:
    with pytest.raises(ValueError, match=r"credential|client id") as caught:
        AccountingCredentials(client_id=client_id, client_secret="canary")
    assert "canary" not in str(caught.value)


def test_log_lines_of_every_kind_of_call_carry_no_secrets(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session, _ = accountant(told({"title": "canary"}, 404))
    with contextlib.suppress(VippsError):
        Report(session).ledgers(handle="api:canary")
    session, _ = unit(world, told({"id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "secret": "canary"}, 201))
    registered = Webhooks(session).register("https://hub.canary.invalid/x")
    assert "canary" not in repr(registered)
    session, _ = unit(world, told([{"errorGroup": "Payment", "errorCode": "71", "errorMessage": "canary"}], 400))
    with contextlib.suppress(VippsError):
        Ecom(session).refund("B-77", 2_500, text="canary", request_id="canary-key")
    lines = [record.getMessage() for record in caplog.records if record.name == "stores.vipps"]
    assert len(lines) == 5
    assert "operation=ecom_refund msn=100001 status=400 code=Payment 71 outcome=Refused" in lines[-1]
    assert "canary" not in caplog.text
