"""Our refund and Vipps: what we ask, and our words for what comes back.

Every answer has one meaning, and the table says which (Vipps: ePayment API and eCom API, errors pages). Nothing here
decides, and which of the two APIs reaches a payment is `payments`' to know.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import get_ident

from refunds.states import (
    T7_SUCCESS,
    T8_NO_ANSWER,
    T9_KEY_CONFLICT,
    T10_DEFECT,
    T10_REFUSED,
    T10_REFUSED_UNRESOLVED,
    T11_SOFT,
    T11_SOFT_UNRESOLVED,
    Move,
)
from stores import clock
from stores.models import Order
from stores.vipps import payments
from stores.vipps.errors import (
    KeyConflict,
    Locked,
    Misconfigured,
    NotSent,
    OurDefect,
    Refused,
    Throttled,
    Unauthorized,
    Unsure,
    VippsError,
)
from stores.vipps.session import VippsSession
from stores.vipps.types import Amount, Event, Modification, Payment


class Meaning(StrEnum):
    """What an answer to a refund call means to us."""

    SUCCESS = "success"
    LAGGING = "lagging"
    AHEAD = "ahead"
    UNSURE = "unsure"
    NOT_SENT = "not_sent"
    UNAUTHORIZED = "unauthorized"
    CONFLICT = "conflict"
    LOCKED = "locked"
    THROTTLED = "throttled"
    REFUSED = "refused"
    MISCONFIGURED = "misconfigured"
    DEFECT = "defect"


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """The move a meaning leads to, and the one where an earlier send of this key is still unresolved.

    `leaves_doubt`: whether this send itself may have been applied. `counts_as_soft`: whether it wears the key out.
    """

    resolved: Move
    unresolved: Move
    leaves_doubt: bool = False
    counts_as_soft: bool = False
    verdict: str = ""


_DOUBT = Consequence(resolved=T8_NO_ANSWER, unresolved=T8_NO_ANSWER, leaves_doubt=True)
_SOFT = Consequence(resolved=T11_SOFT, unresolved=T11_SOFT_UNRESOLVED, counts_as_soft=True)
_NO = Consequence(resolved=T10_REFUSED, unresolved=T10_REFUSED_UNRESOLVED, verdict="reject")

CONSEQUENCES: Mapping[Meaning, Consequence] = {
    Meaning.SUCCESS: Consequence(resolved=T7_SUCCESS, unresolved=T7_SUCCESS),
    Meaning.LAGGING: _DOUBT,
    Meaning.AHEAD: _DOUBT,
    Meaning.UNSURE: _DOUBT,
    Meaning.NOT_SENT: Consequence(resolved=T11_SOFT, unresolved=T11_SOFT_UNRESOLVED),
    Meaning.UNAUTHORIZED: _SOFT,
    Meaning.LOCKED: _SOFT,
    Meaning.THROTTLED: _SOFT,
    Meaning.CONFLICT: Consequence(
        resolved=T9_KEY_CONFLICT, unresolved=T9_KEY_CONFLICT, leaves_doubt=True, verdict="conflict"
    ),
    Meaning.REFUSED: _NO,
    Meaning.MISCONFIGURED: _NO,
    Meaning.DEFECT: Consequence(resolved=T10_DEFECT, unresolved=T10_REFUSED_UNRESOLVED, verdict="reject"),
}
"""What each meaning leads to: the whole of the protocol's table of answers."""

_LONGEST_TRACE = 80
"""As much of Vipps' trace id as the columns hold: an answer must never be lost because its trace id is long."""

_MEANING_OF_ERROR: tuple[tuple[type[VippsError], Meaning], ...] = (
    (NotSent, Meaning.NOT_SENT),
    (Unsure, Meaning.UNSURE),
    (Unauthorized, Meaning.UNAUTHORIZED),
    (Misconfigured, Meaning.MISCONFIGURED),
    (KeyConflict, Meaning.CONFLICT),
    (Locked, Meaning.LOCKED),
    (Throttled, Meaning.THROTTLED),
    (Refused, Meaning.REFUSED),
    (OurDefect, Meaning.DEFECT),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One answer in our words and Vipps'. `retry_after` in seconds, `took_ms` milliseconds."""

    meaning: Meaning
    status: int | None = None
    code: str = ""
    trace_id: str = ""
    detail: str = ""
    retry_after: float | None = None
    took_ms: int = 0


calls_in_flight: dict[int, float] = {}
"""Thread id to the monotonic second its call began: what the worker's watchdog watches."""


@contextmanager
def _watched() -> Iterator[None]:
    calls_in_flight[get_ident()] = clock.monotonic()
    try:
        yield
    finally:
        calls_in_flight.pop(get_ident(), None)


def read_payment(session: VippsSession, order: Order) -> Payment:
    """The payment as Vipps has it now. Raises VippsError."""
    with _watched():
        return payments.read_payment(session, order.reference)


def read_events(session: VippsSession, order: Order) -> list[Event]:
    """The payment's event log, oldest first. Raises VippsError."""
    with _watched():
        return payments.read_events(session, order.reference)


def send_refund(
    session: VippsSession,
    order: Order,
    *,
    amount_minor: int,
    key: str,
    refunded_before_minor: int,
    send_before: float,
) -> Outcome:
    """Call refund once; every way it can go is an Outcome. `send_before` is monotonic: later than that, nothing is sent."""
    amount, expected_minor = Amount(currency=order.currency, value=amount_minor), refunded_before_minor + amount_minor
    return _outcome_of_call(
        lambda: payments.refund(session, order.reference, amount, key=key, send_before=send_before),
        lambda answer: _meaning_of_answer(answer, order, expected_minor),
    )


def send_release(
    session: VippsSession, order: Order, *, authorized_minor: int, key: str, send_before: float
) -> Outcome:
    """Call cancel once, as `send_refund` calls refund; `authorized_minor` is what was read to be reserved, none of it taken."""
    authorized = Amount(currency=order.currency, value=authorized_minor)
    return _outcome_of_call(
        lambda: payments.release(session, order.reference, authorized, key=key, send_before=send_before),
        lambda answer: _meaning_of_release(answer, order, authorized_minor),
    )


def _outcome_of_call(call: Callable[[], Modification], meaning: Callable[[Modification], Meaning]) -> Outcome:
    started = clock.monotonic()
    try:
        with _watched():
            answer = call()
    except VippsError as error:
        return outcome_of(error, took_ms=_milliseconds_since(started))
    return Outcome(
        meaning=meaning(answer),
        status=answer.status,
        trace_id=trace_of(answer),
        took_ms=_milliseconds_since(started),
    )


def outcome_of(error: VippsError, *, took_ms: int = 0) -> Outcome:
    """An error of the client in our words."""
    return Outcome(
        meaning=meaning_of(error),
        status=error.status,
        code=error.code or "",
        trace_id=trace_of(error),
        detail=error.detail,
        retry_after=error.retry_after,
        took_ms=took_ms,
    )


def meaning_of(error: VippsError) -> Meaning:
    """Our word for an error of the client; a class nobody has named yet leaves doubt."""
    return next((meaning for kind, meaning in _MEANING_OF_ERROR if isinstance(error, kind)), Meaning.UNSURE)


def trace_of(answer: VippsError | Modification) -> str:
    """Vipps' trace id, as much of it as is kept."""
    return (answer.trace_id or "")[:_LONGEST_TRACE]


def _meaning_of_answer(answer: Modification, order: Order, expected_minor: int) -> Meaning:
    """A 200 is success only if the sum moved by exactly our amount; `amount` may be the original payment's, so is ignored."""
    if answer.reference != order.reference or answer.aggregate.currency != order.currency:
        return Meaning.UNSURE
    if answer.aggregate.refunded == expected_minor:
        return Meaning.SUCCESS
    return Meaning.AHEAD if answer.aggregate.refunded > expected_minor else Meaning.LAGGING


def _meaning_of_release(answer: Modification, order: Order, authorized_minor: int) -> Meaning:
    """A 200 is success only if all that was reserved is let go and nothing was captured on the way."""
    if answer.reference != order.reference or answer.aggregate.currency != order.currency:
        return Meaning.UNSURE
    if answer.aggregate.captured > 0:
        return Meaning.AHEAD
    return Meaning.SUCCESS if answer.aggregate.cancelled == authorized_minor else Meaning.LAGGING


def _milliseconds_since(started: float) -> int:
    return int((clock.monotonic() - started) * 1000)
