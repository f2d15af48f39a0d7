"""Reading HTTP/1.1 requests from a stream of bytes, as far as an API needs it (RFC 9112).

Bodies by Content-Length or chunked; what is ambiguous is refused rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from stores.vipps.simulator.wire import Call

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024

_METHOD = re.compile(r"[A-Z]{1,20}", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)


class BadRequest(Exception):
    """The stream cannot be understood any further; `status` is the answer before closing."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    method: str
    target: str
    headers: dict[str, str]
    keeps_open: bool
    body_length: int | None

    @property
    def is_chunked(self) -> bool:
        return self.body_length is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A whole request, and whether the connection stays open after its answer."""

    call: Call
    keeps_open: bool


class RequestReader:
    """One per connection: `feed` bytes, take whole requests from `arrivals`."""

    def __init__(self, *, is_local: bool) -> None:
        self._is_local = is_local
        self._buffer = bytearray()
        self._head: Head | None = None
        self._chunks = bytearray()
        self.wants_continue = False

    def feed(self, content: bytes) -> None:
        self._buffer += content

    def arrivals(self) -> Iterator[Arrival]:
        """Raises BadRequest; after that the connection is of no more use."""
        while True:
            if self._head is None:
                self._head = self._take_head()
                if self._head is None:
                    return
                self.wants_continue = self._head.headers.get("expect", "").lower() == "100-continue"
            head = self._head
            body = self._take_chunks() if head.is_chunked else self._take_body(head.body_length or 0)
            if body is None:
                return
            self._head = None
            self.wants_continue = False
            yield Arrival(call=self._call(head, body), keeps_open=head.keeps_open)

    def _take_head(self) -> Head | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or end > MAX_HEAD:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest(431)
            return None
        text = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 4]
        return _read_head(text)

    def _take_body(self, length: int) -> bytes | None:
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _take_chunks(self) -> bytes | None:
        while (end := self._buffer.find(b"\r\n")) >= 0:
            size = _read_hex(bytes(self._buffer[:end]).partition(b";")[0].strip())
            if len(self._chunks) + size > MAX_BODY:
                raise BadRequest(413)
            # The chunk (or, after the last one, no trailer at all) and the line break behind it.
            if len(self._buffer) < end + 2 + size + 2:
                return None
            chunk = bytes(self._buffer[end + 2 : end + 2 + size])
            if self._buffer[end + 2 + size : end + 4 + size] != b"\r\n":
                raise BadRequest(400)
            del self._buffer[: end + 4 + size]
            if size == 0:
                body, self._chunks = bytes(self._chunks), bytearray()
                return body
            self._chunks += chunk
        if len(self._buffer) > MAX_HEAD:
            raise BadRequest(400)
        return None

    def _call(self, head: Head, body: bytes) -> Call:
        target = urlsplit(head.target)
        return Call(
            method=head.method,
            path=unquote(target.path),
            query=dict(parse_qsl(target.query)),
            headers=head.headers,
            body=body,
            is_local=self._is_local,
        )


def _read_head(text: str) -> Head:
    first, *lines = text.split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not _METHOD.fullmatch(parts[0]) or not parts[1].startswith("/"):
        raise BadRequest(400)
    if parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(505)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise BadRequest(400)
        name = name.lower()
        if name in headers and name in ("content-length", "transfer-encoding", "authorization"):
            raise BadRequest(400)
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    asked = headers.get("connection", "").lower()
    return Head(
        method=parts[0],
        target=parts[1],
        headers=headers,
        keeps_open=asked == "keep-alive" if parts[2] == "HTTP/1.0" else "close" not in asked,
        body_length=_body_length(headers),
    )


def _body_length(headers: dict[str, str]) -> int | None:
    length = headers.get("content-length")
    if "transfer-encoding" in headers:
        if length is not None or headers["transfer-encoding"].lower() != "chunked":
            raise BadRequest(400)
        return None
    if length is None:
        return 0
    if not length.isascii() or not length.isdecimal():
        raise BadRequest(400)
    if int(length[:12]) > MAX_BODY:
        raise BadRequest(413)
    return int(length)


def _read_hex(text: bytes) -> int:
    if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", text):
        raise BadRequest(400)
    return int(text, 16)
