"""What an event log allows two people to say: the whole table, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from refunds import evidence, states
from refunds.evidence import Contradiction, Evidence, Found
from refunds.models import Ending
from stores.vipps.types import Amount, Event

SENT = datetime(2026, 11, 1, 12, tzinfo=UTC)
OURS, OURS_TOO, THEIRS = "rh1-a", "rh1-b", "shop-1"


def refunded(
    amount: int, key: str | None, psp: str, *, success: bool = True, minutes: int = 1, currency: str = "NOK"
) -> Event:
    return Event(
        reference="BGO-1",
        psp_reference=psp,
        name="REFUNDED",
        amount=Amount(currency=currency, value=amount),
        timestamp=SENT + timedelta(minutes=minutes),
        idempotency_key=key,
        success=success,
    )


CAPTURED = replace(refunded(100_000, None, "c"), name="CAPTURED")
EXACT = refunded(25_000, OURS, "p1")
OTHER = refunded(26_000, OURS, "p1")
SECOND = refunded(25_000, OURS_TOO, "p2")
UNDONE = refunded(25_000, OURS, "p1", success=False, minutes=5)
UNSIGNED = refunded(25_000, None, "p3")
UNSIGNED_BEFORE = refunded(25_000, None, "p3", minutes=-1)
UNSIGNED_OTHER = refunded(24_000, None, "p3")
UNSIGNED_EURO = refunded(25_000, None, "p3", currency="EUR")
FOREIGN = refunded(25_000, THEIRS, "p4")

NONE = Contradiction.SHOWS_NONE
SHOWN = Contradiction.SHOWS_OURS


def shown(*events: Event, **more: object) -> Evidence:
    sums = sum(event.amount.value for event in evidence.standing(events))
    facts: dict[str, object] = {
        "amount_minor": 25_000,
        "currency": "NOK",
        "refunded_minor": sums,
        "events": (CAPTURED, *events),
        "our_keys": frozenset({OURS, OURS_TOO}),
        "counted": frozenset(),
        "first_sent_at": SENT,
        "unresolved_since": None,
        "seen_at": SENT + timedelta(hours=1),
    }
    return Evidence(**{**facts, **more})  # type: ignore[arg-type]  # the facts of a table row


TABLE: list[tuple[str, Evidence, Contradiction | None, Contradiction | None]] = [
    # the log, may it end as refunded, may it end as declined (None: yes)
    ("nothing", shown(), NONE, None),
    ("ours", shown(EXACT), None, SHOWN),
    ("ours, another amount", shown(OTHER), None, SHOWN),
    ("ours, twice", shown(EXACT, SECOND), None, SHOWN),
    ("ours, refused", shown(replace(EXACT, success=False)), NONE, None),
    ("ours, taken back", shown(EXACT, UNDONE), NONE, None),
    ("ours, taken back, and again", shown(EXACT, UNDONE, SECOND), None, SHOWN),
    ("ours, refused before it went through", shown(replace(UNDONE, timestamp=SENT), EXACT), None, SHOWN),
    ("another's key", shown(FOREIGN), NONE, None),
    ("unsigned, our amount", shown(UNSIGNED), None, None),
    ("unsigned, before our first call", shown(UNSIGNED_BEFORE), NONE, None),
    ("unsigned, another amount", shown(UNSIGNED_OTHER), NONE, None),
    ("unsigned, another currency", shown(UNSIGNED_EURO), NONE, None),
    ("unsigned, counted already", shown(UNSIGNED, counted=frozenset({"p3"})), NONE, None),
    ("unsigned, but nothing was ever sent", shown(UNSIGNED, first_sent_at=None), NONE, None),
    ("unsigned, refused", shown(replace(UNSIGNED, success=False)), NONE, None),
    ("a sum that the log does not explain", shown(refunded_minor=25_000), NONE, Contradiction.IS_BEHIND),
    ("a sum that lags behind the log", shown(EXACT, refunded_minor=0), None, SHOWN),
    ("a call 11 hours ago", shown(unresolved_since=SENT - timedelta(hours=10)), NONE, Contradiction.TOO_EARLY),
    ("a call 12 hours before the look", shown(unresolved_since=SENT - timedelta(hours=11)), NONE, None),
    ("ours, and another call", shown(EXACT, unresolved_since=SENT), None, SHOWN),
]


@pytest.mark.parametrize(("log", "refunds", "declines"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_the_log_allows(log: Evidence, refunds: Contradiction | None, declines: Contradiction | None) -> None:
    assert evidence.contradiction(Ending.REFUNDED, log, quiet_time=states.QUIET_TIME) == refunds
    assert evidence.contradiction(Ending.DECLINED, log, quiet_time=states.QUIET_TIME) == declines


def test_never_both_ends_are_closed_for_good() -> None:
    """What closes both is a matter of asking again later."""
    closed = [name for name, _, refunds, declines in TABLE if refunds and declines]
    assert closed == ["a sum that the log does not explain", "a call 11 hours ago"]


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (shown(EXACT), Found(shown_minor=25_000, signed=("p1",))),
        (shown(OTHER), Found(shown_minor=26_000, signed=("p1",))),
        (shown(EXACT, SECOND), Found(shown_minor=50_000, signed=("p1", "p2"))),
        (shown(UNSIGNED), Found(shown_minor=25_000, claimed="p3")),
        (shown(EXACT, UNSIGNED), Found(shown_minor=25_000, signed=("p1",))),
        (shown(replace(EXACT, amount=Amount(currency="EUR", value=7))), Found(shown_minor=25_000, signed=("p1",))),
    ],
)
def test_what_is_counted_is_what_moved(log: Evidence, found: Found) -> None:
    assert evidence.found(log) == found


@pytest.mark.parametrize(
    ("events", "is_plain"),
    [
        ([EXACT], True),
        ([EXACT, UNDONE, SECOND], True),
        ([EXACT, FOREIGN, UNSIGNED], True),
        ([], False),
        ([OTHER], False),
        ([EXACT, SECOND], False),
        ([EXACT, UNDONE], False),
        ([UNSIGNED], False),
    ],
)
def test_only_one_exact_success_of_ours_is_plain(events: list[Event], is_plain: bool) -> None:
    keys = frozenset({OURS, OURS_TOO})
    plain = evidence.plainly_ours(events, keys=keys, amount_minor=25_000, currency="NOK")
    assert (plain is not None) is is_plain
