"""Do the hub's ledger, Vipps' event log, Vipps' sum and the settlement agree about an order? Facts in, differences out.

Pure: no database, no clock, no call. What is young may still be on its way from one book to another, so it is not judged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from refunds.deciding import was_undone
from refunds.models import DifferenceKind
from stores.models import EntryType
from stores.vipps.types import Event

YOUNG = timedelta(hours=1)
"""How long the books of Vipps and the hub may differ without meaning anything: sums and logs come late."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """One line of the settlement besides captures; `amount_minor` signed as there, refunds negative."""

    entry_type: str
    psp_reference: str
    amount_minor: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Sides:
    """All that is compared of one order, minor units.

    `hub_minor` is what the hub counts as refunded, by anybody. `booked_keys` are the keys of refunds that it holds to have
    succeeded. `is_moving`: a refund is on its way, or was booked just now. `settled_until` is None where the settlement is
    not read.
    """

    hub_minor: int
    booked_keys: frozenset[str]
    is_moving: bool
    events: tuple[Event, ...]
    payment_minor: int
    captured_minor: int
    settled: tuple[Settled, ...]
    settled_until: datetime | None
    now: datetime

    @property
    def refunds(self) -> list[Event]:
        """The refunds of the event log, those that failed too, oldest first."""
        return [event for event in self.events if event.name == "REFUNDED"]

    @property
    def standing(self) -> list[Event]:
        """The refunds that succeeded and were not taken back."""
        return [event for event in self.refunds if event.success and not _is_taken_back(event, self.refunds)]

    @property
    def events_minor(self) -> int:
        """What the event log says has been refunded."""
        return sum(event.amount.value for event in self.standing)

    @property
    def taken_back(self) -> list[Event]:
        """Refunds that the hub holds to have succeeded and Vipps shows as failed later."""
        undone = [event for event in self.refunds if event.success and _is_taken_back(event, self.refunds)]
        return [event for event in undone if event.idempotency_key in self.booked_keys]

    @property
    def is_young(self) -> bool:
        """Whether something happened so lately that the books may lawfully differ."""
        return self.is_moving or any(event.timestamp > self.now - YOUNG for event in self.refunds)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One difference; a side that was not compared is None."""

    kind: DifferenceKind
    hub_minor: int | None = None
    events_minor: int | None = None
    payment_minor: int | None = None
    settled_minor: int | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`judged` are the kinds that could be told at all: only those may be closed as gone. `look_again`: too young."""

    found: tuple[Found, ...]
    judged: frozenset[DifferenceKind]
    look_again: bool


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    found: Found | None = None
    is_judged: bool = True


def judge(sides: Sides) -> Judgement:
    """Every kind of difference, found, absent, or not to be told yet."""
    verdicts = {kind: rule(sides) for kind, rule in _RULES.items()}
    return Judgement(
        found=tuple(verdict.found for verdict in verdicts.values() if verdict.found is not None),
        judged=frozenset(kind for kind, verdict in verdicts.items() if verdict.is_judged),
        look_again=any(not verdicts[kind].is_judged for kind in (DifferenceKind.EVENT_LOG, DifferenceKind.PAYMENT_SUM)),
    )


def _event_log(sides: Sides) -> _Verdict:
    """I12: what Vipps refunded is what the hub posted, adopted or cannot place. A refund taken back has a row of its own."""
    explained = sum(event.amount.value for event in sides.taken_back)
    if sides.hub_minor - explained == sides.events_minor:
        return _Verdict()
    if sides.is_young:
        return _Verdict(is_judged=False)
    return _Verdict(
        found=Found(
            kind=DifferenceKind.EVENT_LOG,
            hub_minor=sides.hub_minor,
            events_minor=sides.events_minor,
            payment_minor=sides.payment_minor,
        )
    )


def _payment_sum(sides: Sides) -> _Verdict:
    if sides.payment_minor == sides.events_minor:
        return _Verdict()
    if sides.is_young:
        return _Verdict(is_judged=False)
    return _Verdict(
        found=Found(
            kind=DifferenceKind.PAYMENT_SUM, events_minor=sides.events_minor, payment_minor=sides.payment_minor
        )
    )


def _settlement(sides: Sides) -> _Verdict:
    """Line by line, by Vipps' reference: every old refund is settled, and nothing is settled that the log does not know."""
    if sides.settled_until is None:
        return _Verdict(is_judged=False)
    settled = [line for line in sides.settled if line.entry_type in (EntryType.REFUND, EntryType.CORRECTION)]
    known = {line.psp_reference for line in settled}
    due = [event for event in sides.standing if event.timestamp <= sides.settled_until or event.psp_reference in known]
    events_minor, settled_minor = sum(event.amount.value for event in due), -sum(line.amount_minor for line in settled)
    missing = {event.psp_reference for event in due} - known
    strange = known - {event.psp_reference for event in sides.refunds}
    if events_minor == settled_minor and not missing:
        return _Verdict()
    if any(line.at > sides.now - YOUNG for line in settled) or _is_being_undone(sides):
        return _Verdict(is_judged=False)
    return _Verdict(
        found=Found(
            kind=DifferenceKind.SETTLEMENT,
            events_minor=events_minor,
            settled_minor=settled_minor,
            detail=_named("not settled", missing) or _named("not in the event log", strange),
        )
    )


def _is_being_undone(sides: Sides) -> bool:
    """A refund that failed lately: its correction may be on its way into the settlement."""
    until = sides.settled_until
    return until is not None and any(not event.success and event.timestamp > until for event in sides.refunds)


def _taken_back(sides: Sides) -> _Verdict:
    undone = sides.taken_back
    if not undone:
        return _Verdict()
    return _Verdict(
        found=Found(
            kind=DifferenceKind.TAKEN_BACK,
            hub_minor=sides.hub_minor,
            events_minor=sides.events_minor,
            detail=_named("taken back", {event.psp_reference for event in undone}),
        )
    )


def _paid_twice(sides: Sides) -> _Verdict:
    """The customer has more than she paid: part by refund, part by her bank."""
    disputes = (EntryType.DISPUTE_LOST, EntryType.DISPUTE_WON)
    disputed_minor = -sum(line.amount_minor for line in sides.settled if line.entry_type in disputes)
    if disputed_minor <= 0 or sides.events_minor + disputed_minor <= sides.captured_minor:
        return _Verdict()
    return _Verdict(
        found=Found(
            kind=DifferenceKind.PAID_TWICE,
            events_minor=sides.events_minor,
            settled_minor=disputed_minor,
        )
    )


def _is_taken_back(success: Event, refunds: Sequence[Event]) -> bool:
    """Unsigned events cannot be told apart, so none of them is said to have been taken back."""
    return success.idempotency_key is not None and was_undone(success, refunds)


def _named(what: str, references: set[str]) -> str:
    return f"{what}: {', '.join(sorted(references))}"[:300] if references else ""


_RULES: dict[DifferenceKind, Callable[[Sides], _Verdict]] = {
    DifferenceKind.EVENT_LOG: _event_log,
    DifferenceKind.PAYMENT_SUM: _payment_sum,
    DifferenceKind.SETTLEMENT: _settlement,
    DifferenceKind.TAKEN_BACK: _taken_back,
    DifferenceKind.PAID_TWICE: _paid_twice,
}
