"""The way in that the APIs beside the payments share: counting, faults, and the shape in which they say no."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from stores.vipps.simulator.faults import KEEPS_FROM_APPLYING, FaultBook, FaultKind
from stores.vipps.simulator.problems import problem, trace_id
from stores.vipps.simulator.spoiling import hinder, spoil_reply
from stores.vipps.simulator.wire import Call, Reply, json_reply

# These say no in application/json, the others in application/problem+json.
_PLAIN_JSON = frozenset({"orders", "qr"})


class SideDoor:
    def __init__(self, *, faults: FaultBook, calls: Counter[str]) -> None:
        self._faults = faults
        self._calls = calls

    def answer(self, call: Call, make: Callable[[], Reply], *, api: str, operation: str, reference: str | None = None) -> Reply:
        """What `make` says, unless a fault is armed for this operation."""
        self._calls[operation] += 1
        number = self._calls[operation]
        fault = self._faults.take(operation, api=api, msn=call.headers.get("merchant-serial-number"), reference=reference)
        if fault is not None and fault.kind is FaultKind.DELAY_BEFORE:
            return Reply(delay=30.0 if fault.seconds is None else fault.seconds, then=make)
        if fault is not None and fault.kind in KEEPS_FROM_APPLYING:
            reply = hinder(fault, path=call.path, number=number)
            return _reports_own(number) if api == "report" and reply.status == 500 else reply
        if fault is not None and fault.kind is FaultKind.REFUSE:
            reply = problem(fault.status or 400, path=call.path, number=number, code=fault.code)
            return replace(reply, content_type="application/json") if api in _PLAIN_JSON else reply
        return spoil_reply(make(), fault, path=call.path, number=number)


def _reports_own(number: int) -> Reply:
    """The Report API's 500 has a shape of its own."""
    return json_reply({"errorCode": 500, "errorMessage": "Internal error.", "contextId": trace_id(number)}, status=500)


def refusal(
    status: int,
    detail: str,
    *,
    path: str,
    fields: tuple[tuple[str, str], ...] = (),
    content_type: str = "application/problem+json",
) -> Reply:
    """The problem of Order Management, QR, Report and Management: no ErrorCode, the wrong fields by name."""
    body = {
        "type": f"https://httpstatuses.io/{status}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": path,
    }
    if fields:
        told = [{"name": name, "reason": reason} for name, reason in fields]
        body = {**body, "invalidParams": told}
    return Reply(status=status, body=json.dumps(body).encode(), content_type=content_type)
