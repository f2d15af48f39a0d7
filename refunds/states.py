"""The table of moves, and the one function that moves a refund.

Names are those of the protocol's transitions: T1 is the insert (`intake`), T6 the intent (`execution`), the rest are here.
When `move` says False, somebody else was first: stop, quietly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from refunds import allowing, identity, ledger, nudges, outbound
from refunds.events import RefundMoved, ReleaseMoved
from refunds.models import ENDS, EntryKind, Kind, Refund, State
from stores import audit, clock
from stores.actors import Actor
from stores.audit import Subject
from stores.money import Money

LEASE = timedelta(seconds=60)
CALL_BUDGET = timedelta(seconds=30)
"""What must be left of the lease when the intent is written: one call of 25 s and 5 s of grace."""
SEND_WITHIN_SECONDS = 5.0
RESEND_WINDOW = timedelta(hours=12)
"""W: a key older than this is never sent again; Vipps does not say how long it remembers keys."""
QUIET_TIME = timedelta(hours=12)
"""Q: how long after the last unresolved send a refusal is believed."""
SOFT_REFUSALS_BEFORE_NEW_KEY = 3
LAST_GENERATION = identity.LAST_GENERATION
GIVE_TO_PEOPLE_AFTER = timedelta(hours=24)
APPROVAL_EXPIRES_AFTER = allowing.EXPIRES_AFTER
_WOKEN_AT_ONCE = 3
"""One can go, the others only in case it steps back: to wake all of a hundred at every end would be ten thousand messages."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One row of a table. `fenced` moves need the claim's fence; `money` is the ledger entry that goes with it.

    A row moves refunds of its own `kind` only: releases have a table of their own (`release_moves`).
    """

    name: str
    before: tuple[State, ...]
    after: State
    kind: Kind = Kind.REFUND
    fenced: bool = False
    unsent: bool = False
    money: EntryKind | None = None

    @property
    def holds_order(self) -> bool:
        """Every entry to review stops the order until two people have looked."""
        return self.after == State.REVIEW


_AWAITING, _QUEUED, _SENDING, _UNKNOWN, _REVIEW = (
    State.AWAITING_APPROVAL,
    State.QUEUED,
    State.SENDING,
    State.UNKNOWN,
    State.REVIEW,
)

T2_APPROVE = Move(name="T2", before=(_AWAITING,), after=_QUEUED)
T2_REJECT = Move(name="T2r", before=(_AWAITING,), after=State.REJECTED, money=EntryKind.VOID)
T3_CANCEL = Move(
    name="T3", before=(_QUEUED, _AWAITING), after=State.CANCELLED, unsent=True, money=EntryKind.VOID
)
T4_EXPIRE = Move(name="T4", before=(_AWAITING,), after=State.CANCELLED, money=EntryKind.VOID)
T5_CLAIM = Move(name="T5", before=(_QUEUED, _UNKNOWN), after=_SENDING)
T5_STEP_BACK = Move(name="T5b", before=(_SENDING,), after=_QUEUED, fenced=True)
T5_STEP_BACK_UNRESOLVED = Move(name="T5b", before=(_SENDING,), after=_UNKNOWN, fenced=True)
T7_SUCCESS = Move(
    name="T7",
    before=(_AWAITING, _QUEUED, _SENDING, _UNKNOWN, _REVIEW),
    after=State.REFUNDED,
    money=EntryKind.POST,
)
T7_AFTER_ALL = Move(
    name="T7", before=(State.DECLINED, State.CANCELLED, State.REJECTED), after=_REVIEW, money=EntryKind.CORRECTION
)
T8_NO_ANSWER = Move(name="T8", before=(_SENDING,), after=_UNKNOWN, fenced=True)
T9_KEY_CONFLICT = Move(name="T9", before=(_SENDING,), after=_UNKNOWN, fenced=True)
T10_REFUSED = Move(name="T10", before=(_SENDING,), after=State.DECLINED, fenced=True, money=EntryKind.VOID)
T10_REFUSED_UNRESOLVED = Move(name="T10", before=(_SENDING,), after=_UNKNOWN, fenced=True)
T10_PREFLIGHT = Move(
    name="T10p", before=(_SENDING,), after=State.DECLINED, fenced=True, unsent=True, money=EntryKind.VOID
)
T10_DEFECT = Move(name="T10", before=(_SENDING,), after=_REVIEW, fenced=True)
T11_SOFT = Move(name="T11", before=(_SENDING,), after=_QUEUED, fenced=True)
T11_SOFT_UNRESOLVED = Move(name="T11", before=(_SENDING,), after=_UNKNOWN, fenced=True)
T12_MISMATCH = Move(name="T12b", before=(_SENDING,), after=_REVIEW, fenced=True)
T12_TWICE = Move(name="T12c", before=(_SENDING,), after=_REVIEW, fenced=True)
T12_QUIET_REFUSAL = Move(name="T12d", before=(_SENDING,), after=State.DECLINED, fenced=True, money=EntryKind.VOID)
T12_NEW_KEY = Move(name="T12f", before=(_SENDING,), after=_QUEUED, fenced=True)
T12_UNEXPLAINED = Move(name="T12f", before=(_SENDING,), after=_REVIEW, fenced=True)
T12_LOOK_AGAIN = Move(name="T12g", before=(_SENDING,), after=_UNKNOWN, fenced=True)
T13_LEASE_LAPSED = Move(name="T13", before=(_SENDING,), after=_UNKNOWN)
T14_TOO_OLD = Move(name="T14", before=(_UNKNOWN,), after=_REVIEW)
T14_UNUSABLE = Move(name="T14b", before=(_QUEUED,), after=_REVIEW)
T15_REFUNDED = Move(name="T15", before=(_REVIEW,), after=State.REFUNDED, money=EntryKind.POST)
T15_DECLINED = Move(name="T15", before=(_REVIEW,), after=State.DECLINED, money=EntryKind.VOID)

MOVES: tuple[Move, ...] = tuple(value for value in dict(globals()).values() if isinstance(value, Move))
"""The whole table."""


def move(
    refund: Refund,
    row: Move,
    *,
    by: Actor,
    because: str,
    fence: int | None = None,
    attempt: int = 0,
    psp_reference: str = "",
    **changes: Any,
) -> bool:
    """Move a refund along one row of the table, with its ledger entry, trail entry and nudges; False if it was not there.

    `changes` are further columns of the refund. `fence` must be the claim's for a fenced move; given with another row, it
    says that nobody may have claimed the refund since it was read. `psp_reference` is Vipps' own of the money that is
    booked, where no key shows whose it is. All in one transaction.
    """
    with transaction.atomic():
        if row.money is not None or row.holds_order:
            ledger.locked_account(refund.order_id)
        if row.fenced and fence is None:
            raise ValueError(f"{row.name} needs the fence of its claim")
        found = Refund.objects.select_for_update(of=("self",), no_key=True)
        found = found.filter(pk=refund.pk, kind=row.kind, state__in=row.before)
        if fence is not None:
            found = found.filter(fence=fence)
        if row.unsent:
            found = found.filter(sends=0)
        current = found.select_related("order__store", "order__sales_unit", "refunding_store__company").first()
        if current is None:
            return False
        before = State(current.state)
        now = clock.db_now()
        columns: dict[str, Any] = {"state": row.after, "moved_at": now, **changes}
        if row.after in ENDS:
            columns["ended_at"] = now
        Refund.objects.filter(pk=refund.pk).update(**columns)
        order = current.order
        if row.money is not None:
            ledger.book_end(current, row.money, psp_reference=psp_reference)
        if row.holds_order:
            ledger.hold(order, because)
        if row.after in ENDS:
            _wake_those_who_wait(current)
        outbound.derive(current, row.after, at=now, outcome=str(changes.get("outcome", current.outcome)))
        audit.record(
            _entry(current, row, before, because, attempt, columns),
            by=by,
            company=current.refunding_store.company,
            store=order.store,
            about=Subject(type="refund", id=str(current.pk)),
            refunding_store=current.refunding_store,
        )
    return True


def settle_as_refunded(
    refund: Refund, *, by: Actor, because: str, attempt: int = 0, trace_id: str = "", psp_reference: str = ""
) -> bool:
    """T7: success evidence counts from anybody, fenced or not, and even after an end (then people must look).

    `psp_reference` is Vipps' name of the event that shows it: were that counted as somebody else's before, it no longer is.
    """
    facts: dict[str, Any] = {"outcome": "refunded", "indeterminate_since": None, "verdict": ""}
    if trace_id:
        facts["trace_id"] = trace_id
    with transaction.atomic():
        ledger.locked_account(refund.order_id)
        ledger.recognise(refund.order, psp_reference)
        if ledger.is_corrected(refund):
            return False  # it came back from an end for review, and its money counts already
        if move(refund, T7_SUCCESS, by=by, because=because, attempt=attempt, **facts):
            return True
        late = f"Vipps refunded it although the hub had ended it: {because}"
        return move(refund, T7_AFTER_ALL, by=by, because=late, attempt=attempt, outcome="refunded_after_all", ended_at=None)


def _wake_those_who_wait(ended: Refund) -> None:
    """One refund in flight per order: when it ends, the next one need not wait for the sweep."""
    waiting = Refund.objects.filter(order_id=ended.order_id, state__in=(_QUEUED, _UNKNOWN)).exclude(pk=ended.pk)
    for refund_id in waiting.order_by("next_action_at", "number").values_list("pk", flat=True)[:_WOKEN_AT_ONCE]:
        nudges.announce(refund_id)


def _entry(
    refund: Refund, row: Move, before: State, because: str, attempt: int, columns: Mapping[str, Any]
) -> RefundMoved:
    told = ReleaseMoved if row.kind == Kind.RELEASE else RefundMoved
    return told(
        refund=str(refund),
        move=row.name,
        before=before.value,
        after=row.after.value,
        amount=str(Money(amount_minor=refund.shown_minor, currency=refund.currency)),
        amount_minor=refund.shown_minor,
        currency=refund.currency,
        because=because,
        attempt=attempt,
        provider_code=columns.get("provider_code", ""),
        trace_id=columns.get("trace_id", ""),
    )
