"""Reading an answer that is not a success: problem+json, the gateway's shapes, lists of texts, HTML, or nothing.

Source: Vipps knowledge base, ePayment API and eCom API, errors pages. Nothing here may fail: an odd body is an error without a
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
from stores.vipps.ecom_codes import ecom_error_class, ecom_meaning_of
from stores.vipps.errors import VippsError
from stores.vipps.exchange import Response

LONGEST_WAIT = 3600.0
_LONGEST_DETAIL = 300
_CODE = re.compile(r"\d{2,5}", re.ASCII)
_GROUP = re.compile(r"[A-Za-z]{1,14}", re.ASCII)
_LONGEST_CODE = 20
_TRACE = re.compile(r"[\w.:|-]{1,100}", re.ASCII)
_TEXT_MEMBERS = ("detail", "title", "message", "errorMessage", "error_description", "error", "responseMessage")
_NESTED_MEMBERS = ("result", "responseInfo", "ResponseInfo", "errorInfo", "errors")


def error_from(operation: str, response: Response, *, now: Callable[[], float]) -> VippsError:
    """The error that an answer other than 2xx stands for; `now` gives Unix time, for a Retry-After that is a date."""
    body = _lenient_json(response.body)
    kind, code, meaning = _judged(response.status, body)
    return kind(
        operation,
        status=response.status,
        code=code,
        trace_id=trace_id_of(response, body),
        detail=meaning or _detail(body),
        retry_after=_retry_after(response.headers, now),
    )


def _judged(status: int, body: Any) -> tuple[type[VippsError], str | None, str]:
    codes = _ecom_codes(body)
    if codes:
        return ecom_error_class(status, codes), codes[0], ecom_meaning_of(codes[0])
    code = _code(body)
    return error_class(status, code), code, meaning_of(code)


def trace_id_of(response: Response, body: Any = None) -> str | None:
    """What Vipps' support asks for; from the body, else from a header."""
    told = [body.get("traceId"), body.get("instance")] if isinstance(body, dict) else []
    if isinstance(body, list) and body and isinstance(body[0], dict):
        told = [body[0].get("contextId")]
    # `instance` is a path in the newer shape and a trace id in the older one; a path does not fit the pattern.
    for value in (*told, response.headers.get("traceparent"), response.headers.get("x-trace-id")):
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


def _ecom_codes(body: Any) -> list[str]:
    """As "Payment 71"; of a fault in the request the code is the name of a field, which is left to the text."""
    entries = body[:10] if isinstance(body, list) else []
    return [code for entry in entries if isinstance(entry, dict) and (code := _ecom_code(entry))]


def _ecom_code(entry: dict[str, Any]) -> str:
    group, number = entry.get("errorGroup"), str(entry.get("errorCode"))
    if not isinstance(group, str) or not _GROUP.fullmatch(group):
        return ""
    return f"{group} {number}"[:_LONGEST_CODE] if _CODE.fullmatch(number) else group


def _detail(body: Any) -> str:
    text = "; ".join((next(_texts(body, depth=3), ""), *_fields(body))).strip("; ")
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_DETAIL]).strip()


def _fields(body: Any) -> Iterator[str]:
    """What is said of single fields: in `extraDetails`, in `invalidParams` (older), or as codes of eCom's."""
    if isinstance(body, list):
        for entry in body[:10]:
            if isinstance(entry, dict) and entry.get("errorGroup") == "InvalidRequest":
                yield str(entry.get("errorCode"))
    for member in ("extraDetails", "invalidParams"):
        details = body.get(member) if isinstance(body, dict) else None
        for entry in details[:10] if isinstance(details, list) else []:
            if isinstance(entry, dict) and entry.get("name") != "ErrorCode":
                yield f"{entry.get('name')}: {entry.get('reason')}"


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
