"""What can go wrong when Vipps is asked, split by what the caller can do about it.

VippsError
├── NotSent             nothing of this call was written: the same call may be made again at any time
│   └── TokenUnavailable    not even a token was to be had; the call itself never began
├── Unsure              it may have been applied: read the event log before deciding anything
├── Unauthorized        the keys or the token were refused: not applied
├── Misconfigured       sales unit, agreement or reference do not fit these keys: not applied, HQ must act
├── KeyConflict         our idempotency key (or reference) is known with other content: read, then decide
├── Locked              another operation holds the payment: same call, same key, later
├── Throttled           too many calls: not applied; same call, same key, after `retry_after`
├── Refused             a business rule says no: not applied, final for this key
└── OurDefect           we sent what Vipps cannot take: not applied as far as Vipps says, developers must look
"""

from __future__ import annotations


class VippsError(Exception):
    """The base of all. `detail` is for people in HQ; it never holds a header, a key or a request body."""

    def __init__(
        self,
        operation: str,
        *,
        status: int | None = None,
        code: str | None = None,
        trace_id: str | None = None,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(operation, status, code, trace_id)
        self.operation = operation
        self.status = status
        self.code = code
        self.trace_id = trace_id
        self.detail = detail
        self.retry_after = retry_after

    def __str__(self) -> str:
        facts = [f"HTTP {self.status}" if self.status is not None else "no answer"]
        if self.code:
            facts.append(f"code {self.code}")
        if self.trace_id:
            facts.append(f"trace {self.trace_id}")
        told = f": {self.detail}" if self.detail else ""
        return f"{type(self).__name__} in {self.operation} ({', '.join(facts)}){told}"


class NotSent(VippsError):
    """Proved: not one byte of the request was written."""


class TokenUnavailable(NotSent):
    """No access token could be fetched, for another reason than refused keys."""


class Unsure(VippsError):
    """Timeout, reset, 5xx, an unreadable or unknown answer: the operation may have happened."""


class Unauthorized(VippsError):
    """401, or the token endpoint refused the keys."""


class Misconfigured(VippsError):
    """403, 404, or a code that speaks of the sales unit's set-up."""


class KeyConflict(VippsError):
    """409: this idempotency key or reference was used before with other content."""


class Locked(VippsError):
    """423 or code 6160: busy with another operation."""


class Throttled(VippsError):
    """429."""


class Refused(VippsError):
    """400 with a business code."""


class OurDefect(VippsError):
    """400 that speaks of the request itself, or with no code that we know."""
