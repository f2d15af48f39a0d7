"""Strict reading of what Vipps answers: what is not exactly understood is not guessed.

Unknown extra members are ignored, since the API grows. A member given twice, a boolean or a decimal for an integer,
a missing member: each raises `Unreadable`, which callers turn into "unsure".
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

from stores.vipps.types import Aggregate, Amount, Event

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_LARGEST = 2**53
_LONGEST_TEXT = 2000
LONGEST_ADDRESS = 8000
"""Addresses that customers are sent to hold whole tokens."""


class Unreadable(ValueError):
    """The answer is not what the API promises."""


def read_json(body: bytes) -> Any:
    """The JSON value in `body`. Raises Unreadable, also for duplicate members, NaN and nesting without end."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse_constant)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None


def read_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable("not an object")
    return value


def read_text(members: dict[str, Any], name: str, *, longest: int = _LONGEST_TEXT) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise Unreadable(f"{name} is not a text")
    return value


def read_amount(members: dict[str, Any], name: str) -> Amount:
    amount = read_object(members.get(name))
    value = amount.get("value")
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise Unreadable(f"{name} is not an amount in minor units")
    currency = amount.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise Unreadable(f"{name} has no currency")
    return Amount(currency=currency, value=value)


def read_aggregate(members: dict[str, Any]) -> Aggregate:
    sums = read_object(members.get("aggregate"))
    authorized, cancelled, captured, refunded = (
        read_amount(sums, name) for name in ("authorizedAmount", "cancelledAmount", "capturedAmount", "refundedAmount")
    )
    if len({authorized.currency, cancelled.currency, captured.currency, refunded.currency}) != 1:
        raise Unreadable("aggregate mixes currencies")
    return Aggregate(
        authorized=authorized.value,
        cancelled=cancelled.value,
        captured=captured.value,
        refunded=refunded.value,
        currency=authorized.currency,
    )


def read_metadata(members: dict[str, Any]) -> dict[str, str]:
    metadata = members.get("metadata")
    if metadata is None:
        return {}
    pairs = read_object(metadata)
    return {key: value for key, value in pairs.items() if isinstance(value, str)}


def read_event(value: object) -> Event:
    members = read_object(value)
    key = members.get("idempotencyKey")
    if key is not None and not isinstance(key, str):
        raise Unreadable("idempotencyKey is not a text")
    success = members.get("success")
    if not isinstance(success, bool):
        raise Unreadable("success is not a boolean")
    return Event(
        reference=read_text(members, "reference"),
        psp_reference=read_text(members, "pspReference"),
        name=read_text(members, "name"),
        amount=read_amount(members, "amount"),
        timestamp=read_moment(read_text(members, "timestamp")),
        idempotency_key=key,
        success=success,
    )


def read_moment(text: str) -> datetime:
    """An aware moment in UTC. Vipps writes 0, 3 or 7 fraction digits; what is finer than a microsecond is cut off."""
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        raise Unreadable("not a moment in time")
    day, time, fraction, offset = parts.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}.{(fraction or '0')[:6]:0<6}{(offset or 'Z').upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("not a moment in time") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("a member is given twice")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise Unreadable("not a JSON number")
