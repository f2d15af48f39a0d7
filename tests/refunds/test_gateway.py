"""Every answer of Vipps has one meaning, and every meaning one consequence: the protocol's table of answers as data."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from refunds import gateway, states
from refunds.gateway import CONSEQUENCES, Meaning, Outcome
from refunds.states import Move
from stores.models import Order
from stores.vipps.errors import TokenUnavailable, Unsure, VippsError
from stores.vipps.exchange import Deadline, Request, Response
from stores.vipps.session import VippsSession
from stores.vipps.tokens import TokenCache
from stores.vipps.types import Credentials, SystemHeaders

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ORDER = Order(reference="BGO-20261101-7741", currency="NOK", indexed_at=NOW, updated_at=NOW)
TOKEN = {"access_token": "token-1", "expires_in": "3600", "token_type": "Bearer"}


class Canned:
    """Vipps with one answer to every refund call, or one error of the wire; keeps what it was asked."""

    def __init__(self, answer: Response | VippsError) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        if request.operation == "token":
            return Response(status=200, headers={}, body=json.dumps(TOKEN).encode())
        deadline.check_may_write(request.operation)
        self.asked.append(request)
        if isinstance(self.answer, VippsError):
            raise self.answer
        return self.answer


def send(answer: Response | VippsError, *, before_minor: int = 0, send_before: float | None = None) -> tuple[Outcome, Canned]:
    canned = Canned(answer)
    session = VippsSession(
        base_url="https://vipps.invalid",
        msn="100002",
        credentials=Credentials(client_id="c", client_secret="s", subscription_key="k"),
        cache_key="test",
        transport=canned,
        tokens=TokenCache(),
        system=SystemHeaders(name="n", version="1", plugin_name="p", plugin_version="1"),
    )
    outcome = gateway.send_refund(
        session,
        ORDER,
        amount_minor=25_000,
        key="rh1-" + "0" * 36,
        refunded_before_minor=before_minor,
        send_before=time.monotonic() + 5 if send_before is None else send_before,
    )
    return outcome, canned


def problem(status: int, code: str | None = None, *, trace_id: str = "t-1", **headers: str) -> Response:
    body: dict[str, Any] = {"type": "about:blank", "title": "No", "status": status, "traceId": trace_id}
    if code is not None:
        body["extraDetails"] = [{"name": "ErrorCode", "reason": code}]
    return Response(status=status, headers=dict(headers), body=json.dumps(body).encode())


def modified(refunded: int, *, reference: str = ORDER.reference, currency: str = "NOK", amount: int = 100_000) -> Response:
    def money(value: int) -> dict[str, object]:
        return {"currency": currency, "value": value}

    body = {
        "reference": reference,
        "pspReference": "psp-1",
        "state": "AUTHORIZED",
        "amount": money(amount),
        "aggregate": {
            "authorizedAmount": money(100_000),
            "cancelledAmount": money(0),
            "capturedAmount": money(100_000),
            "refundedAmount": money(refunded),
        },
    }
    return Response(status=200, headers={}, body=json.dumps(body).encode())


# What comes back, what it means, and the move with nothing unresolved and with an earlier send unresolved.
_DOUBT = (states.T8_NO_ANSWER, states.T8_NO_ANSWER)
_SOFT = (states.T11_SOFT, states.T11_SOFT_UNRESOLVED)
_NO = (states.T10_REFUSED, states.T10_REFUSED_UNRESOLVED)
_DEFECT = (states.T10_DEFECT, states.T10_REFUSED_UNRESOLVED)
_CONFLICT = (states.T9_KEY_CONFLICT, states.T9_KEY_CONFLICT)
ANSWERS: list[tuple[str, Response | VippsError, Meaning, tuple[Move, Move]]] = [
    ("200 with a wrong body", Response(status=200, headers={}, body=b"{"), Meaning.UNSURE, _DOUBT),
    ("200 without a body", Response(status=200, headers={}, body=b""), Meaning.UNSURE, _DOUBT),
    ("a reset", Unsure("refund", detail="reset"), Meaning.UNSURE, _DOUBT),
    ("no token", TokenUnavailable("token"), Meaning.NOT_SENT, _SOFT),
    ("an error nobody has named", VippsError("refund"), Meaning.UNSURE, _DOUBT),
    *((f"{status}", problem(status), Meaning.UNSURE, _DOUBT) for status in (301, 302, 307, 308, 402, 418, 500, 502, 503, 504)),
    ("500 with a refusal's code", problem(500, "6150"), Meaning.UNSURE, _DOUBT),
    ("401", problem(401), Meaning.UNAUTHORIZED, _SOFT),
    ("403", problem(403), Meaning.MISCONFIGURED, _NO),
    ("404", problem(404), Meaning.MISCONFIGURED, _NO),
    ("404 5090", problem(404, "5090"), Meaning.MISCONFIGURED, _NO),
    ("400 5090", problem(400, "5090"), Meaning.MISCONFIGURED, _NO),
    ("400 5100", problem(400, "5100"), Meaning.MISCONFIGURED, _NO),
    ("409", problem(409), Meaning.CONFLICT, _CONFLICT),
    ("409 4150", problem(409, "4150"), Meaning.CONFLICT, _CONFLICT),
    ("400 4150", problem(400, "4150"), Meaning.CONFLICT, _CONFLICT),
    ("423", problem(423), Meaning.LOCKED, _SOFT),
    ("423 6160", problem(423, "6160"), Meaning.LOCKED, _SOFT),
    ("400 6160", problem(400, "6160"), Meaning.LOCKED, _SOFT),
    ("409 6160", problem(409, "6160"), Meaning.LOCKED, _SOFT),
    ("429", problem(429), Meaning.THROTTLED, _SOFT),
    *((f"400 {code}", problem(400, code), Meaning.REFUSED, _NO) for code in ("6150", "6180", "6210", "6220")),
    *((f"400 {code}", problem(400, code), Meaning.DEFECT, _DEFECT) for code in ("4010", "4020", "4040", "9999", None)),
]


@pytest.mark.parametrize(("answer", "meaning", "moves"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_each_answer_has_its_meaning_and_its_move(
    answer: Response | VippsError, meaning: Meaning, moves: tuple[Move, Move]
) -> None:
    outcome, _ = send(answer)
    assert outcome.meaning is meaning
    assert (CONSEQUENCES[meaning].resolved, CONSEQUENCES[meaning].unresolved) == moves


@pytest.mark.parametrize(
    ("answer", "before", "meaning"),
    [
        (modified(25_000), 0, Meaning.SUCCESS),
        (modified(40_000), 15_000, Meaning.SUCCESS),
        (modified(25_000, amount=25_000), 0, Meaning.SUCCESS),
        (modified(25_000, amount=1), 0, Meaning.SUCCESS),
        (modified(0), 0, Meaning.LAGGING),
        (modified(15_000), 15_000, Meaning.LAGGING),
        (modified(24_999), 0, Meaning.LAGGING),
        (modified(25_001), 0, Meaning.AHEAD),
        (modified(50_000), 0, Meaning.AHEAD),
        (modified(25_000, currency="DKK"), 0, Meaning.UNSURE),
        (modified(25_000, reference="BGO-20261101-9999"), 0, Meaning.UNSURE),
    ],
)
def test_a_200_is_success_only_if_the_sum_moved_by_exactly_our_amount(answer: Response, before: int, meaning: Meaning) -> None:
    outcome, _ = send(answer, before_minor=before)
    assert (outcome.meaning, outcome.status) == (meaning, 200)


def test_only_success_posts_money_and_only_refusals_release_it() -> None:
    assert set(CONSEQUENCES) == set(Meaning)
    posting = {meaning for meaning, found in CONSEQUENCES.items() if states.T7_SUCCESS in (found.resolved, found.unresolved)}
    assert posting == {Meaning.SUCCESS}
    releasing = {meaning for meaning, found in CONSEQUENCES.items() if found.resolved is states.T10_REFUSED}
    assert releasing == {Meaning.REFUSED, Meaning.MISCONFIGURED}


def test_with_an_earlier_send_unresolved_nothing_but_success_ends_a_refund() -> None:
    for meaning, consequence in CONSEQUENCES.items():
        if meaning is not Meaning.SUCCESS:
            assert consequence.unresolved.after == "unknown", meaning


def test_doubt_is_left_by_exactly_those_answers_that_may_hide_an_applied_refund() -> None:
    doubtful = {meaning for meaning, consequence in CONSEQUENCES.items() if consequence.leaves_doubt}
    assert doubtful == {Meaning.UNSURE, Meaning.LAGGING, Meaning.AHEAD, Meaning.CONFLICT}
    worn = {meaning for meaning, consequence in CONSEQUENCES.items() if consequence.counts_as_soft}
    assert worn == {Meaning.UNAUTHORIZED, Meaning.LOCKED, Meaning.THROTTLED}


def test_the_answers_facts_are_kept_and_a_long_trace_id_is_cut_to_what_the_columns_hold() -> None:
    outcome, _ = send(problem(429, trace_id="t" * 100, **{"retry-after": "40"}))
    assert (outcome.status, outcome.retry_after, outcome.trace_id) == (429, 40.0, "t" * 80)
    outcome, _ = send(problem(400, "6150"))
    assert (outcome.code, outcome.trace_id) == ("6150", "t-1")
    assert outcome.detail


def test_what_is_asked_is_our_amount_under_our_key_for_that_unit() -> None:
    _, canned = send(modified(25_000))
    [request] = canned.asked
    assert (request.method, request.path) == ("POST", "/epayment/v1/payments/BGO-20261101-7741/refund")
    assert json.loads(request.body or b"") == {"modificationAmount": {"currency": "NOK", "value": 25_000}}
    assert request.headers["Idempotency-Key"] == "rh1-" + "0" * 36
    assert request.headers["Merchant-Serial-Number"] == "100002"


def test_after_the_send_deadline_nothing_is_written() -> None:
    outcome, canned = send(modified(25_000), send_before=time.monotonic() - 0.001)
    assert outcome.meaning is Meaning.NOT_SENT
    assert canned.asked == []


def test_the_watchdog_sees_a_call_while_it_lasts_and_not_after() -> None:
    seen: list[int] = []

    class Watched(Canned):
        def send(self, request: Request, *, deadline: Deadline) -> Response:
            seen.append(len(gateway.calls_in_flight))
            return super().send(request, deadline=deadline)

    session = VippsSession(
        base_url="https://vipps.invalid",
        msn="100002",
        credentials=Credentials(client_id="c", client_secret="s", subscription_key="k"),
        cache_key="test",
        transport=Watched(Unsure("get")),
        tokens=TokenCache(),
        system=SystemHeaders(name="n", version="1", plugin_name="p", plugin_version="1"),
    )
    with pytest.raises(Unsure):
        gateway.read_payment(session, ORDER)
    assert seen == [1, 1]
    assert gateway.calls_in_flight == {}
