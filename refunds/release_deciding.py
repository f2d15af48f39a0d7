"""What follows for a claimed release: facts in, one step out; no database, no clock, no call.

The evidence is what Vipps shows as cancelled, with nothing captured: a cancel is done once, whoever asked for it, so success
needs no key of ours. Once money was captured nothing more is sent: it can be refunded.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from refunds import deciding, release_moves, states
from refunds.deciding import Reading, Standing, Step, next_look
from refunds.gateway import Meaning, Outcome
from stores.vipps.types import Event

STATE_CODES = frozenset({"6040", "6050", "6190", "Payment 51", "Payment 53"})
"""Refusals that speak of where the payment stands: perhaps it is already released, so the payment is looked at first."""
BUSY_CODES = frozenset({"6250"})
"""The customer is at it this moment; later it may be possible."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the payment and its log show together, minor units; each may be the later one to know."""

    authorized: int
    captured: int
    cancelled: int

    @property
    def is_released(self) -> bool:
        """All that was reserved was let go, and nothing taken."""
        return self.authorized > 0 and self.captured == 0 and self.cancelled == self.authorized

    @property
    def capturable(self) -> int:
        return max(0, self.authorized - self.captured - self.cancelled)


def shown_by(reading: Reading) -> Shown:
    """The larger of what the sums and the log say."""
    sums, events = reading.payment.aggregate, reading.events or ()
    return Shown(
        authorized=max(sums.authorized, _total(events, "AUTHORIZED")),
        captured=max(sums.captured, _total(events, "CAPTURED")),
        cancelled=max(sums.cancelled, _total(_cancelled(events), "CANCELLED")),
    )


def resolve(standing: Standing, reading: Reading, now: datetime) -> Step | None:
    """What the payment and its log make of a release, sent or not; None: the same key goes out (again)."""
    shown = shown_by(reading)
    if shown.is_released:
        outcome = "released" if standing.sends else "released_elsewhere"
        because = "Vipps shows all that was reserved as released"
        return Step(move=release_moves.R7_RELEASED, because=because, changes={"outcome": outcome})
    if shown.captured:
        return _captured(standing, shown, now)
    if shown.authorized == 0:
        return _refuse(standing, now, "nothing_reserved", is_certain=standing.sends == 0)
    if standing.sends == 0:
        return None
    return _after_failure(standing, reading, now) or _without_evidence(standing, now)


def after_answer(standing: Standing, outcome: Outcome, *, intended_at: datetime, now: datetime) -> Step:
    """The move that the answer to a cancel stands for, as for a refund but for the codes that only a cancel has."""
    if outcome.code in BUSY_CODES:
        outcome = replace(outcome, meaning=Meaning.LOCKED)
    step = deciding.after_answer(standing, outcome, intended_at=intended_at, now=now)
    if outcome.meaning is Meaning.SUCCESS:
        return Step(move=release_moves.R7_RELEASED, because="Vipps confirmed the release", changes=step.changes)
    if outcome.code in STATE_CODES:
        changes = {**step.changes, "verdict": "reject", "indeterminate_since": intended_at}
        return Step(move=release_moves.R10_REFUSED_UNRESOLVED, because=step.because, changes=changes)
    return step


def _captured(standing: Standing, shown: Shown, now: datetime) -> Step:
    """Money was taken, so it is a refund's business. A send whose outcome is open may still let the rest go: wait for it."""
    outcome = "captured_in_part" if shown.cancelled else "captured_meanwhile"
    return _refuse(standing, now, outcome, is_certain=shown.capturable == 0 or _is_quiet(standing, now))


def _refuse(standing: Standing, now: datetime, outcome: str, *, is_certain: bool) -> Step:
    because = f"Vipps' own figures do not allow it: {outcome}"
    if not is_certain:
        return _look_again(standing, now, because)
    row = release_moves.R10_REFUSED if standing.sends else release_moves.R10_PREFLIGHT
    return Step(move=row, because=because, changes={"outcome": outcome})


def _after_failure(standing: Standing, reading: Reading, now: datetime) -> Step | None:
    """A cancel that Vipps' log shows as failed, under this generation's key, is a refusal; it ends the release if it answers
    every doubtful send, else it waits for quiet time like any refusal."""
    this_key = [sent for sent in standing.past if sent.generation == standing.generation]
    keys = {sent.key for sent in this_key}
    failures = [
        event
        for event in reading.events or ()
        if event.name == "CANCELLED" and not event.success and event.idempotency_key in keys
    ]
    if not failures:
        return None
    if len(failures) >= sum(not sent.is_clear for sent in this_key):
        because = "the event log shows our key as failed"
        return Step(move=release_moves.R10_REFUSED, because=because, changes={"outcome": "failed_at_vipps"})
    if standing.verdict == "reject":
        return None
    because = "the event log shows our key as failed, but another send is still unresolved"
    return _look_again(standing, now, because, verdict="reject", outcome="failed_at_vipps")


def _without_evidence(standing: Standing, now: datetime) -> Step | None:
    is_quiet = _is_quiet(standing, now)
    first_send = next((sent for sent in standing.past if sent.generation == standing.generation), None)
    is_young = first_send is None or now - first_send.intended_at < states.RESEND_WINDOW
    is_worn_out = standing.soft_refusals >= states.SOFT_REFUSALS_BEFORE_NEW_KEY
    if standing.verdict == "conflict":
        return _look_again(standing, now, "our key is known to Vipps with other content; waiting for the event log")
    if standing.verdict == "reject":
        if not is_quiet:
            return _look_again(standing, now, "refused, but an earlier send is still unresolved")
        outcome = f"vipps_{standing.provider_code}" if standing.provider_code else standing.outcome
        because = "refused, and nothing appeared in the quiet time"
        return Step(move=release_moves.R12_QUIET_REFUSAL, because=because, changes={"outcome": outcome})
    if is_quiet and (is_worn_out or not is_young):
        return _new_generation(standing, now)
    return None if is_young else _look_again(standing, now, "too old to send again, too young to give up")


def _new_generation(standing: Standing, now: datetime) -> Step:
    if standing.generation >= states.LAST_GENERATION:
        return _look_again(standing, now, "the last key is used up", outcome="keys_used_up")
    changes = {
        "generation": standing.generation + 1,
        "soft_refusals": 0,
        "indeterminate_since": None,
        "next_action_at": now,
    }
    because = "no send of this key was applied; a new key"
    return Step(move=release_moves.R12_NEW_KEY, because=because, changes=changes)


def _is_quiet(standing: Standing, now: datetime) -> bool:
    return standing.unresolved_since is None or now - standing.unresolved_since >= states.QUIET_TIME


def _look_again(standing: Standing, now: datetime, because: str, **changes: Any) -> Step:
    return Step(
        move=release_moves.R12_LOOK_AGAIN,
        because=because,
        changes={"next_action_at": next_look(standing.fence, now), **changes},
    )


def _total(events: Iterable[Event], name: str) -> int:
    return sum(event.amount.value for event in events if event.name == name and event.success)


def _cancelled(events: Iterable[Event]) -> list[Event]:
    """The log's cancels, without those that Vipps took back later under the very same key."""
    cancels = [event for event in events if event.name == "CANCELLED"]
    return [event for event in cancels if not (event.success and deciding.was_undone(event, cancels))]
