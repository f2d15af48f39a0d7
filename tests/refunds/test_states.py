"""The table of moves against the protocol's own, and the one function that makes them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pgtrigger
import pytest
from django.db import ProgrammingError, transaction

from refunds import ledger, states
from refunds.models import (
    ENDS,
    EntryKind,
    LedgerEntry,
    Observation,
    OrderAccount,
    Outbox,
    Refund,
    ReviewProposal,
    Source,
    State,
    Verdict,
)
from refunds.states import MOVES, Move
from stores import audit, clock
from stores.actors import hub
from stores.models import User
from tests.conftest import Chain
from tests.refunds.asking import ask, run

BY = hub("worker")

# name: (from, to, needs the claim's fence, needs sends = 0, what becomes of the money)
PROTOCOL: set[tuple[str, frozenset[str], str, bool, bool, str | None]] = {
    ("T2", frozenset({"awaiting_approval"}), "queued", False, False, None),
    ("T2r", frozenset({"awaiting_approval"}), "rejected", False, False, "void"),
    ("T3", frozenset({"queued", "awaiting_approval"}), "cancelled", False, True, "void"),
    ("T4", frozenset({"awaiting_approval"}), "cancelled", False, False, "void"),
    ("T5", frozenset({"queued", "unknown"}), "sending", False, False, None),
    ("T5b", frozenset({"sending"}), "queued", True, False, None),
    ("T5b", frozenset({"sending"}), "unknown", True, False, None),
    ("T7", frozenset({"awaiting_approval", "queued", "sending", "unknown", "review"}), "refunded", False, False, "post"),
    ("T7", frozenset({"declined", "cancelled", "rejected"}), "review", False, False, "correction"),
    ("T8", frozenset({"sending"}), "unknown", True, False, None),
    ("T9", frozenset({"sending"}), "unknown", True, False, None),
    ("T10", frozenset({"sending"}), "declined", True, False, "void"),
    ("T10", frozenset({"sending"}), "unknown", True, False, None),
    ("T10", frozenset({"sending"}), "review", True, False, None),
    ("T10p", frozenset({"sending"}), "declined", True, True, "void"),
    ("T11", frozenset({"sending"}), "queued", True, False, None),
    ("T11", frozenset({"sending"}), "unknown", True, False, None),
    ("T12b", frozenset({"sending"}), "review", True, False, None),
    ("T12c", frozenset({"sending"}), "review", True, False, None),
    ("T12d", frozenset({"sending"}), "declined", True, False, "void"),
    ("T12f", frozenset({"sending"}), "queued", True, False, None),
    ("T12f", frozenset({"sending"}), "review", True, False, None),
    ("T12g", frozenset({"sending"}), "unknown", True, False, None),
    ("T13", frozenset({"sending"}), "unknown", False, False, None),
    ("T14", frozenset({"unknown"}), "review", False, False, None),
    ("T14b", frozenset({"queued"}), "review", False, False, None),
    ("T15", frozenset({"review"}), "refunded", False, False, "post"),
    ("T15", frozenset({"review"}), "declined", False, False, "void"),
}

TIMES: dict[str, Any] = {
    "LEASE": timedelta(seconds=60),
    "CALL_BUDGET": timedelta(seconds=30),
    "SEND_WITHIN_SECONDS": 5.0,
    "RESEND_WINDOW": timedelta(hours=12),
    "QUIET_TIME": timedelta(hours=12),
    "SOFT_REFUSALS_BEFORE_NEW_KEY": 3,
    "LAST_GENERATION": 3,
    "GIVE_TO_PEOPLE_AFTER": timedelta(hours=24),
    "APPROVAL_EXPIRES_AFTER": timedelta(hours=24),
}


def test_the_table_is_the_protocols() -> None:
    rows = {
        (row.name, frozenset(state.value for state in row.before), row.after.value, row.fenced, row.unsent, _money(row))
        for row in MOVES
    }
    assert rows == PROTOCOL
    assert len(MOVES) == len(PROTOCOL)


def test_the_times_are_the_protocols() -> None:
    assert {name: getattr(states, name) for name in TIMES} == TIMES


def _money(row: Move) -> str | None:
    return row.money.value if row.money is not None else None


def test_money_is_released_or_posted_at_every_end_and_nowhere_else() -> None:
    for row in MOVES:
        if row.after == State.REFUNDED:
            assert row.money == EntryKind.POST, row
        elif row.after in ENDS:
            assert row.money == EntryKind.VOID, row
        else:
            assert row.money in (None, EntryKind.CORRECTION), row


def test_only_late_success_leads_out_of_an_end() -> None:
    assert [row for row in MOVES if set(row.before) & set(ENDS)] == [states.T7_AFTER_ALL]


def test_every_entry_to_review_holds_the_order_and_nothing_else_does() -> None:
    assert {row.name for row in MOVES if row.holds_order} == {"T7", "T10", "T12b", "T12c", "T12f", "T14", "T14b"}
    assert all(row.after == State.REVIEW for row in MOVES if row.holds_order)


def test_whatever_may_follow_a_call_needs_the_fence_except_success() -> None:
    unfenced = {row.name for row in MOVES if State.SENDING in row.before and not row.fenced}
    assert unfenced == {"T7", "T13"}


@pytest.fixture
def refund(chain: Chain) -> Refund:
    order = chain.sold(chain.bergen, "BGO-20261101-7801", 50_000)
    return ask(order, 20_000, who=chain.kari, store=chain.oslo).refund


def _put(refund: Refund, state: State, **columns: Any) -> None:
    with pgtrigger.ignore("refunds.Refund:review_is_declined_by_two"):
        Refund.objects.filter(pk=refund.pk).update(state=state, **columns)


def _as_two_people_agreed(refund: Refund, ends_as: State) -> None:
    """A confirmed proposal that the refund ends so."""
    first, second = User.objects.filter(username__in=("hanne", "mona")).order_by("username")
    readings = [
        Observation.objects.create(
            order=refund.order, refund=refund, source=source, facts={}, digest=source, seen_at=clock.db_now()
        )
        for source in (Source.PAYMENT, Source.EVENTS)
    ]
    ReviewProposal.objects.create(
        refund=refund,
        ends_as=ends_as,
        note="agreed",
        proposed_by=first,
        decided_by=second,
        decided_at=clock.db_now(),
        verdict=Verdict.CONFIRMED,
        payment=readings[0],
        log=readings[1],
    )


def _told(refund: Refund) -> list[str]:
    return [entry.event for entry in audit.timeline_of("refund", str(refund.pk))]


def _balances(refund: Refund) -> tuple[int, int, int, bool]:
    account = OrderAccount.objects.get(order_id=refund.order_id)
    return account.posted_minor, account.reserved_minor, account.external_minor, account.on_hold


# T7 after an end books a correction of money that is no longer reserved, so its balances are its own test's business.
@pytest.mark.parametrize("row", MOVES, ids=[f"{row.name}-{row.after.value}" for row in MOVES])
def test_each_move_changes_state_money_and_trail_together(refund: Refund, row: Move) -> None:
    before = row.before[0]
    _put(refund, before, fence=3)
    if row is states.T7_AFTER_ALL:
        ledger.book(refund.order, EntryKind.VOID, refund.amount_minor, refund=refund)
    if row.name == "T15":
        _as_two_people_agreed(refund, row.after)
    entries, told = LedgerEntry.objects.count(), _told(refund)
    assert states.move(refund, row, by=BY, because="the test says so", fence=3 if row.fenced else None)
    refund.refresh_from_db()
    assert refund.state == row.after
    assert (refund.ended_at is not None) is (row.after in ENDS)
    assert _told(refund) == [*told, "refund.moved"]
    facts = audit.facts_of(audit.timeline_of("refund", str(refund.pk)).reverse()[0])
    assert (facts["move"], facts["before"], facts["after"]) == (row.name, before.value, row.after.value)
    booked = [entry.kind for entry in LedgerEntry.objects.order_by("pk")[entries:]]
    assert booked == ([] if row.money is None else [row.money])
    assert (
        _balances(refund)
        == {
            None: (0, 20_000, 0, row.holds_order),
            EntryKind.POST: (20_000, 0, 0, False),
            EntryKind.VOID: (0, 0, 0, False),
            EntryKind.CORRECTION: (20_000, 0, 0, True),
        }[row.money]
    )
    assert audit.verify().bad is None


@pytest.mark.parametrize("row", MOVES, ids=[f"{row.name}-{row.after.value}" for row in MOVES])
def test_no_move_starts_from_a_state_that_its_row_does_not_name(refund: Refund, row: Move) -> None:
    told, money = _told(refund), _balances(refund)
    for state in set(State) - set(row.before) - {State.RELEASED}:  # where the database lets no refund be
        _put(refund, state, fence=3)
        assert not states.move(refund, row, by=BY, because="it must not", fence=3 if row.fenced else None), state
        refund.refresh_from_db()
        assert refund.state == state
    assert (_told(refund), _balances(refund)) == (told, money)
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize(
    "row", [row for row in MOVES if row.fenced], ids=[f"{row.name}-{row.after.value}" for row in MOVES if row.fenced]
)
def test_a_stale_fence_moves_nothing(refund: Refund, row: Move) -> None:
    _put(refund, row.before[0], fence=4)
    assert not states.move(refund, row, by=BY, because="too late", fence=3)
    refund.refresh_from_db()
    assert refund.state == row.before[0]
    assert _told(refund) == ["refund.accepted"]
    assert _balances(refund) == (0, 20_000, 0, False)


def test_a_fenced_move_without_a_fence_is_a_mistake_of_ours(refund: Refund) -> None:
    _put(refund, State.SENDING)
    with pytest.raises(ValueError, match="T8 needs the fence"):
        states.move(refund, states.T8_NO_ANSWER, by=BY, because="forgot")
    refund.refresh_from_db()
    assert refund.state == State.SENDING


@pytest.mark.parametrize("row", [states.T3_CANCEL, states.T10_PREFLIGHT])
def test_nothing_that_was_sent_is_withdrawn(refund: Refund, row: Move) -> None:
    _put(refund, row.before[0], sends=1, fence=1)
    assert not states.move(refund, row, by=BY, because="too late", fence=1 if row.fenced else None)
    assert _balances(refund) == (0, 20_000, 0, False)


@pytest.mark.parametrize(("ends_as", "verdict"), [("refunded", "confirmed"), ("declined", "withdrawn"), (None, None)])
def test_the_database_itself_declines_no_review_without_two_people(
    refund: Refund, ends_as: State | None, verdict: str | None
) -> None:
    _put(refund, State.REVIEW)
    if ends_as is not None:
        _as_two_people_agreed(refund, State(ends_as))
        with pgtrigger.ignore("refunds.ReviewProposal:review_verdict_is_final"):
            ReviewProposal.objects.update(verdict=verdict, **({} if verdict == "confirmed" else {"decided_by": None}))
    with pytest.raises(ProgrammingError, match="two people"), transaction.atomic():
        states.move(refund, states.T15_DECLINED, by=BY, because="one alone")
    refund.refresh_from_db()
    assert refund.state == State.REVIEW
    assert _balances(refund)[:2] == (0, 20_000)


def test_a_refund_that_nobody_has_moves_nothing(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7802", 50_000)
    ledger.open_account(order)
    ghost = Refund(id=UUID(int=7), order=order, amount_minor=1)
    assert not states.move(ghost, states.T4_EXPIRE, by=BY, because="none")
    assert LedgerEntry.objects.count() == 0


@pytest.mark.parametrize("state", [State.AWAITING_APPROVAL, State.QUEUED, State.SENDING, State.UNKNOWN, State.REVIEW])
def test_success_counts_from_every_state_that_is_no_end(refund: Refund, state: State) -> None:
    _put(refund, state, fence=9, verdict="reject")
    assert states.settle_as_refunded(refund, by=BY, because="Vipps says so", trace_id="t-1")
    refund.refresh_from_db()
    assert (refund.state, refund.outcome, refund.verdict, refund.trace_id) == ("refunded", "refunded", "", "t-1")
    assert _balances(refund)[:2] == (20_000, 0)


def test_success_told_twice_counts_once(refund: Refund) -> None:
    _put(refund, State.SENDING)
    assert states.settle_as_refunded(refund, by=BY, because="first")
    assert not states.settle_as_refunded(refund, by=BY, because="again")
    assert _balances(refund) == (20_000, 0, 0, False)
    assert _told(refund) == ["refund.accepted", "refund.moved"]


@pytest.mark.parametrize("row", [states.T10_REFUSED, states.T3_CANCEL])
def test_success_after_an_end_goes_to_people_with_a_correction_and_a_hold(refund: Refund, row: Move) -> None:
    _put(refund, row.before[0], fence=1)
    assert states.move(refund, row, by=BY, because="it seemed so", fence=1 if row.fenced else None)
    assert states.settle_as_refunded(refund, by=BY, because="Vipps says so")
    refund.refresh_from_db()
    assert (refund.state, refund.outcome, refund.ended_at) == (State.REVIEW, "refunded_after_all", None)
    assert _balances(refund) == (20_000, 0, 0, True)
    assert [entry.kind for entry in LedgerEntry.objects.order_by("pk")] == ["reserve", "void", "correction"]


def test_success_told_again_after_a_correction_is_not_counted_twice(chain: Chain, refund: Refund) -> None:
    other = ask(refund.order, 25_000, who=chain.kari, store=chain.oslo).refund
    _put(refund, State.SENDING, fence=1)
    assert states.move(refund, states.T10_REFUSED, by=BY, because="it seemed so", fence=1)
    assert states.settle_as_refunded(refund, by=BY, because="Vipps says so")
    assert not states.settle_as_refunded(refund, by=BY, because="Vipps says so once more")
    refund.refresh_from_db()
    assert refund.state == State.REVIEW
    assert _balances(refund) == (20_000, other.amount_minor, 0, True)


def test_the_end_of_one_refund_wakes_the_next_of_its_order(chain: Chain, refund: Refund) -> None:
    waiting = ask(refund.order, 5_000, who=chain.kari, store=chain.oslo).refund
    Outbox.objects.all().delete()
    assert run(refund).state == State.REFUNDED
    assert list(Outbox.objects.values_list("refund_id", flat=True)) == [waiting.pk]


def test_the_whole_life_of_a_refund_is_in_the_trail(refund: Refund) -> None:
    run(refund)
    moves = [audit.facts_of(entry).get("move", entry.event) for entry in audit.timeline_of("refund", str(refund.pk))]
    assert moves == ["refund.accepted", "T5", "refund.intended", "T7"]
