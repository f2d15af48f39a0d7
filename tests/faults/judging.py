"""What an answer really says about our refund, read another way than the client reads it, to judge the client by."""

import json
from typing import Any

from stores.vipps.exchange import Response


class _Members:
    """An object with all its members, also those given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


_NOTHING = object()


def _get(node: Any, *path: str) -> Any:
    """What stands there, if it is there exactly once all the way."""
    for name in path:
        if not isinstance(node, _Members):
            return _NOTHING
        found = [value for key, value in node.pairs if key == name]
        if len(found) != 1:
            return _NOTHING
        node = found[0]
    return node


def _tree(answer: Response) -> Any:
    try:
        return json.loads(answer.body.decode("utf-8"), object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return _NOTHING


def _is(value: Any, wanted: object) -> bool:
    return type(value) is type(wanted) and value == wanted


def says_refunded(answer: Response, *, reference: str, sum_minor: int, is_ecom: bool) -> bool:
    """Whether a refund's answer says, without a doubt, that the order's sum is now `sum_minor` kroner-øre."""
    tree = _tree(answer)
    if not 200 <= answer.status < 300:
        return False
    if is_ecom:
        told = _get(tree, "transactionSummary", "refundedAmount")
        return _is(_get(tree, "orderId"), reference) and _is(told, sum_minor)
    refunded = _get(tree, "aggregate", "refundedAmount")
    return (
        _is(_get(tree, "reference"), reference)
        and _is(_get(refunded, "value"), sum_minor)
        and _is(_get(refunded, "currency"), "NOK")
    )


def shows_our_refund(answer: Response, *, reference: str, key: str, amount_minor: int, is_ecom: bool) -> bool:
    """Whether a log has an entry with exactly our key, amount and currency that succeeded."""
    tree = _tree(answer)
    if not 200 <= answer.status < 300:
        return False
    if is_ecom:
        entries = _get(tree, "transactionLogHistory")
        is_theirs = _is(_get(tree, "orderId"), reference)
        wanted = {"operation": "REFUND", "requestId": key, "amount": amount_minor, "operationSuccess": True}
    else:
        entries, is_theirs = tree, True
        wanted = {"name": "REFUNDED", "idempotencyKey": key, "reference": reference, "success": True}
    return is_theirs and any(
        all(_is(_get(entry, name), value) for name, value in wanted.items())
        and (is_ecom or (_is(_get(entry, "amount", "value"), amount_minor) and _is(_get(entry, "amount", "currency"), "NOK")))
        for entry in (entries if isinstance(entries, list) else [])
    )
