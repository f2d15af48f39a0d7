"""The lies of a fault in eCom's shapes: sums that are a krone too high, a log without request ids."""

from __future__ import annotations

from typing import Any

from stores.vipps.simulator.faults import Fault, FaultKind
from stores.vipps.simulator.spoiling import WRONG_BY


def spoil_view(view: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
    """eCom names no currency, so a wrong one cannot be told here."""
    if fault is None:
        return view
    if fault.kind is FaultKind.WRONG_AMOUNT:
        return _with_wrong_amount(view)
    if fault.kind is FaultKind.NULL_KEYS and "transactionLogHistory" in view:
        return {**view, "transactionLogHistory": [{**entry, "requestId": ""} for entry in view["transactionLogHistory"]]}
    return view


def _with_wrong_amount(view: dict[str, Any]) -> dict[str, Any]:
    spoiled = dict(view)
    if "transactionSummary" in view:
        sums = view["transactionSummary"]
        spoiled["transactionSummary"] = {**sums, "refundedAmount": sums["refundedAmount"] + WRONG_BY}
    for name in ("transaction", "transactionInfo"):
        if name in view:
            spoiled[name] = {**view[name], "amount": view[name]["amount"] + WRONG_BY}
    if view.get("transactionLogHistory"):
        newest, *older = view["transactionLogHistory"]
        spoiled["transactionLogHistory"] = [{**newest, "amount": newest["amount"] + WRONG_BY}, *older]
    return spoiled
