"""A short id goes to eCom: the same meanings from its answers, the same key, the evidence in its log."""

import json
import time
from datetime import UTC, datetime

import pytest

from refunds import gateway
from refunds.gateway import CONSEQUENCES, Meaning
from stores.models import Order
from stores.vipps.errors import TokenUnavailable, Unsure, VippsError
from stores.vipps.exchange import Deadline, Request, Response
from stores.vipps.session import VippsSession
from stores.vipps.tokens import TokenCache
from stores.vipps.types import Credentials, SystemHeaders
from tests.stores.vipps.canned import CAPTURED, SHORT, SOLD, details, ecom_error, entry, refunded, summary, told
from tests.stores.vipps.world import token_answer

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = "rh1-" + "0" * 36


class Canned:
    """Vipps with one answer to every call, or one error of the wire; keeps what it was asked."""

    def __init__(self, answer: Response | VippsError) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        if request.operation == "token":
            return token_answer()
        deadline.check_may_write(request.operation)
        self.asked.append(request)
        if isinstance(self.answer, VippsError):
            raise self.answer
        return self.answer


def session(canned: Canned) -> VippsSession:
    return VippsSession(
        base_url="https://vipps.invalid",
        msn="100002",
        credentials=Credentials(client_id="c", client_secret="s", subscription_key="k"),
        cache_key="test",
        transport=canned,
        tokens=TokenCache(),
        system=SystemHeaders(name="n", version="1", plugin_name="p", plugin_version="1"),
    )


def order(currency: str = "NOK") -> Order:
    return Order(reference=SHORT, currency=currency, indexed_at=NOW, updated_at=NOW)


def send(
    answer: Response | VippsError, *, before_minor: int = 0, currency: str = "NOK", seconds: float = 5.0
) -> tuple[gateway.Outcome, Canned]:
    canned = Canned(answer)
    outcome = gateway.send_refund(
        session(canned),
        order(currency),
        amount_minor=2_500,
        key=KEY,
        refunded_before_minor=before_minor,
        send_before=time.monotonic() + seconds,
    )
    return outcome, canned


def no(group: str, code: str, status: int = 400) -> Response:
    return told(ecom_error(group, code), status)


ANSWERS: list[tuple[str, Response | VippsError, Meaning]] = [
    ("71 above captured", no("Payment", "71"), Meaning.REFUSED),
    ("72 only reserved", no("Payment", "72"), Meaning.REFUSED),
    ("73 cancelled", no("Payment", "73"), Meaning.REFUSED),
    ("74 no money to debit", no("Payment", "74"), Meaning.REFUSED),
    ("95 too late", no("Payment", "95"), Meaning.REFUSED),
    ("402 71", no("Payment", "71", 402), Meaning.REFUSED),
    ("35 another unit's", no("Merchant", "35"), Meaning.MISCONFIGURED),
    ("37 unit inactive", no("Merchant", "37"), Meaning.MISCONFIGURED),
    ("93 other content", no("VippsError", "93"), Meaning.CONFLICT),
    ("93 other amount", no("Payment", "93"), Meaning.CONFLICT),
    ("94 locked", no("VippsError", "94"), Meaning.LOCKED),
    ("98 too many", no("VippsError", "98"), Meaning.THROTTLED),
    ("92 already done", no("VippsError", "92"), Meaning.UNSURE),
    ("99 internal", no("VippsError", "99"), Meaning.UNSURE),
    ("a field", no("InvalidRequest", "transaction.amount"), Meaning.DEFECT),
    ("unknown code", no("Payment", "777"), Meaning.DEFECT),
    ("unknown code in a 402", no("Payment", "777", 402), Meaning.UNSURE),
    ("71 in a 500", no("Payment", "71", 500), Meaning.UNSURE),
    ("71 in a 200", no("Payment", "71", 200), Meaning.UNSURE),
    ("no body", Response(status=200, headers={}, body=b""), Meaning.UNSURE),
    ("no sums", told(refunded(None)), Meaning.UNSURE),
    ("another order", told(refunded(summary(refunded=2_500), order_id="B-78")), Meaning.UNSURE),
    ("a reset", Unsure("ecom_refund", detail="reset"), Meaning.UNSURE),
    ("no token", TokenUnavailable("token"), Meaning.NOT_SENT),
    ("the gateway's 401", told({"statusCode": 401, "message": "Access denied"}, 401), Meaning.UNAUTHORIZED),
    ("the gateway's 429", told({"statusCode": 429, "message": "Rate limit"}, 429), Meaning.THROTTLED),
    ("the gateway's 422", told({"statusCode": 422, "message": "?"}, 422), Meaning.UNSURE),
]


@pytest.mark.parametrize(("answer", "meaning"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_each_answer_has_its_meaning(answer: Response | VippsError, meaning: Meaning) -> None:
    outcome, _ = send(answer)
    assert outcome.meaning is meaning
    assert len(outcome.code) <= 20


@pytest.mark.parametrize(
    ("sums", "before", "meaning"),
    [
        (summary(refunded=2_500), 0, Meaning.SUCCESS),
        (summary(refunded=4_000), 1_500, Meaning.SUCCESS),
        (summary(refunded=0), 0, Meaning.LAGGING),
        (summary(refunded=2_499), 0, Meaning.LAGGING),
        (summary(refunded=2_501), 0, Meaning.AHEAD),
        (summary(refunded=5_000), 0, Meaning.AHEAD),
    ],
)
def test_a_200_is_success_only_if_the_sum_moved_by_exactly_our_amount(
    sums: dict[str, int], before: int, meaning: Meaning
) -> None:
    outcome, _ = send(told(refunded(sums)), before_minor=before)
    assert (outcome.meaning, outcome.status) == (meaning, 200)


def test_what_is_asked_is_our_amount_under_our_key_for_that_unit() -> None:
    _, canned = send(told(refunded(summary(refunded=2_500))))
    [request] = canned.asked
    assert (request.method, request.path) == ("POST", f"/ecomm/v2/payments/{SHORT}/refund")
    assert json.loads(request.body or b"") == {
        "merchantInfo": {"merchantSerialNumber": "100002"},
        "transaction": {"amount": 2_500, "transactionText": "Refusjon"},
    }
    assert request.headers["X-Request-Id"] == KEY
    assert request.headers["Merchant-Serial-Number"] == "100002"


def test_another_currency_is_our_defect_and_nothing_is_sent() -> None:
    outcome, canned = send(told(refunded(summary(refunded=2_500))), currency="DKK")
    assert outcome.meaning is Meaning.DEFECT
    assert canned.asked == []


def test_after_the_send_deadline_nothing_is_written() -> None:
    outcome, canned = send(told(refunded(summary(refunded=2_500))), seconds=-0.001)
    assert outcome.meaning is Meaning.NOT_SENT
    assert canned.asked == []


def test_the_evidence_is_our_key_in_the_log() -> None:
    log = [
        entry("REFUND", 2_500, 5, request_id=KEY),
        entry("REFUND", 2_500, 4, success=False, request_id=KEY),
        *CAPTURED,
    ]
    canned = Canned(told(details(log, summary(refunded=2_500))))
    failed, done = (event for event in gateway.read_events(session(canned), order()) if event.idempotency_key == KEY)
    assert (failed.name, failed.success, done.name, done.success) == ("REFUNDED", False, "REFUNDED", True)
    assert (done.amount.value, done.amount.currency) == (2_500, "NOK")


def test_a_direct_capture_can_be_refunded() -> None:
    canned = Canned(told(details(SOLD, summary())))
    assert gateway.read_payment(session(canned), order()).aggregate.refundable == 10_000


def test_no_meaning_of_ecoms_is_without_a_consequence() -> None:
    assert {row[2] for row in ANSWERS} <= set(CONSEQUENCES)
