"""The table of a release's moves: as a refund's, without money; and what the database itself refuses."""

from typing import Any

import pgtrigger
import pytest
from django.db import IntegrityError, transaction

from refunds import release_moves, states
from refunds.models import ENDS, FAILED, Kind, LedgerEntry, OrderAccount, Refund, State
from refunds.release_moves import RELEASE_MOVES, row_for, settle_as_released
from refunds.states import MOVES, Move
from stores import audit
from stores.actors import hub
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.releases import ask_release, no_money_moved, reserved

BY = hub("worker")
NAMES = [f"{row.name}-{row.after.value}" for row in RELEASE_MOVES]
WITHOUT_COUNTERPART = {states.T12_MISMATCH, states.T12_TWICE, states.T12_UNEXPLAINED}
"""What is about amounts, which a release has none of."""


@pytest.fixture
def release(chain: Chain) -> Refund:
    return ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund


def _put(release: Refund, state: State, **columns: Any) -> None:
    with pgtrigger.ignore("refunds.Refund:review_is_declined_by_two"), transaction.atomic():
        Refund.objects.filter(pk=release.pk).update(state=state, **columns)


def _told(release: Refund) -> list[str]:
    return [entry.event for entry in audit.timeline_of("refund", str(release.pk))]


def test_every_row_of_a_refund_has_its_counterpart_except_those_about_amounts() -> None:
    rows = {row: row_for(Kind.RELEASE, row) for row in MOVES if row not in WITHOUT_COUNTERPART}
    assert sorted(row.name for row in rows.values()) == sorted(row.name for row in RELEASE_MOVES)
    assert set(rows.values()) == set(RELEASE_MOVES)
    for row, counterpart in rows.items():
        after = State.RELEASED if row.after == State.REFUNDED else row.after
        expected = (row.name.replace("T", "R", 1), set(row.before), after, row.fenced, row.unsent, None, Kind.RELEASE)
        assert expected == (
            counterpart.name,
            set(counterpart.before),
            counterpart.after,
            counterpart.fenced,
            counterpart.unsent,
            counterpart.money,
            counterpart.kind,
        )
    for row in WITHOUT_COUNTERPART:
        with pytest.raises(KeyError):
            row_for(Kind.RELEASE, row)


def test_a_refund_keeps_its_own_rows_and_a_releases_row_stays() -> None:
    assert [row_for(Kind.REFUND, row) for row in MOVES] == list(MOVES)
    assert [row_for(Kind.RELEASE, row) for row in RELEASE_MOVES] == list(RELEASE_MOVES)


def test_only_late_success_leads_out_of_an_end_and_every_entry_to_review_holds() -> None:
    assert [row for row in RELEASE_MOVES if set(row.before) & set(ENDS)] == [release_moves.R7_AFTER_ALL]
    assert {row.name for row in RELEASE_MOVES if row.holds_order} == {"R7", "R10", "R14", "R14b"}
    assert {row.name for row in RELEASE_MOVES if State.SENDING in row.before and not row.fenced} == {"R7", "R13"}


BY_ONE = [row for row in RELEASE_MOVES if row is not release_moves.R15_DECLINED]
"""The database lets only two people decline what is in review."""


@pytest.mark.parametrize("row", BY_ONE, ids=[f"{row.name}-{row.after.value}" for row in BY_ONE])
def test_each_move_changes_state_and_trail_and_no_money(release: Refund, row: Move) -> None:
    _put(release, row.before[0], fence=3)
    entries, told = LedgerEntry.objects.count(), _told(release)
    assert states.move(release, row, by=BY, because="the test says so", fence=3 if row.fenced else None)
    release.refresh_from_db()
    assert (release.state, release.ended_at is not None) == (row.after, row.after in ENDS)
    assert _told(release) == [*told, "release.moved"]
    assert LedgerEntry.objects.count() == entries
    assert no_money_moved(release.order)
    assert OrderAccount.objects.get(order_id=release.order_id).on_hold is row.holds_order


@pytest.mark.parametrize("row", RELEASE_MOVES, ids=NAMES)
def test_no_move_starts_from_a_state_that_its_row_does_not_name(release: Refund, row: Move) -> None:
    told = _told(release)
    for state in set(State) - set(row.before) - {State.REFUNDED}:
        _put(release, state, fence=3)
        assert not states.move(release, row, by=BY, because="it must not", fence=3 if row.fenced else None), state
    assert _told(release) == told


@pytest.mark.parametrize("row", MOVES, ids=[f"{row.name}-{row.after.value}" for row in MOVES])
def test_no_row_of_a_refund_moves_a_release(release: Refund, row: Move) -> None:
    _put(release, row.before[0], fence=3)
    assert not states.move(release, row, by=BY, because="it must not", fence=3 if row.fenced else None)
    assert _told(release) == ["release.accepted"]


@pytest.mark.parametrize("row", RELEASE_MOVES, ids=NAMES)
def test_no_row_of_a_release_moves_a_refund(chain: Chain, row: Move) -> None:
    refund = ask(chain.sold(chain.bergen, "BGO-20261101-8811", 50_000), 1_000, who=chain.kari, store=chain.oslo).refund
    _put(refund, row.before[0], fence=3)
    assert not states.move(refund, row, by=BY, because="it must not", fence=3 if row.fenced else None)
    assert _told(refund) == ["refund.accepted"]


@pytest.mark.parametrize("state", [State.AWAITING_APPROVAL, State.QUEUED, State.SENDING, State.UNKNOWN, State.REVIEW])
def test_success_counts_from_every_state_that_is_no_end_and_once(release: Refund, state: State) -> None:
    _put(release, state, fence=9, verdict="reject")
    assert settle_as_released(release, by=BY, because="Vipps says so", trace_id="t-1")
    release.refresh_from_db()
    assert (release.state, release.outcome, release.verdict, release.trace_id) == ("released", "released", "", "t-1")
    assert not settle_as_released(release, by=BY, because="again")
    assert _told(release) == ["release.accepted", "release.moved"]


def test_success_after_an_end_goes_to_people_and_stays_with_them(release: Refund) -> None:
    _put(release, State.DECLINED)
    assert settle_as_released(release, by=BY, because="Vipps says so")
    assert not settle_as_released(release, by=BY, because="Vipps says so once more")
    release.refresh_from_db()
    assert (release.state, release.outcome, release.ended_at) == (State.REVIEW, "released_after_all", None)
    assert OrderAccount.objects.get(order_id=release.order_id).on_hold


def test_success_after_an_end_is_the_next_releases_where_there_is_one(chain: Chain, release: Refund) -> None:
    _put(release, State.DECLINED)
    following = ask_release(release.order, who=chain.kari, store=chain.oslo).refund
    assert not settle_as_released(release, by=BY, because="Vipps says so")
    release.refresh_from_db()
    following.refresh_from_db()
    assert (release.state, following.state) == (State.DECLINED, State.QUEUED)


@pytest.mark.parametrize(
    "columns",
    [
        {"state": State.REFUNDED},
        {"amount_minor": 1},
        {"uncaptured_minor": None},
        {"uncaptured_minor": 0},
        {"kind": Kind.REFUND},
    ],
    ids=str,
)
def test_the_database_refuses_a_release_with_an_amount_or_by_a_refunds_name(release: Refund, columns: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"constraint|Cannot update"), transaction.atomic():
        Refund.objects.filter(pk=release.pk).update(**columns)


def test_the_database_refuses_a_refund_that_is_called_released(chain: Chain) -> None:
    refund = ask(chain.sold(chain.bergen, "BGO-20261101-8812", 50_000), 1_000, who=chain.kari, store=chain.oslo).refund
    with pytest.raises(IntegrityError), transaction.atomic():
        _put(refund, State.RELEASED)


def test_the_database_refuses_a_second_release_while_one_is_open_or_done(release: Refund) -> None:
    copy = Refund.objects.get(pk=release.pk)
    copy.pk, copy.client_key, copy.number = type(release.pk)(int=1), "another", 9
    for state in set(State) - set(FAILED) - {State.REFUNDED}:
        _put(release, state)
        copy.state = State.QUEUED
        with pytest.raises(IntegrityError, match="one_release_per_order"), transaction.atomic():
            copy.save(force_insert=True)
