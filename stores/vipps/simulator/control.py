"""The control API under /_simulator/: fill it, break it, move its clock, and read what really happened.

JSON in and out; writing needs `Content-Type: application/json`, so that no web page can do it behind one's back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from stores.vipps.simulator.clock import iso
from stores.vipps.simulator.faults import Fault, FaultKind
from stores.vipps.simulator.ledger import event_views, payment_view
from stores.vipps.simulator.page import page
from stores.vipps.simulator.seeding import BadSeed, add_payments, put_merchants
from stores.vipps.simulator.simulator import Simulator
from stores.vipps.simulator.wire import Call, Reply, json_reply

ROOT = "/_simulator"
_LONGEST_MOVE = 10 * 366 * 86_400
_FAULT_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("operation", "api", "msn", "reference", "code", "retry_after"), (str,)),
    **dict.fromkeys(("times", "skip", "status"), (int,)),
    **dict.fromkeys(("probability", "seconds"), (int, float)),
}
_FAULT_FIELDS = frozenset(field.name for field in fields(Fault))


class Control:
    """Answers /_simulator/ itself and passes everything else on; callers elsewhere only if `is_open`."""

    def __init__(self, simulator: Simulator, *, is_open: bool = False) -> None:
        self._simulator = simulator
        self._is_open = is_open
        self._doors: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("PUT", "merchants"): lambda told: put_merchants(simulator, told),
            ("POST", "payments"): lambda told: add_payments(simulator, told),
            ("POST", "faults"): self._arm,
            ("POST", "clock"): self._move_clock,
            ("PUT", "switches"): self._switch,
            ("POST", "portal-refund"): lambda told: self._portal(simulator.portal_refund, told),
            ("POST", "portal-capture"): lambda told: self._portal(simulator.portal_capture, told),
            ("POST", "portal-cancel"): self._portal_cancel,
            ("POST", "dispute"): self._dispute,
            ("POST", "customer"): self._customer,
            ("POST", "pay-out"): lambda told: {"paid_minor": simulator.pay_out(str(_required(told, "msn")))},
            ("POST", "deactivate"): self._deactivate,
        }

    def answer(self, call: Call) -> Reply:
        if call.path != ROOT and not call.path.startswith(f"{ROOT}/"):
            return self._simulator.answer(call)
        if not (call.is_local or self._is_open):
            return _refusal(403, "the control API only answers on this machine")
        parts = call.path.removeprefix(ROOT).strip("/").split("/")
        try:
            if call.method == "GET":
                return self._show(parts, call)
            if call.method == "DELETE" and parts[0] == "faults":
                self._simulator.disarm(parts[1] if len(parts) > 1 else None)
                return json_reply({})
            door = self._doors.get((call.method, "/".join(parts)))
            if door is None:
                return _refusal(404, "there is no such place")
            return json_reply(door(_read(call)))
        except KeyError as error:
            return _refusal(404, f"not found: {error}")
        except (BadSeed, ValueError, TypeError) as error:
            return _refusal(400, str(error))

    def _show(self, parts: list[str], call: Call) -> Reply:
        if parts == [""]:
            return Reply(body=page(self._simulator).encode(), content_type="text/html; charset=utf-8")
        if parts == ["health"]:
            return json_reply({"ok": True})
        if parts == ["state"]:
            return json_reply(self._state())
        if parts == ["faults"]:
            return json_reply({"faults": self._armed(), "fired": self._simulator.faults.fired})
        if parts == ["switches"]:
            return json_reply(self._simulator.switches.as_json())
        if parts == ["limits"]:
            return json_reply({"windows": [asdict(view) for view in self._simulator.rate_windows()]})
        if parts == ["webhooks"]:
            return json_reply(self._webhooks())
        if parts == ["log"]:
            return json_reply({"entries": self._log(call)})
        if len(parts) == 3 and parts[0] == "payments":
            payment = self._simulator.payment(parts[1], parts[2])
            view = payment_view(payment, payment.events)
            events = event_views(payment, payment.events)
            return json_reply({"msn": payment.msn, "api": payment.api, **view, "events": events})
        return _refusal(404, "there is no such place")

    def _state(self) -> dict[str, Any]:
        simulator = self._simulator
        return {
            "now": iso(simulator.now.timestamp()),
            "sales_units": sorted(simulator.merchants.units),
            "partners": sorted(simulator.merchants.partners),
            "accountants": sorted(simulator.merchants.accountants),
            "payments": len(simulator.ledger.payments),
            "modifications": len(simulator.log()),
            "calls": dict(simulator.calls),
            "faults": self._armed(),
            "fired": simulator.faults.fired,
        }

    def _armed(self) -> list[dict[str, Any]]:
        return [
            {"id": entry.id, "seen": entry.seen, "hits": entry.fired, **asdict(entry.fault)}
            for entry in self._simulator.faults.armed.values()
        ]

    def _log(self, call: Call) -> list[dict[str, Any]]:
        applied = call.query.get("applied")
        entries = self._simulator.log(
            reference=call.query.get("reference"),
            msn=call.query.get("msn"),
            operation=call.query.get("operation"),
            applied=None if applied is None else applied == "true",
        )
        limit = int(call.query.get("limit", "0"))
        return [entry.as_json() for entry in entries[-limit:]]

    def _arm(self, told: dict[str, Any]) -> dict[str, Any]:
        rules = told.get("faults", [told])
        faults = [_fault(rule) for rule in rules]
        return {"ids": [self._simulator.arm(fault) for fault in faults]}

    def _move_clock(self, told: dict[str, Any]) -> dict[str, Any]:
        seconds = float(_required(told, "move_seconds"))
        if not abs(seconds) <= _LONGEST_MOVE:
            raise BadSeed("the clock moves by at most ten years at a time")
        now = self._simulator.move_clock(timedelta(seconds=seconds))
        return {"now": iso(now.timestamp())}

    def _switch(self, told: dict[str, Any]) -> dict[str, Any]:
        self._simulator.change_switches(**told)
        return self._simulator.switches.as_json()

    def _webhooks(self) -> dict[str, Any]:
        """Without the secrets, which only their owners were shown."""
        registered = [
            {"id": each.id, "url": each.url, "events": each.events, "owner": asdict(each.owner)}
            for each in self._simulator.registrations
        ]
        return {"registrations": registered, "notices": [asdict(notice) for notice in self._simulator.notices()]}

    def _dispute(self, told: dict[str, Any]) -> dict[str, Any]:
        is_won = told.get("is_won", False) is True
        self._portal(lambda *which: self._simulator.dispute(*which, is_won=is_won), told)
        return {}

    def _customer(self, told: dict[str, Any]) -> dict[str, Any]:
        does = _required(told, "does")
        if does not in ("approve", "abort"):
            raise BadSeed("does is approve or abort")
        self._simulator.customer(str(_required(told, "msn")), str(_required(told, "reference")), does)
        return {}

    def _portal_cancel(self, told: dict[str, Any]) -> dict[str, Any]:
        self._simulator.portal_cancel(_required(told, "msn"), _required(told, "reference"))
        return {}

    def _deactivate(self, told: dict[str, Any]) -> dict[str, Any]:
        self._simulator.deactivate(str(_required(told, "msn")))
        return {}

    def _portal(self, act: Callable[[str, str, int], None], told: dict[str, Any]) -> dict[str, Any]:
        act(_required(told, "msn"), _required(told, "reference"), _required(told, "amount_minor"))
        return {}


def _required(told: dict[str, Any], name: str) -> Any:
    if name not in told:
        raise BadSeed(f"{name} is missing")
    return told[name]


def _fault(told: dict[str, Any]) -> Fault:
    unknown = set(told) - _FAULT_FIELDS
    if unknown:
        raise BadSeed(f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(_FAULT_FIELDS))}")
    if told.get("kind") not in list(FaultKind):
        raise BadSeed(f"kind is one of {', '.join(FaultKind)}")
    for name, types in _FAULT_TYPES.items():
        value = told.get(name)
        if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            raise BadSeed(f"{name} is of the wrong type")
    return Fault(**{**told, "kind": FaultKind(told["kind"])})


def _read(call: Call) -> dict[str, Any]:
    if not call.headers.get("content-type", "").lower().startswith("application/json"):
        raise BadSeed("Content-Type must be application/json")
    told = json.loads(call.body)
    if not isinstance(told, dict):
        raise BadSeed("the body must be an object")
    return told


def _refusal(status: int, why: str) -> Reply:
    return json_reply({"error": why}, status=status)
