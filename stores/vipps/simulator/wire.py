"""A call as it came in and the reply that goes out, independent of the server that carries them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

UTF8_JSON = "application/json;charset=UTF-8"


class ConnectionDropped(ConnectionAbortedError):
    """Raised to an in-process caller where a real one would see the connection end without an answer."""


class AnswerTooLate(TimeoutError):
    """Raised to an in-process caller that would have stopped waiting by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One HTTP request. Header names are in lower case; `query` holds the last value of each name."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    is_local: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What to do with the connection: wait `delay` seconds, then answer, or drop it.

    With `then` the real reply is only made after the delay, which is how a request lingers before it is applied.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    then: Callable[[], Reply] | None = None
    is_dropped: bool = False
    is_dripped: bool = False
    # What the gateway in front of the APIs says; in which shape is a switch.
    gateway_message: str | None = None


def json_reply(value: Any, *, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value, separators=(",", ":")).encode())
