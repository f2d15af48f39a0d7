"""Spoiled answers through the client and the hub's reading of them: never "refunded" without our key, amount and currency.

`python -m tests.faults.answers [--count N] [--seed N]`. Each answer is spoiled by seed and judged a second way; a refund
counted without cause, a refusal taken from anything but a 4xx, or an exception that is not the client's, ends with 1.
"""

import argparse
import json
import logging
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from refunds import deciding, gateway
from refunds.gateway import Meaning
from refunds.models import Refund
from stores.models import Order
from stores.vipps.errors import VippsError
from stores.vipps.exchange import Deadline, Request, Response
from stores.vipps.session import VippsSession
from stores.vipps.tokens import TokenCache
from stores.vipps.types import Credentials, SystemHeaders
from tests.faults.judging import says_refunded, shows_our_refund
from tests.faults.mutation import Spoiler

KEY = "rh1-" + "a1" * 18
OTHER_KEY = "rh1-" + "b2" * 18
LONG, SHORT = "bergen-2026-0001", "B-77"
AMOUNT, BEFORE = 2_500, 1_000
NOW = datetime(2026, 9, 16, 12, tzinfo=UTC)
# With its moments given, since their defaults are the database's.
REFUND = Refund(amount_minor=AMOUNT, currency="NOK", next_action_at=NOW, accepted_at=NOW, moved_at=NOW)
TOKEN = b'{"access_token":"t","expires_in":"3600","token_type":"Bearer"}'
RELEASING = (Meaning.REFUSED, Meaning.MISCONFIGURED)
VALUES: tuple[Any, ...] = (
    *(AMOUNT, BEFORE, AMOUNT + BEFORE, 0, -AMOUNT, 10**30, float(AMOUNT), 0.1, str(AMOUNT), True, False, None),
    *({}, [], "", "NOK", "nok", "DKK", "REFUNDED", "REFUND", "CAPTURED", KEY, OTHER_KEY, KEY.upper(), KEY + " "),
    *(LONG, SHORT, LONG.upper(), "é", "\ud800", "\x00", {"currency": "NOK", "value": AMOUNT}, [{}], "6150", "Payment", "71"),
)


def _money(value: int, currency: str = "NOK") -> dict[str, Any]:
    return {"currency": currency, "value": value}


def _answer(refunded: int) -> dict[str, Any]:
    sums = {"authorizedAmount": 10_000, "cancelledAmount": 0, "capturedAmount": 10_000, "refundedAmount": refunded}
    aggregate = {name: _money(value) for name, value in sums.items()}
    head = {"reference": LONG, "pspReference": "1000000001", "state": "AUTHORIZED"}
    return {"amount": _money(10_000), "aggregate": aggregate, **head}


def _ecom_answer(refunded: int) -> dict[str, Any]:
    sums = {"capturedAmount": 10_000, "refundedAmount": refunded, "remainingAmountToCapture": 0, "remainingAmountToRefund": 0}
    told = {"amount": AMOUNT, "status": "Refund", "transactionId": "5001000009", "transactionText": "Refusjon"}
    return {"orderId": SHORT, "transaction": told, "transactionSummary": sums}


def _event(name: str, value: int, number: int, key: str | None, *, success: bool = True) -> dict[str, Any]:
    return {
        "reference": LONG,
        "pspReference": str(1_000_000_000 + number),
        "name": name,
        "amount": _money(value),
        "timestamp": "2026-09-16T12:00:00.1234567Z",
        "idempotencyKey": key,
        "success": success,
    }


def _events(*, key: str | None, value: int = AMOUNT, success: bool = True) -> list[dict[str, Any]]:
    sold = [_event(name, 10_000, number, None) for number, name in enumerate(("CREATED", "AUTHORIZED", "CAPTURED"))]
    return [*sold, _event("REFUNDED", BEFORE, 3, OTHER_KEY), _event("REFUNDED", value, 4, key, success=success)]


def _details(*, key: str, value: int = AMOUNT, success: bool = True) -> dict[str, Any]:
    rows = [("REFUND", value, key, success), ("REFUND", BEFORE, OTHER_KEY, True), ("SALE", 10_000, "", True)]
    log = [
        {
            "operation": operation,
            "amount": amount,
            "requestId": request_id,
            "operationSuccess": is_done,
            "timeStamp": "2026-09-16T12:00:00.246Z",
            "transactionId": str(5_001_000_000 + number),
            "transactionText": "Refusjon",
        }
        for number, (operation, amount, request_id, is_done) in enumerate(rows)
    ]
    return {"orderId": SHORT, "transactionLogHistory": log, "transactionSummary": _ecom_answer(BEFORE)["transactionSummary"]}


def _problem(code: str) -> dict[str, Any]:
    return {"title": "No", "status": 400, "traceId": "t-1", "extraDetails": [{"name": "ErrorCode", "reason": code}]}


def _ecom_problem(group: str, code: str) -> list[dict[str, str]]:
    return [{"errorGroup": group, "errorCode": code, "errorMessage": "No", "contextId": "c-1"}]


# What is asked (a refund or the log), whether of eCom, and a whole answer to start from.
WHOLE: list[tuple[bool, bool, int, Any]] = [
    *((True, False, 200, _answer(sum_minor)) for sum_minor in (AMOUNT + BEFORE, AMOUNT + BEFORE, BEFORE, AMOUNT, 10_000)),
    *((True, True, 200, _ecom_answer(sum_minor)) for sum_minor in (AMOUNT + BEFORE, AMOUNT + BEFORE, BEFORE, 10_000)),
    *((True, False, 400, _problem(code)) for code in ("6150", "6160", "4150", "5090", "3010")),
    *((True, True, 400, _ecom_problem(group, code)) for group, code in (("Payment", "71"), ("VippsError", "94"))),
    (True, True, 401, {"responseInfo": {"responseCode": 401, "responseMessage": "No"}, "result": {"message": "No"}}),
    *((False, False, 200, _events(key=key)) for key in (KEY, KEY, OTHER_KEY, None)),
    (False, False, 200, _events(key=KEY, success=False)),
    (False, False, 200, _events(key=KEY, value=AMOUNT + 1)),
    *((False, True, 200, _details(key=key)) for key in (KEY, KEY, OTHER_KEY, "")),
    (False, True, 200, _details(key=KEY, success=False)),
    (False, True, 200, _details(key=KEY, value=AMOUNT - 1)),
]


class _OneAnswer:
    """Vipps with whatever answer is put in; tokens are always to be had."""

    answer = Response(status=200, headers={}, body=b"")

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        return Response(status=200, headers={}, body=TOKEN) if request.operation == "token" else self.answer


@dataclass(kw_only=True)
class Tally:
    """What the answers were taken for; `wrong` holds the first of those that were taken wrongly."""

    meanings: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run(*, count: int, seed: int) -> Tally:
    """Spoil and judge `count` answers."""
    dice = random.Random(seed)
    spoiler = Spoiler(dice=dice, values=VALUES)
    vipps = _OneAnswer()
    session = VippsSession(
        base_url="https://vipps.invalid",
        msn="100001",
        credentials=Credentials(client_id="c", client_secret="s", subscription_key="k"),
        cache_key="faults",
        transport=vipps,
        tokens=TokenCache(),
        system=SystemHeaders(name="n", version="1", plugin_name="p", plugin_version="1"),
    )
    tally = Tally()
    for number in range(count):
        is_refund, is_ecom, status, body = dice.choice(WHOLE)
        vipps.answer = spoiler.spoiled(status, body)
        judge = _judge_refund if is_refund else _judge_log
        try:
            meaning, is_right = judge(session, vipps.answer, is_ecom=is_ecom)
        except Exception as error:  # whatever it is, it is the finding
            meaning, is_right = f"crash: {type(error).__name__}", False
        tally.meanings[meaning] += 1
        if not is_right and len(tally.wrong) < 20:
            tally.wrong.append(f"#{number} {meaning}: HTTP {vipps.answer.status} {vipps.answer.body[:1000]!r}")
    return tally


def _order(*, is_ecom: bool) -> Order:
    return Order(reference=SHORT if is_ecom else LONG, currency="NOK", indexed_at=NOW, updated_at=NOW)


def _judge_refund(session: VippsSession, answer: Response, *, is_ecom: bool) -> tuple[str, bool]:
    order = _order(is_ecom=is_ecom)
    outcome = gateway.send_refund(
        session,
        order,
        amount_minor=AMOUNT,
        key=KEY,
        refunded_before_minor=BEFORE,
        send_before=time.monotonic() + 5,
    )
    is_right = len(outcome.code) <= 20 and len(outcome.trace_id) <= 80
    if outcome.meaning is Meaning.SUCCESS:
        is_right &= says_refunded(answer, reference=order.reference, sum_minor=AMOUNT + BEFORE, is_ecom=is_ecom)
    if outcome.meaning in RELEASING:
        is_right &= 400 <= answer.status < 500
    return outcome.meaning.value, is_right


def _judge_log(session: VippsSession, answer: Response, *, is_ecom: bool) -> tuple[str, bool]:
    order = _order(is_ecom=is_ecom)
    try:
        events = gateway.read_events(session, order)
    except VippsError:
        return "log: not read", True
    ours = [event for event in events if event.name == "REFUNDED" and event.idempotency_key == KEY and event.success]
    if not any(deciding.is_exactly(event, amount_minor=REFUND.amount_minor, currency=REFUND.currency) for event in ours):
        return "log: no evidence", True
    is_there = shows_our_refund(answer, reference=order.reference, key=KEY, amount_minor=AMOUNT, is_ecom=is_ecom)
    return "log: refunded", is_there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.INFO)
    started = time.monotonic()
    tally = run(count=given.count, seed=given.seed)
    told = {
        "answers": given.count,
        "seed": given.seed,
        "seconds": round(time.monotonic() - started, 1),
        "taken_for": dict(tally.meanings.most_common()),
        "wrong": tally.wrong,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
