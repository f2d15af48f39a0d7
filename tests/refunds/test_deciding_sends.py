"""What keeps a refund from being sent, and what follows from an answer, as tables: each edge on both sides."""

from datetime import timedelta
from typing import Any

import pytest

from refunds import deciding, states
from refunds.deciding import Books, Reading, Standing
from refunds.gateway import CONSEQUENCES, Meaning, Outcome
from refunds.models import Kind
from tests.refunds.deciding_facts import (
    HOUR,
    KEY,
    NEW,
    NEXT_KEY,
    NOW,
    Expected,
    books,
    event,
    reading,
    soon,
    standing,
    told,
)

SENT_ONCE_TO_WAIT = standing(unresolved_since=None)
RESTORED = standing(sends=0, past=(), unresolved_since=None, is_after_restore=True)
HELD = {"outcome": "restored", **soon(30)}


def preflight(outcome: str) -> Expected:
    return states.T10_PREFLIGHT, {"outcome": outcome}


GUARDED: list[tuple[str, Standing, Reading, Books, Expected]] = [
    ("all is well", NEW, reading(), books(), None),
    ("all of it", standing(amount_minor=100_000), reading(), books(reserved=100_000), None),
    ("on hold", NEW, reading(), books(on_hold=True), (states.T5_STEP_BACK, {})),
    ("on hold, unresolved", standing(), reading(), books(on_hold=True), (states.T5_STEP_BACK_UNRESOLVED, {})),
    ("nothing taken", NEW, reading(captured=0), books(), preflight("not_captured")),
    ("another currency", NEW, reading(currency="DKK"), books(), preflight("other_currency")),
    ("more reserved than taken", NEW, reading(captured=24_999), books(), preflight("exceeds_captured")),
    ("just as much as is taken", NEW, reading(captured=25_000), books(), None),
    ("ours leaves too little", NEW, reading(refunded=80_000), books(posted=80_000), preflight("exceeds_captured")),
    ("others leave too little", NEW, reading(refunded=80_000), books(external=80_000), preflight("refunded_elsewhere")),
    ("too little, not seen in the books", NEW, reading(refunded=75_001), books(), preflight("refunded_elsewhere")),
    ("just enough", NEW, reading(refunded=75_000), books(posted=75_000), None),
    ("sent only to wait", SENT_ONCE_TO_WAIT, reading(captured=0), books(), (states.T10_REFUSED, {"outcome": "not_captured"})),
    ("sent, unresolved", standing(), reading(captured=0), books(), (states.T12_LOOK_AGAIN, soon(1))),
    (
        "sent under an earlier key",
        standing(generation=1, unresolved_since=None),
        reading(captured=0),
        books(),
        (states.T12_LOOK_AGAIN, soon(1)),
    ),
    ("restored, all explained", RESTORED, reading(captured=0), books(), preflight("not_captured")),
    ("restored, unexplained", RESTORED, reading(captured=0, refunded=1), books(), (states.T12_LOOK_AGAIN, soon(1))),
    (
        "restored and sent, unexplained",
        standing(unresolved_since=None, is_after_restore=True),
        reading(captured=0, refunded=1),
        books(),
        (states.T12_LOOK_AGAIN, soon(1)),
    ),
    (
        "restored and sent, all explained",
        standing(unresolved_since=None, is_after_restore=True),
        reading(captured=0),
        books(),
        (states.T10_REFUSED, {"outcome": "not_captured"}),
    ),
    ("a release", standing(kind=Kind.RELEASE), reading(captured=0), books(), None),
    (
        "a release in another currency",
        standing(kind=Kind.RELEASE, sends=0),
        reading(captured=0, currency="DKK"),
        books(),
        preflight("other_currency"),
    ),
]


@pytest.mark.parametrize(("known", "seen", "ledger", "expected"), [row[1:] for row in GUARDED], ids=[row[0] for row in GUARDED])
def test_what_keeps_a_refund_from_being_sent(known: Standing, seen: Reading, ledger: Books, expected: Expected) -> None:
    assert told(deciding.before_sending(known, seen, ledger, NOW)) == expected


def test_while_a_restore_is_checked_nothing_is_sent() -> None:
    assert told(deciding.before_sending(NEW, reading(), books(), NOW, is_held_back=True)) == (states.T5_STEP_BACK, HELD)


@pytest.mark.parametrize(
    ("ages", "seconds"),
    [((), None), ((59, 40, 30, 20), None), ((59, 40, 30, 20, 10), 1), ((59, 40, 30, 20, 10, 5), 20), ((61,) * 5, 0)],
)
def test_vipps_takes_five_changes_a_minute_of_one_payment(ages: tuple[int, ...], seconds: int | None) -> None:
    recent = [NOW - timedelta(seconds=age) for age in ages]
    expected = None if seconds is None else (states.T5_STEP_BACK, {"outcome": "paced", **soon(seconds)})
    assert told(deciding.before_sending(NEW, reading(), books(), NOW, recent_sends=recent)) == expected


@pytest.mark.parametrize(("shown", "posted", "external", "before"), [(0, 0, 0, 0), (9, 3, 4, 9), (5, 3, 4, 7), (7, 3, 4, 7)])
def test_a_sum_that_lags_does_not_count(shown: int, posted: int, external: int, before: int) -> None:
    assert deciding.refunded_before(reading(refunded=shown), books(posted, external)) == before


def answered(meaning: Meaning, known: Standing, **more: Any) -> Expected:
    outcome = Outcome(meaning=meaning, status=400, trace_id="t-1", **more)
    return told(deciding.after_answer(known, outcome, intended_at=NOW - HOUR / 60, now=NOW))


def test_an_answer_makes_its_move_and_is_kept() -> None:
    first = standing(sends=0, past=(), unresolved_since=None, soft_refusals=1)
    facts = {"trace_id": "t-1", "provider_code": "", "verdict": "", "indeterminate_since": None, "soft_refusals": 1}
    assert answered(Meaning.SUCCESS, first) == (states.T7_SUCCESS, {"trace_id": "t-1"})
    refused = {**facts, "outcome": "vipps_6150", "provider_code": "6150", "verdict": "reject", **soon(1)}
    assert answered(Meaning.REFUSED, first, code="6150") == (states.T10_REFUSED, refused)
    waiting = {**facts, "outcome": "throttled", "soft_refusals": 2, **soon(40)}
    assert answered(Meaning.THROTTLED, first, retry_after=40) == (states.T11_SOFT, waiting)
    unsent = {**facts, "outcome": "not_sent", **soon(12)}
    assert answered(Meaning.NOT_SENT, first) == (states.T11_SOFT, unsent)
    doubtful = {**facts, "outcome": "unsure", "indeterminate_since": NOW - HOUR / 60, **soon(1)}
    assert answered(Meaning.UNSURE, first, retry_after=40) == (states.T8_NO_ANSWER, doubtful)


@pytest.mark.parametrize("known", [standing(verdict="conflict"), standing(verdict="conflict", is_after_restore=True)])
def test_an_answer_after_an_unresolved_send_leaves_that_open(known: Standing) -> None:
    move, changes = answered(Meaning.REFUSED, known) or (None, {})
    assert move is states.T10_REFUSED_UNRESOLVED
    assert (changes["verdict"], changes["indeterminate_since"]) == ("reject", NOW - HOUR)
    move, changes = answered(Meaning.LOCKED, known) or (None, {})
    assert move is states.T11_SOFT_UNRESOLVED
    assert (changes["verdict"], changes["indeterminate_since"], changes["soft_refusals"]) == ("conflict", NOW - HOUR, 1)


def test_a_send_that_a_restore_may_have_lost_counts_as_unresolved() -> None:
    move, _changes = answered(Meaning.REFUSED, RESTORED) or (None, {})
    assert move is states.T10_REFUSED_UNRESOLVED


UNREAD: list[tuple[Meaning, Standing, bool, Expected]] = [
    (
        Meaning.MISCONFIGURED,
        NEW,
        True,
        (states.T10_PREFLIGHT, {"outcome": "payment_not_found", "provider_code": "9", "trace_id": "t-1"}),
    ),
    (
        Meaning.MISCONFIGURED,
        NEW,
        False,
        (states.T10_PREFLIGHT, {"outcome": "store_misconfigured", "provider_code": "9", "trace_id": "t-1"}),
    ),
    (Meaning.MISCONFIGURED, standing(), True, (states.T5_STEP_BACK_UNRESOLVED, {"outcome": "misconfigured", **soon(1)})),
    (Meaning.MISCONFIGURED, RESTORED, True, (states.T5_STEP_BACK, {"outcome": "misconfigured", **soon(1)})),
    (Meaning.UNSURE, NEW, False, (states.T5_STEP_BACK, {"outcome": "unsure", **soon(1)})),
    (Meaning.THROTTLED, NEW, False, (states.T5_STEP_BACK, {"outcome": "throttled", **soon(40)})),
    (Meaning.LOCKED, NEW, False, (states.T5_STEP_BACK, {"outcome": "locked", **soon(40)})),
    (Meaning.UNAUTHORIZED, NEW, False, (states.T5_STEP_BACK, {"outcome": "unauthorized", **soon(1)})),
]


@pytest.mark.parametrize(("meaning", "known", "is_unknown", "expected"), UNREAD)
def test_a_payment_that_cannot_be_read_is_not_refunded(
    meaning: Meaning, known: Standing, is_unknown: bool, expected: Expected
) -> None:
    outcome = Outcome(meaning=meaning, status=404, code="9", trace_id="t-1", retry_after=40)
    assert told(deciding.after_failed_reading(known, outcome, is_unknown=is_unknown, now=NOW)) == expected


def test_without_keys_it_waits() -> None:
    step = deciding.without_keys(standing(fence=4), "no_keys", NOW)
    assert told(step) == (states.T5_STEP_BACK_UNRESOLVED, {"outcome": "no_keys", **soon(10)})


def test_only_what_was_never_sent_nor_lost_is_known_to_be_unsent() -> None:
    assert [known.was_never_sent for known in (NEW, standing(), RESTORED)] == [True, False, False]
    assert [known.may_have_been_applied for known in (NEW, standing(), RESTORED)] == [False, True, True]
    assert (
        tuple(
            meaning
            for meaning in CONSEQUENCES
            if meaning not in (Meaning.UNSURE, Meaning.LAGGING, Meaning.AHEAD, Meaning.CONFLICT)
        )
        == deciding.CLEAR_ANSWERS
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "refused"),
        ({"status": 400}, "refused (HTTP 400)"),
        ({"status": 400, "code": "6150", "detail": "too much"}, "refused (HTTP 400, Vipps' code 6150, too much)"),
        ({"detail": "too much"}, "refused (too much)"),
    ],
)
def test_an_answer_is_told_with_what_vipps_said(more: dict[str, Any], words: str) -> None:
    assert deciding.in_words(Outcome(meaning=Meaning.REFUSED, **more)) == words


def test_it_is_our_money_only_to_the_last_minor_unit() -> None:
    assert deciding.is_exactly(event(), amount_minor=25_000, currency="NOK")
    assert not deciding.is_exactly(event(), amount_minor=24_999, currency="NOK")
    assert not deciding.is_exactly(event(), amount_minor=25_000, currency="SEK")
    assert KEY != NEXT_KEY
