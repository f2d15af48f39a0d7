"""What follows from what is known of a claimed refund: facts in, one step out; no database, no clock, no call.

The same functions decide for the rows in the database and for the simulation's rows in memory. Names are those of the
protocol's transitions (`states`). Absence is never a failure: only an event with our own key settles a refund, and only a
definite refusal plus quiet time ends one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from refunds import evidence, states
from refunds.gateway import CONSEQUENCES, Meaning, Outcome
from refunds.models import Kind
from refunds.states import Move
from stores.vipps.types import Event, Payment

CLEAR_ANSWERS = tuple(meaning for meaning, consequence in CONSEQUENCES.items() if not consequence.leaves_doubt)
"""Answers after which we know whether that very send was applied."""
MOST_SENDS_A_MINUTE = 5
"""Changes of one payment that Vipps takes in a minute (Vipps: ePayment API, rate limits)."""
A_MINUTE = timedelta(minutes=1)
HELD_BACK_FOR = timedelta(seconds=30)
_WAITS_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 900)
_SHORTEST_SOFT_WAIT = timedelta(seconds=12)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One committed attempt; `is_clear` says that its answer left no doubt."""

    key: str
    generation: int
    intended_at: datetime
    is_clear: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the hub knows of a refund under a claim.

    `unresolved_since` is when the last send of this generation went out whose outcome nobody knows; None if there is none.
    `past` is oldest first. `keys` are all that this refund may ever send, so that its events are known even where its
    attempts were lost in a restore; `is_after_restore` says that they may have been, however few `sends` are known.
    """

    kind: Kind = Kind.REFUND
    amount_minor: int
    currency: str
    sends: int
    generation: int
    soft_refusals: int
    verdict: str
    outcome: str
    provider_code: str
    unresolved_since: datetime | None
    fence: int
    past: tuple[Sent, ...]
    keys: frozenset[str]
    is_after_restore: bool = False

    @property
    def was_never_sent(self) -> bool:
        """Provably: nothing of ours can be in Vipps' figures."""
        return self.sends == 0 and not self.is_after_restore

    @property
    def may_have_been_applied(self) -> bool:
        """Whether an earlier send may have done it, so that a refusal of this one is no end yet."""
        return self.unresolved_since is not None or self.is_after_restore

    @property
    def step_back(self) -> Move:
        """The way back when nothing was sent under this claim."""
        return states.T5_STEP_BACK_UNRESOLVED if self.unresolved_since else states.T5_STEP_BACK


@dataclass(frozen=True, kw_only=True)
class Books:
    """The balances of the refund's order, minor units."""

    posted_minor: int
    external_minor: int
    reserved_minor: int
    on_hold: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What Vipps says about one order now: the payment, and its event log (oldest first) where it was read."""

    payment: Payment
    events: tuple[Event, ...] | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """The move to make, why, and the refund's columns that go with it. T7 needs no fence, all others do; its changes are
    what `states.settle_as_refunded` takes."""

    move: Move
    because: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def next_look(fence: int, now: datetime, *, at_least: float | None = None, soft: bool = False) -> datetime:
    """When to try again: later with every claim; `at_least` seconds is Vipps' own Retry-After, which is never cut short."""
    wait = timedelta(seconds=_WAITS_SECONDS[min(fence, len(_WAITS_SECONDS)) - 1])
    if soft:
        wait = max(wait, _SHORTEST_SOFT_WAIT, timedelta(seconds=at_least or 0))
    return now + wait


def resolve(standing: Standing, reading: Reading, books: Books, now: datetime) -> Step | None:
    """T12: what the event log makes of a refund that may have been sent; None: the same key goes out (again)."""
    ours = [event for event in reading.events or () if event.name == "REFUNDED" and event.idempotency_key in standing.keys]
    successes = [event for event in ours if event.success]
    if len(successes) > 1:
        return Step(
            move=states.T12_TWICE, because="Vipps shows two refunds with our keys", changes={"outcome": "refunded_twice"}
        )
    if not successes:
        return _after_failures(standing, ours, now) or _without_evidence(standing, reading, books, now)
    [success] = successes
    if not is_exactly(success, amount_minor=standing.amount_minor, currency=standing.currency):
        because = "Vipps shows our key with another amount"
        return Step(move=states.T12_MISMATCH, because=because, changes={"outcome": "other_amount"})
    if was_undone(success, ours):
        because = "Vipps shows our refund as failed after it had succeeded"
        return Step(move=states.T12_MISMATCH, because=because, changes={"outcome": "undone"})
    because = f"the event log shows our key (Vipps' reference {success.psp_reference})"
    return Step(move=states.T7_SUCCESS, because=because, changes={"psp_reference": success.psp_reference})


def is_exactly(event: Event, *, amount_minor: int, currency: str) -> bool:
    """Whether the event moved just this amount of this currency."""
    return (event.amount.value, event.amount.currency) == (amount_minor, currency)


def was_undone(success: Event, ours: Iterable[Event]) -> bool:
    """Whether Vipps took a refund back that it had reported: a failure under the very same key, later in the log."""
    same_key = [event for event in ours if event.idempotency_key == success.idempotency_key]
    return not same_key[-1].success


def before_sending(
    standing: Standing,
    reading: Reading,
    books: Books,
    now: datetime,
    *,
    recent_sends: Sequence[datetime] = (),
    is_held_back: bool = False,
) -> Step | None:
    """T6's guards, under the account's lock; None: it may be sent now.

    `recent_sends` are the times, oldest first, of the last minute's attempts of this order, whoever's. `is_held_back`:
    a restore is still being checked, so that nothing may be sent at all.
    """
    if books.on_hold:
        return Step(move=standing.step_back, because="the order is on hold")
    if is_held_back:
        changes = {"outcome": "restored", "next_action_at": now + HELD_BACK_FOR}
        return Step(move=standing.step_back, because="nothing is sent until a restore has been checked", changes=changes)
    refusal = _refusal(standing, reading, books)
    if refusal:
        return _refuse(standing, refusal, now, is_explained=not has_unexplained_money(standing, reading, books))
    if len(recent_sends) >= MOST_SENDS_A_MINUTE:
        again = recent_sends[-MOST_SENDS_A_MINUTE] + A_MINUTE
        changes = {"outcome": "paced", "next_action_at": max(again, now)}
        return Step(move=standing.step_back, because="Vipps takes five changes a minute of one payment", changes=changes)
    return None


def refunded_before(reading: Reading, books: Books) -> int:
    """What Vipps has refunded already, in minor units: a sum that lags behind what we know of would let another refund's
    money pass for this one's."""
    shown = sum(event.amount.value for event in evidence.standing(reading.events or ()))
    return max(reading.payment.aggregate.refunded, books.posted_minor + books.external_minor, shown)


def after_answer(standing: Standing, outcome: Outcome, *, intended_at: datetime, now: datetime) -> Step:
    """The move that the answer to a send stands for. `standing` is as it was before that send."""
    if outcome.meaning is Meaning.SUCCESS:
        return Step(
            move=states.T7_SUCCESS, because="Vipps confirmed our amount", changes={"trace_id": outcome.trace_id}
        )
    consequence = CONSEQUENCES[outcome.meaning]
    is_soft = consequence.resolved is states.T11_SOFT
    return Step(
        move=consequence.unresolved if standing.may_have_been_applied else consequence.resolved,
        because=in_words(outcome),
        changes={
            "outcome": outcome.meaning.value if not outcome.code else f"vipps_{outcome.code}",
            "provider_code": outcome.code,
            "trace_id": outcome.trace_id,
            "verdict": consequence.verdict or standing.verdict,
            "indeterminate_since": intended_at if consequence.leaves_doubt else standing.unresolved_since,
            "soft_refusals": standing.soft_refusals + int(consequence.counts_as_soft),
            "next_action_at": next_look(standing.fence, now, at_least=outcome.retry_after, soft=is_soft),
        },
    )


def after_failed_reading(standing: Standing, outcome: Outcome, *, is_unknown: bool, now: datetime) -> Step:
    """The payment could not be read, so nothing was sent under this claim. `is_unknown`: Vipps has no such payment."""
    meaning = outcome.meaning
    if meaning is Meaning.MISCONFIGURED and standing.was_never_sent:
        return Step(
            move=states.T10_PREFLIGHT,
            because=f"Vipps does not give this payment to its own store: {outcome.code or outcome.status}",
            changes={
                "outcome": "payment_not_found" if is_unknown else "store_misconfigured",
                "provider_code": outcome.code,
                "trace_id": outcome.trace_id,
            },
        )
    is_soft = meaning in (Meaning.THROTTLED, Meaning.LOCKED)
    again = next_look(standing.fence, now, at_least=outcome.retry_after, soft=is_soft)
    return Step(
        move=standing.step_back,
        because=f"the payment could not be read: {meaning.value}",
        changes={"outcome": meaning.value, "next_action_at": again},
    )


def without_keys(standing: Standing, code: str, now: datetime) -> Step:
    """The store's keys cannot be used; `code` says why."""
    changes = {"outcome": code, "next_action_at": next_look(standing.fence, now)}
    return Step(move=standing.step_back, because=f"the store's keys cannot be used: {code}", changes=changes)


def in_words(outcome: Outcome) -> str:
    """An answer as the trail tells it."""
    facts = [f"HTTP {outcome.status}"] if outcome.status else []
    if outcome.code:
        facts.append(f"Vipps' code {outcome.code}")
    if outcome.detail:
        facts.append(outcome.detail)
    return f"{outcome.meaning.value} ({', '.join(facts)})" if facts else outcome.meaning.value


def _after_failures(standing: Standing, ours: Iterable[Event], now: datetime) -> Step | None:
    """An event with our key and `success: false` is a refusal. It ends the refund if it answers every doubtful send, else
    it waits for quiet time like any refusal. One with a key of an earlier generation says nothing about this one, and one
    of a send that a restore lost says nothing about the next: the same key will be answered the same."""
    this_key = [sent for sent in standing.past if sent.generation == standing.generation]
    failures = [event for event in ours if this_key and event.idempotency_key == this_key[0].key]
    if not failures:
        return None
    if len(failures) >= sum(not sent.is_clear for sent in this_key):
        because = "the event log shows our key as failed"
        return Step(move=states.T10_REFUSED, because=because, changes={"outcome": "failed_at_vipps"})
    if standing.verdict == "reject":
        return None
    because = "the event log shows our key as failed, but another send is still unresolved"
    changes = {"verdict": "reject", "outcome": "failed_at_vipps", "next_action_at": next_look(standing.fence, now)}
    return Step(move=states.T12_LOOK_AGAIN, because=because, changes=changes)


def _without_evidence(standing: Standing, reading: Reading, books: Books, now: datetime) -> Step | None:
    is_quiet = standing.unresolved_since is None or now - standing.unresolved_since >= states.QUIET_TIME
    first_send = next((sent for sent in standing.past if sent.generation == standing.generation), None)
    is_young = first_send is None or now - first_send.intended_at < states.RESEND_WINDOW
    is_worn_out = standing.soft_refusals >= states.SOFT_REFUSALS_BEFORE_NEW_KEY
    if standing.verdict == "conflict":
        return _look_again(standing, now, "our key is known to Vipps with other content; waiting for the event log")
    if standing.verdict == "reject":
        if not is_quiet:
            return _look_again(standing, now, "refused, but an earlier send is still unresolved")
        if has_unexplained_money(standing, reading, books):
            because = "refused, but money left the payment that nobody explains"
            return Step(move=states.T12_UNEXPLAINED, because=because)
        outcome = f"vipps_{standing.provider_code}" if standing.provider_code else standing.outcome
        because = "refused, and nothing appeared in the quiet time"
        return Step(move=states.T12_QUIET_REFUSAL, because=because, changes={"outcome": outcome})
    if is_quiet and (is_worn_out or not is_young):
        return _new_generation(standing, reading, books, now)
    if is_young:
        return None
    return _look_again(standing, now, "too old to send again, too young to give up")


def _new_generation(standing: Standing, reading: Reading, books: Books, now: datetime) -> Step:
    if has_unexplained_money(standing, reading, books):
        return Step(move=states.T12_UNEXPLAINED, because="money left the payment that nobody explains")
    if standing.generation >= states.LAST_GENERATION:
        return Step(
            move=states.T12_LOOK_AGAIN, because="the last key is used up", changes={"outcome": "keys_used_up"}
        )
    changes = {
        "generation": standing.generation + 1,
        "soft_refusals": 0,
        "indeterminate_since": None,
        "next_action_at": now,
    }
    return Step(move=states.T12_NEW_KEY, because="no send of this key was applied; a new key", changes=changes)


def has_unexplained_money(standing: Standing, reading: Reading, books: Books) -> bool:
    """More or less left the payment than we can attribute, or an unsigned refund of our amount came after our first send."""
    if reading.payment.aggregate.refunded != books.posted_minor + books.external_minor:
        return True
    first_send = next(iter(standing.past), None)
    return any(
        event.name == "REFUNDED"
        and event.success
        and event.idempotency_key is None
        and event.amount.value == standing.amount_minor
        and (first_send is None or event.timestamp >= first_send.intended_at)
        for event in reading.events or ()
    )


def _look_again(standing: Standing, now: datetime, because: str) -> Step:
    return Step(
        move=states.T12_LOOK_AGAIN, because=because, changes={"next_action_at": next_look(standing.fence, now)}
    )


def _refusal(standing: Standing, reading: Reading, books: Books) -> str:
    """Why Vipps' own figures do not allow it; empty where they do."""
    shown = reading.payment.aggregate
    if standing.kind == Kind.RELEASE:  # nothing leaves the merchant; what is reserved was looked at before
        return "" if shown.currency == standing.currency else "other_currency"
    committed = books.posted_minor + books.external_minor + books.reserved_minor
    if shown.captured == 0:
        return "not_captured"
    if committed > shown.captured or shown.refunded + standing.amount_minor > shown.captured:
        return "refunded_elsewhere" if shown.refunded > books.posted_minor else "exceeds_captured"
    return "" if shown.currency == standing.currency else "other_currency"


def _refuse(standing: Standing, refusal: str, now: datetime, *, is_explained: bool) -> Step:
    """`is_explained`: every sum that Vipps shows is attributed, so that a send which a restore lost is not among them."""
    because = f"Vipps' own figures do not allow it: {refusal}"
    if standing.was_never_sent or (standing.sends == 0 and is_explained):
        return Step(move=states.T10_PREFLIGHT, because=because, changes={"outcome": refusal})
    if standing.unresolved_since is None and standing.generation == 0 and (is_explained or not standing.is_after_restore):
        # Only ever sent to be told "not now": nothing of ours can be in those figures.
        return Step(move=states.T10_REFUSED, because=because, changes={"outcome": refusal})
    # It may be our own earlier send that shows in the sum: only the event log may end this.
    return _look_again(standing, now, because)
