"""What Vipps' event log allows two people to say about a refund in review: pure, no database, no clock, no call."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from refunds.models import Ending
from stores.vipps.types import Event

REFUNDED = "REFUNDED"
"""Vipps' name of the event."""


class Contradiction(StrEnum):
    """Why Vipps' log does not allow an end. No note and no pair of people overrides it."""

    SHOWS_OURS = "log_shows_our_refund"
    SHOWS_NONE = "log_shows_no_refund"
    IS_BEHIND = "log_is_behind"
    TOO_EARLY = "call_may_still_arrive"
    SHOWS_RELEASE = "vipps_shows_release"
    SHOWS_NO_RELEASE = "vipps_shows_no_release"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reading of Vipps about one refund, and what the hub knows beside it. Amounts in minor units.

    `refunded_minor` is the payment's own sum. `our_keys` are all that the refund may ever have sent. `counted` are Vipps'
    references of refunds that the order's ledger attributes already. `first_sent_at`: None if nothing was ever sent.
    `unresolved_since`: when the last call went out whose outcome nobody knows. `seen_at`: when the log was read.
    """

    amount_minor: int
    currency: str
    refunded_minor: int
    events: tuple[Event, ...]
    our_keys: frozenset[str]
    counted: frozenset[str]
    first_sent_at: datetime | None
    unresolved_since: datetime | None
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Found:
    """The money that is this refund's, if it was refunded: how much Vipps shows, and by which of its references.

    `signed` are the events under our keys; where there is none, `claimed` is the unsigned one that people take for ours.
    """

    shown_minor: int
    signed: tuple[str, ...] = ()
    claimed: str = ""


def standing(events: Iterable[Event]) -> list[Event]:
    """The refunds of a log, oldest first, that moved money and were not taken back: a failure takes back the last
    success under its own key."""
    stand: list[Event] = []
    for event in events:
        if event.name != REFUNDED:
            continue
        if event.success:
            stand.append(event)
            continue
        same_key = [other for other in stand if event.idempotency_key and other.idempotency_key == event.idempotency_key]
        if same_key:
            stand.remove(same_key[-1])
    return stand


def signed(events: Iterable[Event], keys: Collection[str]) -> list[Event]:
    """What stands in the log under one of those keys, whatever its amount."""
    return [event for event in standing(events) if event.idempotency_key in keys]


def plainly_ours(events: Iterable[Event], *, keys: Collection[str], amount_minor: int, currency: str) -> Event | None:
    """The one success under a refund's keys, with exactly its amount: nobody need look any further."""
    found = signed(events, keys)
    if len(found) != 1 or (found[0].amount.value, found[0].amount.currency) != (amount_minor, currency):
        return None
    return found[0]


def unsigned(evidence: Evidence) -> list[Event]:
    """Refunds without any key that may be ours: exactly our amount, after our first call, and nobody's so far."""
    return [
        event
        for event in standing(evidence.events)
        if event.idempotency_key is None
        and (event.amount.value, event.amount.currency) == (evidence.amount_minor, evidence.currency)
        and event.psp_reference not in evidence.counted
        and evidence.first_sent_at is not None
        and event.timestamp >= evidence.first_sent_at
    ]


def contradiction(ends_as: Ending, evidence: Evidence, *, quiet_time: timedelta) -> Contradiction | None:
    """Why the refund may not end so; None: the log allows it, and two people may.

    An unsigned refund of our amount allows both: whether it is ours or the portal's, only people can find out.
    """
    if ends_as == Ending.REFUNDED:
        return None if signed(evidence.events, evidence.our_keys) or unsigned(evidence) else Contradiction.SHOWS_NONE
    if signed(evidence.events, evidence.our_keys):
        return Contradiction.SHOWS_OURS
    if evidence.unresolved_since is not None and evidence.seen_at < evidence.unresolved_since + quiet_time:
        return Contradiction.TOO_EARLY
    shown_minor = sum(event.amount.value for event in evidence.events if event.name == REFUNDED and event.success)
    return Contradiction.IS_BEHIND if evidence.refunded_minor > shown_minor else None


def found(evidence: Evidence) -> Found:
    """What is counted when the refund ends as refunded; the log must allow that."""
    ours = signed(evidence.events, evidence.our_keys)
    if not ours:
        return Found(shown_minor=evidence.amount_minor, claimed=unsigned(evidence)[0].psp_reference)
    references = tuple(event.psp_reference for event in ours)
    is_comparable = all(event.amount.currency == evidence.currency for event in ours)
    shown_minor = sum(event.amount.value for event in ours) if is_comparable else evidence.amount_minor
    return Found(shown_minor=shown_minor, signed=references)
