"""Reading an answer that is not a success: problem+json, the gateway's shapes, lists of texts, HTML, or nothing.

Source: Vipps knowledge base and ePayment API, errors pages. Nothing here may fail: an odd body is an error without a
code. Texts are only for people; decisions are made on status and ErrorCode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from stores.vipps.codes import error_class, meaning_of
from stores.vipps.errors import VippsError
from stores.vipps.exchange import Response

LONGEST_WAIT = 3600.0
_LONGEST_DETAIL = 300
_CODE = re.compile(r"\d{2,5}", re.ASCII)
_TRACE = re.compile(r"[\w.:|-]{1,100}", re.ASCII)
_TEXT_MEMBERS = ("detail", "title", "message", "errorMessage", "error_description", "error", "responseMessage")
_NESTED_MEMBERS = ("result", "responseInfo", "ResponseInfo", "errorInfo", "errors")


def error_from(operation: str, response: Response, *, now: Callable[[], float]) -> VippsError:
    """The error that an answer other than 2xx stands for; `now` gives Unix time, for a Retry-After that is a date."""
    body = _lenient_json(response.body)
    code = _code(body)
    return error_class(response.status, code)(
        operation,
        status=response.status,
        code=code,
        trace_id=trace_id_of(response, body),
        detail=meaning_of(code) or _detail(body),
        retry_after=_retry_after(response.headers, now),
    )


def trace_id_of(response: Response, body: Any = None) -> str | None:
    """What Vipps' support asks for; from the body, else from a header."""
    told = body.get("traceId") if isinstance(body, dict) else None
    for value in (told, response.headers.get("traceparent"), response.headers.get("x-trace-id")):
        if isinstance(value, str) and _TRACE.fullmatch(value):
            return value
    return None


def _lenient_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _code(body: Any) -> str | None:
    if not isinstance(body, dict):
        return None
    details = body.get("extraDetails")
    for entry in details if isinstance(details, list) else []:
        if isinstance(entry, dict) and entry.get("name") == "ErrorCode":
            # Documented as a text, but a number would mean the same.
            reason = str(entry.get("reason"))
            if _CODE.fullmatch(reason):
                return reason
    return None


def _detail(body: Any) -> str:
    text = next(_texts(body, depth=3), "")
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_DETAIL]).strip()


def _texts(body: Any, *, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(body, str) and body:
        yield body
    elif isinstance(body, list):
        for entry in body[:10]:
            yield from _texts(entry, depth=depth - 1)
    elif isinstance(body, dict):
        for name in (*_TEXT_MEMBERS, *_NESTED_MEMBERS):
            if name in body:
                yield from _texts(body[name], depth=depth - 1)


def _retry_after(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    """Seconds, never below 0 and never above `LONGEST_WAIT` (RFC 9110, section 10.2.3: seconds or a date)."""
    told = headers.get("retry-after", "").strip()
    if not told:
        return None
    if told.isascii() and told.isdecimal():
        return min(float(told[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now()
    return min(max(seconds, 0.0), LONGEST_WAIT)
