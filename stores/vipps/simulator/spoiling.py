"""How a fault changes an answer that was properly made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stores.vipps.simulator.faults import Fault, FaultKind
from stores.vipps.simulator.problems import gateway, problem
from stores.vipps.simulator.wire import Reply

WRONG_BY = 100
HUGE_BYTES = 2 * 1024 * 1024
_LONG_DELAY = 30.0


def hinder(fault: Fault, *, path: str, number: int) -> Reply:
    """The answer of a call that this fault keeps from being applied (delays aside)."""
    if fault.kind is FaultKind.DROP_BEFORE:
        return Reply(is_dropped=True)
    if fault.kind is FaultKind.THROTTLE:
        waits = (("Retry-After", fault.retry_after),) if fault.retry_after else ()
        return gateway(429, "Rate limit is exceeded. Try again later.", headers=waits)
    if fault.kind is FaultKind.LOCK:
        return problem(fault.status or 423, path=path, number=number, code="6160")
    if fault.kind is FaultKind.UNAUTHORIZED:
        return gateway(401, "Unauthorized. Access token is missing or invalid.")
    if fault.kind is FaultKind.FORBIDDEN:
        return gateway(403, "Merchant not allowed for ecommerce payment")
    if fault.kind is FaultKind.REDIRECT:
        elsewhere = (("Location", f"https://elsewhere.invalid{path}"),)
        return Reply(status=fault.status or 308, headers=elsewhere, content_type="text/html")
    return problem(fault.status or 503, path=path, number=number)


def spoil_view(view: Any, fault: Fault | None) -> Any:
    """The answer's content with the fault's lie in it; the original stays as it is."""
    if fault is None:
        return view
    if fault.kind is FaultKind.WRONG_CURRENCY:
        return _in_other_currency(view)
    if fault.kind is FaultKind.WRONG_AMOUNT:
        return _with_wrong_amount(view)
    if fault.kind is FaultKind.NULL_KEYS and isinstance(view, list):
        return [{**event, "idempotencyKey": None} for event in view]
    return view


def spoil_reply(reply: Reply, fault: Fault | None, *, path: str, number: int) -> Reply:
    if fault is None:
        return reply
    if fault.kind is FaultKind.DROP_AFTER:
        return Reply(is_dropped=True)
    if fault.kind is FaultKind.DELAY:
        return replace(reply, delay=_LONG_DELAY if fault.seconds is None else fault.seconds)
    if fault.kind is FaultKind.ERROR_AFTER:
        return problem(fault.status or 500, path=path, number=number)
    if fault.kind is FaultKind.MALFORMED:
        return replace(reply, body=reply.body[: len(reply.body) // 2])
    if fault.kind is FaultKind.HUGE:
        return replace(reply, body=reply.body.ljust(HUGE_BYTES))
    if fault.kind is FaultKind.SLOW:
        return replace(reply, is_dripped=True)
    return reply


def shown_status(status: int, fault: Fault | None) -> int | None:
    """What the caller gets to see of `status`; None if the answer is lost."""
    if fault is not None and fault.kind is FaultKind.DROP_AFTER:
        return None
    if fault is not None and fault.kind is FaultKind.ERROR_AFTER:
        return fault.status or 500
    return status


def _in_other_currency(view: Any) -> Any:
    if isinstance(view, list):
        return [_in_other_currency(entry) for entry in view]
    if isinstance(view, dict):
        changed = {name: _in_other_currency(value) for name, value in view.items()}
        if "currency" in changed:
            changed["currency"] = "SEK" if changed["currency"] != "SEK" else "NOK"
        return changed
    return view


def _with_wrong_amount(view: Any) -> Any:
    if isinstance(view, list):
        return [*view[:-1], {**view[-1], "amount": _more(view[-1]["amount"])}] if view else view
    sums = view.get("aggregate")
    if not isinstance(sums, dict):
        return view
    return {
        **view,
        "amount": _more(view["amount"]),
        "aggregate": {**sums, "refundedAmount": _more(sums["refundedAmount"])},
    }


def _more(amount: dict[str, Any]) -> dict[str, Any]:
    return {**amount, "value": amount["value"] + WRONG_BY}
