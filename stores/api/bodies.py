"""The bytes of a request: all of them, within bounds, inflated where the caller has compressed them."""

import zlib
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from stores import clock
from stores.api.problems import LengthMissing, TooLarge, WrongMediaType
from stores.errors import Invalid

_GZIP_ONLY = 16 + zlib.MAX_WBITS
_MOST_MEMBERS = 100
"""Each costs a copy of all that comes after it, and an empty one has twenty bytes."""
_PLAIN = ("", "identity")
_CHUNK = 64 * 1024
_MOST_DROPPED = 64 * 1024 * 1024
_SECONDS_DROPPING = 10.0


def read_body(
    stream: IO[Any] | None,
    media_type: str | None,
    context: Mapping[str, Any] | None,
    *,
    most: int,
    may_be_compressed: bool = False,
) -> bytes:
    """At most `most` bytes, on the wire and inflated. `stream`, `media_type` and `context` as REST framework gives them.

    Raises TooLarge before a compressed body has grown beyond that, WrongMediaType, and Invalid for a body that was cut
    off on its way or is not gzip.
    """
    _check_charset(media_type or "")
    request: Request | None = context.get("request") if context else None
    encoding = request.headers.get("Content-Encoding", "").strip().lower() if request is not None else ""
    if encoding not in _PLAIN and not (may_be_compressed and encoding == "gzip"):
        how = _("Bodies are sent plain or as gzip.") if may_be_compressed else _("Bodies are sent without content encoding.")
        raise WrongMediaType(how)
    if stream is None:
        return b""
    announced = int(request.META.get("CONTENT_LENGTH") or 0) if request is not None else 0
    if announced > most:
        _hear_out(request)
        raise _too_large(most)
    body = stream.read(most + 1)
    if len(body) > most:
        raise _too_large(most)
    if len(body) < announced:
        sentence = _("The body was cut off on its way: send it again.")
        raise Invalid(sentence, code="incomplete_body", announced_bytes=announced, received_bytes=len(body))
    return body if encoding in _PLAIN else _inflated(body, most)


def check_length(request: Request) -> None:
    """Raises LengthMissing: REST framework reads nothing without a length, and "empty" would be the wrong reproach."""
    if not request.META.get("CONTENT_LENGTH") and request.META.get("HTTP_TRANSFER_ENCODING"):
        _hear_out(request)
        raise LengthMissing(_("Send the body with its Content-Length, not in chunks."))


def _hear_out(request: Request | None) -> None:
    """Drop what a caller is still sending: a server that answers and closes before is heard by many clients as a broken line.

    Bounded in bytes and in time; whoever sends more is cut off. Only where the server tells the end of a body.
    """
    if request is None or not request.META.get("wsgi.input_terminated"):
        return
    stream, until = request.META["wsgi.input"], clock.monotonic() + _SECONDS_DROPPING
    left = _MOST_DROPPED
    while left > 0 and clock.monotonic() < until and (chunk := stream.read(_CHUNK)):
        left -= len(chunk)


def _check_charset(media_type: str) -> None:
    for parameter in media_type.split(";")[1:]:
        name, _equals, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in ("utf-8", "utf8"):
            raise WrongMediaType(_("JSON is sent in UTF-8."))


def _inflated(body: bytes, most: int) -> bytes:
    """Several gzip members one after the other are one body (RFC 1952, 2.2)."""
    inflated, members = b"", 0
    try:
        while body:
            members += 1
            if members > _MOST_MEMBERS:
                raise Invalid(_("The compressed body has too many parts: compress it as one."), code="malformed_gzip")
            member = zlib.decompressobj(_GZIP_ONLY)
            inflated += member.decompress(body, most + 1 - len(inflated))
            if len(inflated) > most:
                raise _too_large(most)
            if not member.eof:
                raise Invalid(_("The compressed body ends in the middle: it was cut off."), code="truncated_gzip")
            body = member.unused_data
    except zlib.error:
        raise Invalid(_("The body is not gzip."), code="malformed_gzip") from None
    return inflated


def _too_large(most: int) -> TooLarge:
    return TooLarge(_("The body is too large: send it in parts."), largest_bytes=most)
