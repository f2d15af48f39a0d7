"""One request out, one answer back: what a transport is given, what it returns, and its limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stores.vipps.errors import NotSent

CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 25.0
MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A call to make. `base_url` and `path` stay apart so that no path can move the call to another host."""

    operation: str
    method: str
    base_url: str
    path: str
    # Kept out of the repr: they carry the token and the keys.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What came back, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """Two moments on `clock`: when the whole call must be over, and after which nothing may be written any more."""

    ends_at: float
    send_before: float | None = None
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(
        cls,
        seconds: float = TOTAL_SECONDS,
        *,
        send_before: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Deadline:
        return cls(ends_at=clock() + seconds, send_before=send_before, clock=clock)

    @property
    def remaining(self) -> float:
        return self.ends_at - self.clock()

    def without_send_limit(self) -> Deadline:
        """The same end, for a call of which it does not matter when it is written (fetching a token)."""
        return Deadline(ends_at=self.ends_at, clock=self.clock)

    def check_may_write(self, operation: str) -> None:
        """Raises NotSent. To be called directly before the first byte is written."""
        now = self.clock()
        if self.send_before is not None and now >= self.send_before:
            raise NotSent(operation, detail="the moment to send it had passed")
        if now >= self.ends_at:
            raise NotSent(operation, detail="the time for the call was over before anything was sent")


class Transport(Protocol):
    """Sends one request and returns its answer, whatever the status.

    Raises NotSent if it can prove that nothing was written, and Unsure for everything else that is not an answer.
    """

    def send(self, request: Request, *, deadline: Deadline) -> Response: ...
