"""The table of a release's moves: no amount, no reservation, and success is what Vipps shows as cancelled.

Names are those of a refund's moves (`states`), with R for T. What differs: no row moves money, success is `released`, and
two successes cannot be, since what is cancelled once is cancelled.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from refunds import ledger, states
from refunds.models import FAILED, Kind, Refund, State
from refunds.states import Move
from stores.actors import Actor

RELEASED_AFTER_ALL = "released_after_all"

_Row = partial(Move, kind=Kind.RELEASE)
_AWAITING, _QUEUED, _SENDING, _UNKNOWN, _REVIEW = (
    State.AWAITING_APPROVAL,
    State.QUEUED,
    State.SENDING,
    State.UNKNOWN,
    State.REVIEW,
)

R2_APPROVE = _Row(name="R2", before=(_AWAITING,), after=_QUEUED)
R2_REJECT = _Row(name="R2r", before=(_AWAITING,), after=State.REJECTED)
R3_CANCEL = _Row(name="R3", before=(_QUEUED, _AWAITING), after=State.CANCELLED, unsent=True)
R4_EXPIRE = _Row(name="R4", before=(_AWAITING,), after=State.CANCELLED)
R5_CLAIM = _Row(name="R5", before=(_QUEUED, _UNKNOWN), after=_SENDING)
R5_STEP_BACK = _Row(name="R5b", before=(_SENDING,), after=_QUEUED, fenced=True)
R5_STEP_BACK_UNRESOLVED = _Row(name="R5b", before=(_SENDING,), after=_UNKNOWN, fenced=True)
R7_RELEASED = _Row(name="R7", before=(_AWAITING, _QUEUED, _SENDING, _UNKNOWN, _REVIEW), after=State.RELEASED)
R7_AFTER_ALL = _Row(name="R7", before=FAILED, after=_REVIEW)
R8_NO_ANSWER = _Row(name="R8", before=(_SENDING,), after=_UNKNOWN, fenced=True)
R9_KEY_CONFLICT = _Row(name="R9", before=(_SENDING,), after=_UNKNOWN, fenced=True)
R10_REFUSED = _Row(name="R10", before=(_SENDING,), after=State.DECLINED, fenced=True)
R10_REFUSED_UNRESOLVED = _Row(name="R10", before=(_SENDING,), after=_UNKNOWN, fenced=True)
R10_PREFLIGHT = _Row(name="R10p", before=(_SENDING,), after=State.DECLINED, fenced=True, unsent=True)
R10_DEFECT = _Row(name="R10", before=(_SENDING,), after=_REVIEW, fenced=True)
R11_SOFT = _Row(name="R11", before=(_SENDING,), after=_QUEUED, fenced=True)
R11_SOFT_UNRESOLVED = _Row(name="R11", before=(_SENDING,), after=_UNKNOWN, fenced=True)
R12_QUIET_REFUSAL = _Row(name="R12d", before=(_SENDING,), after=State.DECLINED, fenced=True)
R12_NEW_KEY = _Row(name="R12f", before=(_SENDING,), after=_QUEUED, fenced=True)
R12_LOOK_AGAIN = _Row(name="R12g", before=(_SENDING,), after=_UNKNOWN, fenced=True)
R13_LEASE_LAPSED = _Row(name="R13", before=(_SENDING,), after=_UNKNOWN)
R14_TOO_OLD = _Row(name="R14", before=(_UNKNOWN,), after=_REVIEW)
R14_UNUSABLE = _Row(name="R14b", before=(_QUEUED,), after=_REVIEW)
R15_RELEASED = _Row(name="R15", before=(_REVIEW,), after=State.RELEASED)
R15_DECLINED = _Row(name="R15", before=(_REVIEW,), after=State.DECLINED)

RELEASE_MOVES: tuple[Move, ...] = tuple(value for value in dict(globals()).values() if isinstance(value, Move))
"""The whole table."""

_IN_PLACE_OF: Mapping[Move, Move] = {
    states.T2_APPROVE: R2_APPROVE,
    states.T2_REJECT: R2_REJECT,
    states.T3_CANCEL: R3_CANCEL,
    states.T4_EXPIRE: R4_EXPIRE,
    states.T5_CLAIM: R5_CLAIM,
    states.T5_STEP_BACK: R5_STEP_BACK,
    states.T5_STEP_BACK_UNRESOLVED: R5_STEP_BACK_UNRESOLVED,
    states.T7_SUCCESS: R7_RELEASED,
    states.T7_AFTER_ALL: R7_AFTER_ALL,
    states.T8_NO_ANSWER: R8_NO_ANSWER,
    states.T9_KEY_CONFLICT: R9_KEY_CONFLICT,
    states.T10_REFUSED: R10_REFUSED,
    states.T10_REFUSED_UNRESOLVED: R10_REFUSED_UNRESOLVED,
    states.T10_PREFLIGHT: R10_PREFLIGHT,
    states.T10_DEFECT: R10_DEFECT,
    states.T11_SOFT: R11_SOFT,
    states.T11_SOFT_UNRESOLVED: R11_SOFT_UNRESOLVED,
    states.T12_QUIET_REFUSAL: R12_QUIET_REFUSAL,
    states.T12_NEW_KEY: R12_NEW_KEY,
    states.T12_LOOK_AGAIN: R12_LOOK_AGAIN,
    states.T13_LEASE_LAPSED: R13_LEASE_LAPSED,
    states.T14_TOO_OLD: R14_TOO_OLD,
    states.T14_UNUSABLE: R14_UNUSABLE,
    states.T15_REFUNDED: R15_RELEASED,
    states.T15_DECLINED: R15_DECLINED,
}


def row_for(kind: str, row: Move) -> Move:
    """The row that moves that kind: a refund's as it is, for a release the one in its place. KeyError: it has none."""
    return _IN_PLACE_OF[row] if kind == Kind.RELEASE and row.kind != Kind.RELEASE else row


def settle_as_released(
    refund: Refund, *, by: Actor, because: str, attempt: int = 0, trace_id: str = "", outcome: str = "released"
) -> bool:
    """R7: what Vipps shows as released counts from anybody, fenced or not, and even after an end (then people must look)."""
    facts: dict[str, Any] = {"outcome": outcome, "indeterminate_since": None, "verdict": ""}
    if trace_id:
        facts["trace_id"] = trace_id
    with transaction.atomic():
        ledger.locked_account(refund.order_id)
        if Refund.objects.filter(pk=refund.pk, outcome=RELEASED_AFTER_ALL).exists():
            return False  # it came back from an end, and people are looking
        if states.move(refund, R7_RELEASED, by=by, because=because, attempt=attempt, **facts):
            return True
        others = Refund.objects.filter(order_id=refund.order_id, kind=Kind.RELEASE).exclude(pk=refund.pk)
        if others.exclude(state__in=FAILED).exists():
            return False  # the order's next release ends as what this one turned out to be
        late = f"Vipps released it although the hub had ended it: {because}"
        return states.move(
            refund, R7_AFTER_ALL, by=by, because=late, attempt=attempt, outcome=RELEASED_AFTER_ALL, ended_at=None
        )
