"""The signature on Vipps' notices: how it is made, and whether one is right (Vipps: Webhooks API, request authentication)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

WINDOW = timedelta(minutes=5)
"""How far the signed date may lie from the moment of receipt. Vipps names no limit; this one ends replays."""

_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4}"
    r" [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
_AUTHORIZATION = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="


class Verdict(StrEnum):
    """What a signature proves."""

    GENUINE = "genuine"
    CHANGED = "changed"
    FORGED = "forged"
    STALE = "stale"


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A body as it came, with the three headers that sign it: x-ms-date, x-ms-content-sha256 and Authorization."""

    body: bytes = field(repr=False)
    date: str
    content_hash: str
    authorization: str = field(repr=False)


def sign(secret: str, *, body: bytes, date: str, host: str, path_and_query: str) -> Signed:
    """Sign as Vipps does. The key is the secret's text as UTF-8, not what it may decode to; lines end in LF."""
    content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = f"POST\n{path_and_query}\n{date};{host};{content_hash}"
    mac = hmac.new(secret.encode(), text.encode("utf-8", "backslashreplace"), hashlib.sha256).digest()
    signature = base64.b64encode(mac).decode()
    return Signed(body=body, date=date, content_hash=content_hash, authorization=f"{_AUTHORIZATION}{signature}")


def verify(secret: str, signed: Signed, *, host: str, path_and_query: str, received_at: datetime) -> Verdict:
    """Whether this secret's owner sent exactly this body to exactly this address, within `WINDOW` of `received_at`.

    `host` and `path_and_query` are those of the registered URL, never those of the request. Nothing of the body is
    parsed; every comparison takes the same time.
    """
    right = sign(secret, body=signed.body, date=signed.date, host=host, path_and_query=path_and_query)
    is_whole = _is_same(right.content_hash, signed.content_hash)
    is_theirs = _is_same(right.authorization, signed.authorization)
    if not is_whole:
        return Verdict.CHANGED
    if not is_theirs:
        return Verdict.FORGED
    return Verdict.GENUINE if _is_near(signed.date, received_at) else Verdict.STALE


def _is_same(right: str, given: str) -> bool:
    return hmac.compare_digest(right.encode(), given.encode("utf-8", "backslashreplace"))


def _is_near(date: str, received_at: datetime) -> bool:
    if not _DATE.fullmatch(date):
        return False
    try:
        sent_at = parsedate_to_datetime(date)
    except ValueError:  # such as 31 February
        return False
    return abs(received_at - sent_at) <= WINDOW
