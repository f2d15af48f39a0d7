"""What each answer to a cancel leads to: pure decisions, as a table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refunds import release_deciding, release_moves, states
from refunds.deciding import Reading, Sent, Standing
from refunds.gateway import Meaning, Outcome
from refunds.models import Kind
from refunds.release_moves import row_for
from refunds.states import Move
from stores.vipps.types import Aggregate, Amount, Event, Payment

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = "rh1-" + "0" * 36


def standing(*, sent_ago: timedelta | None = None, **more: Any) -> Standing:
    """A release that was never sent, or once, that long ago, without an answer."""
    facts: dict[str, Any] = {
        "kind": Kind.RELEASE,
        "amount_minor": 0,
        "currency": "NOK",
        "sends": 0 if sent_ago is None else 1,
        "generation": 0,
        "soft_refusals": 0,
        "verdict": "",
        "outcome": "",
        "provider_code": "",
        "unresolved_since": None if sent_ago is None else NOW - sent_ago,
        "fence": 1,
        "past": () if sent_ago is None else (Sent(key=KEY, generation=0, intended_at=NOW - sent_ago, is_clear=False),),
        "keys": frozenset({KEY}),
        **more,
    }
    return Standing(**facts)


def reading(*events: Event, authorized: int = 50_000, captured: int = 0, cancelled: int = 0) -> Reading:
    sums = Aggregate(authorized=authorized, captured=captured, cancelled=cancelled, refunded=0, currency="NOK")
    amount = Amount(currency="NOK", value=50_000)
    payment = Payment(
        reference="BGO-1000-1", psp_reference="p", state="AUTHORIZED", amount=amount, aggregate=sums, metadata={}
    )
    return Reading(payment=payment, events=events)


def event(name: str, value: int, *, key: str | None = KEY, success: bool = True) -> Event:
    amount = Amount(currency="NOK", value=value)
    return Event(
        reference="BGO-1000-1",
        psp_reference="1",
        name=name,
        amount=amount,
        timestamp=NOW,
        idempotency_key=key,
        success=success,
    )


JUST, LONG_AGO = timedelta(minutes=1), timedelta(hours=12, minutes=1)
UNDONE = (event("CANCELLED", 50_000), event("CANCELLED", 50_000, success=False))
R = release_moves
SEEN: list[tuple[str, Standing, Reading, Move | None, str]] = [
    ("reserved", standing(), reading(), None, ""),
    ("already released", standing(), reading(cancelled=50_000), R.R7_RELEASED, "released_elsewhere"),
    ("released by us", standing(sent_ago=JUST), reading(cancelled=50_000), R.R7_RELEASED, "released"),
    ("the log knows first", standing(sent_ago=JUST), reading(event("CANCELLED", 50_000)), R.R7_RELEASED, "released"),
    ("without any key", standing(sent_ago=JUST), reading(event("CANCELLED", 50_000, key=None)), R.R7_RELEASED, "released"),
    ("never reserved", standing(), reading(authorized=0), R.R10_PREFLIGHT, "nothing_reserved"),
    ("not shown as reserved", standing(sent_ago=JUST), reading(authorized=0), R.R12_LOOK_AGAIN, ""),
    ("captured", standing(), reading(captured=50_000), R.R10_PREFLIGHT, "captured_meanwhile"),
    ("captured, says the log", standing(), reading(event("CAPTURED", 50_000)), R.R10_PREFLIGHT, "captured_meanwhile"),
    ("captured after our call", standing(sent_ago=JUST), reading(captured=50_000), R.R10_REFUSED, "captured_meanwhile"),
    ("a part captured", standing(sent_ago=JUST), reading(captured=20_000), R.R12_LOOK_AGAIN, ""),
    ("a part, and quiet", standing(sent_ago=LONG_AGO), reading(captured=20_000), R.R10_REFUSED, "captured_meanwhile"),
    (
        "a part, the rest released",
        standing(sent_ago=JUST),
        reading(captured=20_000, cancelled=30_000),
        R.R10_REFUSED,
        "captured_in_part",
    ),
    ("nothing seen yet", standing(sent_ago=JUST), reading(), None, ""),
    ("half of it", standing(sent_ago=JUST), reading(cancelled=20_000), None, ""),
    ("nothing in half a day", standing(sent_ago=LONG_AGO), reading(), R.R12_NEW_KEY, ""),
    ("the last key", standing(sent_ago=LONG_AGO, generation=3, past=()), reading(), None, ""),
    ("refused, not quiet", standing(sent_ago=JUST, verdict="reject"), reading(), R.R12_LOOK_AGAIN, ""),
    (
        "refused, and quiet",
        standing(sent_ago=LONG_AGO, verdict="reject", provider_code="6050"),
        reading(),
        R.R12_QUIET_REFUSAL,
        "vipps_6050",
    ),
    ("our key in conflict", standing(sent_ago=JUST, verdict="conflict"), reading(), R.R12_LOOK_AGAIN, ""),
    (
        "failed in the log",
        standing(sent_ago=JUST),
        reading(event("CANCELLED", 50_000, success=False)),
        R.R10_REFUSED,
        "failed_at_vipps",
    ),
    ("taken back", standing(sent_ago=JUST), reading(*UNDONE), R.R10_REFUSED, "failed_at_vipps"),
    (
        "somebody else's failed",
        standing(sent_ago=JUST),
        reading(event("CANCELLED", 50_000, key="other", success=False)),
        None,
        "",
    ),
]


@pytest.mark.parametrize(("was", "seen", "row", "outcome"), [case[1:] for case in SEEN], ids=[case[0] for case in SEEN])
def test_each_reading_has_its_move(was: Standing, seen: Reading, row: Move | None, outcome: str) -> None:
    step = release_deciding.resolve(was, seen, NOW)
    assert (step.move if step else None) is row
    assert (step.changes.get("outcome", "") if step else "") == outcome


ANSWERS: list[tuple[Meaning, str, Move, Move, str]] = [
    # meaning, Vipps' code, the move, the move with an earlier send unresolved, the verdict
    (Meaning.SUCCESS, "", R.R7_RELEASED, R.R7_RELEASED, ""),
    (Meaning.LAGGING, "", R.R8_NO_ANSWER, R.R8_NO_ANSWER, ""),
    (Meaning.AHEAD, "", R.R8_NO_ANSWER, R.R8_NO_ANSWER, ""),
    (Meaning.UNSURE, "", R.R8_NO_ANSWER, R.R8_NO_ANSWER, ""),
    (Meaning.NOT_SENT, "", R.R11_SOFT, R.R11_SOFT_UNRESOLVED, ""),
    (Meaning.UNAUTHORIZED, "", R.R11_SOFT, R.R11_SOFT_UNRESOLVED, ""),
    (Meaning.LOCKED, "6160", R.R11_SOFT, R.R11_SOFT_UNRESOLVED, ""),
    (Meaning.THROTTLED, "", R.R11_SOFT, R.R11_SOFT_UNRESOLVED, ""),
    (Meaning.REFUSED, "6250", R.R11_SOFT, R.R11_SOFT_UNRESOLVED, ""),
    (Meaning.CONFLICT, "4020", R.R9_KEY_CONFLICT, R.R9_KEY_CONFLICT, "conflict"),
    (Meaning.REFUSED, "6030", R.R10_REFUSED, R.R10_REFUSED_UNRESOLVED, "reject"),
    (Meaning.MISCONFIGURED, "5090", R.R10_REFUSED, R.R10_REFUSED_UNRESOLVED, "reject"),
    (Meaning.DEFECT, "", R.R10_DEFECT, R.R10_REFUSED_UNRESOLVED, "reject"),
    *[
        (meaning, code, R.R10_REFUSED_UNRESOLVED, R.R10_REFUSED_UNRESOLVED, "reject")
        for code in sorted(release_deciding.STATE_CODES)
        for meaning in (Meaning.REFUSED, Meaning.MISCONFIGURED, Meaning.CONFLICT, Meaning.UNSURE)
    ],
]


@pytest.mark.parametrize(("meaning", "code", "resolved", "unresolved", "verdict"), ANSWERS)
def test_each_answer_has_its_move(meaning: Meaning, code: str, resolved: Move, unresolved: Move, verdict: str) -> None:
    outcome = Outcome(meaning=meaning, status=200 if meaning is Meaning.SUCCESS else 400, code=code)
    for was, row in ((standing(), resolved), (standing(sent_ago=JUST), unresolved)):
        step = release_deciding.after_answer(was, outcome, intended_at=NOW, now=NOW)
        assert row_for(Kind.RELEASE, step.move) is row
        assert step.changes.get("verdict", "") == verdict


def test_what_speaks_of_the_payments_state_leaves_doubt_and_is_looked_into_soon() -> None:
    outcome = Outcome(meaning=Meaning.REFUSED, status=400, code="6050")
    step = release_deciding.after_answer(standing(), outcome, intended_at=NOW, now=NOW)
    assert step.changes["indeterminate_since"] == NOW
    assert step.changes["next_action_at"] <= NOW + timedelta(seconds=2)
    assert step.changes["outcome"] == "vipps_6050"


def test_the_window_and_the_quiet_time_are_the_refunds_own() -> None:
    almost = standing(sent_ago=states.RESEND_WINDOW - timedelta(seconds=1))
    assert release_deciding.resolve(almost, reading(), NOW) is None
    whole = standing(sent_ago=states.RESEND_WINDOW)
    step = release_deciding.resolve(whole, reading(), NOW)
    assert step is not None
    assert step.move is R.R12_NEW_KEY
