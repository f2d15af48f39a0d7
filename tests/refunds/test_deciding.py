"""What the event log makes of a refund, as a table: each fact by itself, and each edge on both sides."""

from datetime import timedelta
from typing import Any

import pytest

from refunds import deciding, states
from refunds.deciding import Books, Reading, Standing
from tests.refunds.deciding_facts import (
    HOUR,
    INSTANT,
    NEW,
    NEXT_KEY,
    NOW,
    Expected,
    books,
    event,
    reading,
    sent,
    soon,
    standing,
    told,
)


@pytest.mark.parametrize(
    ("fence", "seconds"),
    [(1, 1), (2, 2), (3, 5), (4, 10), (5, 30), (6, 60), (7, 120), (8, 300), (9, 900), (10, 900), (99, 900)],
)
def test_each_claim_waits_longer_than_the_last(fence: int, seconds: int) -> None:
    assert deciding.next_look(fence, NOW) == NOW + timedelta(seconds=seconds)
    assert deciding.next_look(fence, NOW, at_least=3_600) == NOW + timedelta(seconds=seconds)
    assert deciding.next_look(fence, NOW, soft=True) == NOW + timedelta(seconds=max(seconds, 12))


def test_a_retry_after_is_never_cut_short() -> None:
    assert deciding.next_look(1, NOW, at_least=40.5, soft=True) == NOW + timedelta(seconds=40.5)
    assert deciding.next_look(1, NOW, at_least=3, soft=True) == NOW + timedelta(seconds=12)


OLD = {"past": (sent(12 * HOUR),), "unresolved_since": None}
QUIET = {"unresolved_since": NOW - 12 * HOUR}
TWICE = {"sends": 2, "past": (sent(2 * HOUR), sent())}
FAILED = event(success=False)
REJECT = {"verdict": "reject", "provider_code": "6150"}
NEW_KEY = {"generation": 1, "soft_refusals": 0, "indeterminate_since": None, "next_action_at": NOW}
UNSIGNED = event(idempotency_key=None)

RESOLVED: list[tuple[str, Standing, Reading, Books, Expected]] = [
    ("our key", standing(), reading(event()), books(), (states.T7_SUCCESS, {"psp_reference": "psp-1"})),
    (
        "our next key",
        standing(),
        reading(event(idempotency_key=NEXT_KEY)),
        books(),
        (states.T7_SUCCESS, {"psp_reference": "psp-1"}),
    ),
    ("twice", standing(), reading(event(), event()), books(), (states.T12_TWICE, {"outcome": "refunded_twice"})),
    (
        "twice under two keys",
        standing(),
        reading(event(), event(idempotency_key=NEXT_KEY)),
        books(),
        (states.T12_TWICE, {"outcome": "refunded_twice"}),
    ),
    ("more", standing(), reading(event(25_001)), books(), (states.T12_MISMATCH, {"outcome": "other_amount"})),
    ("other money", standing(), reading(event(currency="DKK")), books(), (states.T12_MISMATCH, {"outcome": "other_amount"})),
    ("taken back", standing(), reading(event(), FAILED), books(), (states.T12_MISMATCH, {"outcome": "undone"})),
    ("failed, then done", standing(), reading(FAILED, event()), books(), (states.T7_SUCCESS, {"psp_reference": "psp-1"})),
    (
        "done, and another key failed",
        standing(),
        reading(event(), event(idempotency_key=NEXT_KEY, success=False)),
        books(),
        (states.T7_SUCCESS, {"psp_reference": "psp-1"}),
    ),
    ("another operation", standing(), reading(event(name="CANCELLED")), books(), None),
    ("another key", standing(), reading(event(idempotency_key="rh1-2"), refunded=0), books(), None),
    # The log says no.
    ("failed", standing(), reading(FAILED), books(), (states.T10_REFUSED, {"outcome": "failed_at_vipps"})),
    (
        "failed twice of two",
        standing(**TWICE),
        reading(FAILED, FAILED),
        books(),
        (states.T10_REFUSED, {"outcome": "failed_at_vipps"}),
    ),
    (
        "failed once of two",
        standing(**TWICE),
        reading(FAILED),
        books(),
        (states.T12_LOOK_AGAIN, {"verdict": "reject", "outcome": "failed_at_vipps", **soon(1)}),
    ),
    (
        "failed once, the other was answered",
        standing(sends=2, past=(sent(2 * HOUR, is_clear=True), sent())),
        reading(FAILED),
        books(),
        (states.T10_REFUSED, {"outcome": "failed_at_vipps"}),
    ),
    ("failed, told before", standing(**TWICE, **REJECT), reading(FAILED), books(), (states.T12_LOOK_AGAIN, soon(1))),
    (
        "an earlier key failed",
        standing(sends=2, generation=1, past=(sent(14 * HOUR, is_clear=True), sent(generation=1))),
        reading(FAILED),
        books(),
        None,
    ),
    ("failed, and nothing is known to have been sent", NEW, reading(FAILED), books(), None),
    # Nothing is to be seen.
    ("nothing, young", standing(), reading(), books(), None),
    ("nothing was sent", NEW, reading(), books(), None),
    ("almost too old", standing(past=(sent(12 * HOUR - INSTANT),)), reading(), books(), None),
    ("too old, not quiet", standing(past=(sent(12 * HOUR), sent())), reading(), books(), (states.T12_LOOK_AGAIN, soon(1))),
    ("too old and quiet", standing(**OLD), reading(), books(), (states.T12_NEW_KEY, NEW_KEY)),
    ("just quiet", standing(past=(sent(12 * HOUR),), **QUIET), reading(), books(), (states.T12_NEW_KEY, NEW_KEY)),
    (
        "almost quiet",
        standing(past=(sent(13 * HOUR),), unresolved_since=NOW - 12 * HOUR + INSTANT),
        reading(),
        books(),
        (states.T12_LOOK_AGAIN, soon(1)),
    ),
    (
        "an old key's age does not count",
        standing(sends=2, generation=1, past=(sent(14 * HOUR), sent(generation=1)), unresolved_since=None),
        reading(),
        books(),
        None,
    ),
    ("worn out", standing(soft_refusals=3, unresolved_since=None), reading(), books(), (states.T12_NEW_KEY, NEW_KEY)),
    ("almost worn out", standing(soft_refusals=2, unresolved_since=None), reading(), books(), None),
    ("worn out, not quiet", standing(soft_refusals=3), reading(), books(), None),
    (
        "the third new key",
        standing(generation=2, past=(), soft_refusals=3, unresolved_since=None),
        reading(),
        books(),
        (states.T12_NEW_KEY, {**NEW_KEY, "generation": 3}),
    ),
    (
        "no key is left",
        standing(generation=3, past=(), soft_refusals=3, unresolved_since=None),
        reading(),
        books(),
        (states.T12_LOOK_AGAIN, {"outcome": "keys_used_up"}),
    ),
    ("too old, more is gone", standing(**OLD), reading(refunded=1), books(), (states.T12_UNEXPLAINED, {})),
    ("too old, less is gone", standing(**OLD), reading(), books(posted=1), (states.T12_UNEXPLAINED, {})),
    (
        "too old, others' money",
        standing(**OLD),
        reading(refunded=3),
        books(posted=2, external=1),
        (states.T12_NEW_KEY, NEW_KEY),
    ),
    # Vipps said no, or that it knows the key with other content.
    ("conflict", standing(verdict="conflict", **OLD), reading(), books(), (states.T12_LOOK_AGAIN, soon(1))),
    ("refused, not quiet", standing(**REJECT), reading(), books(), (states.T12_LOOK_AGAIN, soon(1))),
    (
        "refused and quiet",
        standing(**REJECT, **QUIET),
        reading(),
        books(),
        (states.T12_QUIET_REFUSAL, {"outcome": "vipps_6150"}),
    ),
    (
        "refused by the log and quiet",
        standing(verdict="reject", outcome="failed_at_vipps", **QUIET),
        reading(),
        books(),
        (states.T12_QUIET_REFUSAL, {"outcome": "failed_at_vipps"}),
    ),
    (
        "refused, but money is gone",
        standing(**REJECT, **QUIET),
        reading(refunded=25_000),
        books(),
        (states.T12_UNEXPLAINED, {}),
    ),
]


@pytest.mark.parametrize(
    ("known", "seen", "ledger", "expected"), [row[1:] for row in RESOLVED], ids=[row[0] for row in RESOLVED]
)
def test_what_the_log_makes_of_a_refund(known: Standing, seen: Reading, ledger: Books, expected: Expected) -> None:
    assert told(deciding.resolve(known, seen, ledger, NOW)) == expected


def test_a_log_that_was_not_read_shows_nothing() -> None:
    unread = Reading(payment=reading().payment, events=None)
    assert deciding.resolve(standing(), unread, books(), NOW) is None
    assert not deciding.has_unexplained_money(standing(), unread, books())


@pytest.mark.parametrize(
    ("known", "unsigned", "is_unexplained"),
    [
        (standing(), UNSIGNED, True),
        (standing(), event(idempotency_key=None, timestamp=NOW - HOUR), True),
        (standing(), event(idempotency_key=None, timestamp=NOW - HOUR - INSTANT), False),
        (standing(past=(sent(3 * HOUR), sent())), event(idempotency_key=None, timestamp=NOW - 2 * HOUR), True),
        (NEW, event(idempotency_key=None, timestamp=NOW - 99 * HOUR), True),
        (standing(), event(24_999, idempotency_key=None), False),
        (standing(), event(25_001, idempotency_key=None), False),
        (standing(), event(idempotency_key=None, success=False), False),
        (standing(), event(idempotency_key=None, name="CAPTURED"), False),
        (standing(), event(idempotency_key="portal"), False),
    ],
)
def test_an_unsigned_refund_of_our_amount_since_our_first_send_is_unexplained(
    known: Standing, unsigned: Any, is_unexplained: bool
) -> None:
    seen = reading(unsigned, refunded=25_000)
    assert deciding.has_unexplained_money(known, seen, books(external=25_000)) is is_unexplained
