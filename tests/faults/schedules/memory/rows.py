"""An order and its refunds as rows in memory, guarded as the database guards them."""

import copy
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from refunds import evidence, identity, states
from refunds.deciding import CLEAR_ANSWERS, MOST_SENDS_A_MINUTE, Books, Sent, Standing
from refunds.gateway import Meaning
from refunds.models import ENDS, IN_FLIGHT, EntryKind, State
from refunds.states import Move
from stores.vipps.types import Event

CURRENCY, REFERENCE = "NOK", "BGO-SIM-1"


@dataclass(kw_only=True)
class AttemptRow:
    """A committed send, and its answer."""

    key: str
    generation: int
    intended_at: datetime
    answer: Meaning | None = None


@dataclass(kw_only=True)
class Row:
    """A refund. The columns that decisions change have the names of the model's."""

    id: uuid.UUID
    amount_minor: int
    accepted_at: datetime
    next_action_at: datetime
    moved_at: datetime
    state: State = State.QUEUED
    fence: int = 0
    lease_until: datetime | None = None
    generation: int = 0
    sends: int = 0
    soft_refusals: int = 0
    verdict: str = ""
    outcome: str = ""
    provider_code: str = ""
    trace_id: str = ""
    indeterminate_since: datetime | None = None
    last_send_at: datetime | None = None
    ended_at: datetime | None = None
    is_corrected: bool = False
    attempts: list[AttemptRow] = field(default_factory=list)

    def standing(self, claimed: "Row", *, is_after_restore: bool) -> Standing:
        """As `claims.standing_of`: the refund as it was claimed, its sends as they are now."""
        return Standing(
            amount_minor=claimed.amount_minor,
            currency=CURRENCY,
            sends=claimed.sends,
            generation=claimed.generation,
            soft_refusals=claimed.soft_refusals,
            verdict=claimed.verdict,
            outcome=claimed.outcome,
            provider_code=claimed.provider_code,
            unresolved_since=claimed.indeterminate_since,
            fence=claimed.fence,
            past=tuple(
                Sent(
                    key=sent.key,
                    generation=sent.generation,
                    intended_at=sent.intended_at,
                    is_clear=sent.answer in CLEAR_ANSWERS,
                )
                for sent in (self.attempts if claimed.sends else ())
            ),
            keys=frozenset(keys_of(self.id)),
            is_after_restore=is_after_restore,
        )


def keys_of(refund_id: uuid.UUID) -> tuple[str, ...]:
    return identity.provider_keys(environment="simulator", msn="100002", reference=REFERENCE, refund=refund_id)


@dataclass(kw_only=True)
class Hub:
    """The database: one order's account, its refunds, and the trail of their moves."""

    claimed_minor: int
    captured_minor: int | None = None
    posted_minor: int = 0
    external_minor: int = 0
    reserved_minor: int = 0
    on_hold: bool = False
    is_held_back: bool = False
    was_restored: bool = False
    outside: dict[str, int] = field(default_factory=dict)
    recognised: set[str] = field(default_factory=set)
    rows: dict[uuid.UUID, Row] = field(default_factory=dict)
    moves: list[tuple[uuid.UUID, str, State, State]] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)

    def backup(self) -> "Hub":
        return copy.deepcopy(self)

    @property
    def books(self) -> Books:
        return Books(
            posted_minor=self.posted_minor,
            external_minor=self.external_minor,
            reserved_minor=self.reserved_minor,
            on_hold=self.on_hold,
        )

    def accept(self, refund_id: uuid.UUID, amount_minor: int, now: datetime) -> bool:
        """T1, with its guarded reservation; a repeated wish changes nothing."""
        if refund_id in self.rows:
            return True
        capacity = self.captured_minor if self.captured_minor is not None else self.claimed_minor
        left = capacity - self.posted_minor - self.external_minor - self.reserved_minor
        if self.on_hold or left < amount_minor:
            return False
        self.reserved_minor += amount_minor
        self.rows[refund_id] = Row(
            id=refund_id, amount_minor=amount_minor, accepted_at=now, next_action_at=now, moved_at=now
        )
        return True

    def move(self, row: Row, move: Move, now: datetime, *, fence: int | None = None, **changes: Any) -> bool:
        """As `states.move`: its guards, its money, its hold."""
        if move.fenced and fence is None:
            raise ValueError(f"{move.name} needs the fence of its claim")
        if row.state not in move.before or fence not in (None, row.fence) or (move.unsent and row.sends):
            return False
        others = (other for other in self.rows.values() if other is not row)
        if move.after in IN_FLIGHT and any(other.state in IN_FLIGHT for other in others):
            return False  # the unique index: somebody else was first
        self.moves.append((row.id, move.name, row.state, move.after))
        self._book(row, move.money)
        row.state, row.moved_at = move.after, now
        row.ended_at = now if move.after in ENDS else row.ended_at
        for name, value in changes.items():
            setattr(row, name, value)
        self.on_hold = self.on_hold or move.holds_order
        return True

    def settle(self, row: Row, now: datetime, *, psp_reference: str = "") -> bool:
        """As `states.settle_as_refunded`: T7, from anybody, and even after an end."""
        self._recognise(psp_reference)
        if row.is_corrected:
            return False
        if self.move(row, states.T7_SUCCESS, now, outcome="refunded", indeterminate_since=None, verdict=""):
            return True
        return self.move(row, states.T7_AFTER_ALL, now, outcome="refunded_after_all", ended_at=None)

    def adopt(self, events: tuple[Event, ...]) -> None:
        """As `reconciliation`: count what others refunded."""
        own = {key for refund_id in self.rows for key in keys_of(refund_id)}
        refunded = evidence.standing(events)
        seen = sum(event.amount.value for event in refunded if event.idempotency_key in own)
        is_unresolved = any(row.indeterminate_since is not None and row.state not in ENDS for row in self.rows.values())
        may_adopt_unsigned = not is_unresolved and seen == self.posted_minor
        for event in refunded:
            if event.idempotency_key in own or (event.idempotency_key is None and not may_adopt_unsigned):
                continue
            if event.psp_reference in self.outside:
                continue
            self.outside[event.psp_reference] = event.amount.value
            self.external_minor += event.amount.value
            self.on_hold = self.on_hold or identity.is_ours(event.idempotency_key)

    def recent_sends(self, since: datetime) -> list[datetime]:
        sent = [attempt.intended_at for row in self.rows.values() for attempt in row.attempts]
        return sorted(at for at in sent if at > since)[-MOST_SENDS_A_MINUTE:]

    def _recognise(self, psp_reference: str) -> None:
        if psp_reference in self.outside and psp_reference not in self.recognised:
            self.recognised.add(psp_reference)
            self.external_minor -= self.outside[psp_reference]

    def _book(self, row: Row, kind: EntryKind | None) -> None:
        amount = row.amount_minor
        if kind == EntryKind.CORRECTION:
            row.is_corrected = True
            self.posted_minor += amount
        elif kind is not None and not row.is_corrected:
            self.reserved_minor -= amount
            self.posted_minor += amount if kind == EntryKind.POST else 0
        elif kind == EntryKind.VOID:
            self.posted_minor -= amount
