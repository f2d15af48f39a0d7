"""The Report API: ledgers, funds and fees by date and as a feed."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from stores.vipps.errors import Misconfigured, OurDefect, Throttled, Unauthorized, Unsure, VippsError
from stores.vipps.report import Entry, Ledger, Report, Topic
from tests.stores.vipps.canned import told
from tests.stores.vipps.recorded import accountant, unit
from tests.stores.vipps.world import BERGEN, World

LEDGER = {
    "ledgerId": "302321",
    "currency": "NOK",
    "payoutBankAccount": {"scheme": "BBAN:NO", "id": "86011117947"},
    "owner": {"scheme": "business:NO:ORG", "id": "987654321"},
    "settlesForRecipientHandles": ["api:100001", "api:100002"],
}
ENTRY: dict[str, Any] = {
    "pspReference": "3343121302",
    "time": "2026-09-16T12:00:00.1234567Z",
    "ledgerDate": "2026-09-16",
    "entryType": "refund",
    "reference": "bergen-2026-0001",
    "currency": "NOK",
    "amount": -2500,
    "balanceBefore": 10_000,
    "balanceAfter": 7_500,
    "recipientHandle": "api:100001",
}
FEED = {"items": [ENTRY], "cursor": "c-2", "tryLater": True}


def test_ledgers_are_found_by_the_unit_they_settle_for(world: World) -> None:
    session, recorder = unit(world, told({"items": [LEDGER], "cursor": "c-1"}))
    page = Report(session).ledgers(handle=f"api:{BERGEN}")
    assert recorder.call.path == "/settlement/v1/ledgers?settlesForRecipientHandles=api%3A100001"
    assert page.cursor == "c-1"
    assert page.items == (
        Ledger(
            ledger_id="302321",
            currency="NOK",
            handles=("api:100001", "api:100002"),
            owner="business:NO:ORG:987654321",
            bank_account="BBAN:NO:86011117947",
        ),
    )


def test_the_last_page_of_ledgers_has_no_cursor() -> None:
    session, recorder = accountant(told({"items": [{"ledgerId": "1"}], "cursor": ""}))
    page = Report(session).ledgers(cursor="a+b=")
    assert recorder.call.path == "/settlement/v1/ledgers?cursor=a%2Bb%3D"
    assert page.cursor is None
    assert page.items[0].handles == ()


def test_a_day_is_read_with_signed_amounts(world: World) -> None:
    session, recorder = unit(world, told({"items": [ENTRY], "hasMore": True, "tryLater": False, "cursor": "c-2"}))
    page = Report(session).by_date("302321", date(2026, 9, 16), cursor="c-1")
    assert recorder.call.path == "/report/v2/ledgers/302321/funds/dates/2026-09-16?cursor=c-1"
    assert (page.cursor, page.has_more, page.try_later) == ("c-2", True, False)
    assert page.entries == (
        Entry(
            entry_type="refund",
            amount=-2_500,
            currency="NOK",
            time=datetime(2026, 9, 16, 12, 0, 0, 123_456, tzinfo=UTC),
            ledger_date=date(2026, 9, 16),
            psp_reference="3343121302",
            reference="bergen-2026-0001",
            balance_before=10_000,
            balance_after=7_500,
            recipient_handle="api:100001",
        ),
    )


def test_a_feed_goes_on_from_its_cursor_and_says_when_more_will_come() -> None:
    session, recorder = accountant(told(FEED), told({**FEED, "items": [], "tryLater": False}))
    report = Report(session)
    assert report.feed("302321", topic=Topic.FEES).try_later is True
    assert recorder.call.path == "/report/v2/ledgers/302321/fees/feed"
    page = report.feed("302321", cursor="c-2")
    assert recorder.call.path == "/report/v2/ledgers/302321/funds/feed?cursor=c-2"
    assert (page.entries, page.cursor, page.try_later) == ((), "c-2", False)


@pytest.mark.parametrize("entry_type", ["payout-scheduled", "scheduled-for-payout", "something-new"])
def test_entries_of_other_kinds_are_read_without_a_payment(world: World, entry_type: str) -> None:
    entry = {**ENTRY, "entryType": entry_type, "pspReference": "", "reference": None, "recipientHandle": None}
    session, _ = unit(world, told({**FEED, "items": [entry]}))
    [found] = Report(session).feed("1").entries
    assert (found.entry_type, found.psp_reference, found.reference, found.recipient_handle) == (entry_type, None, None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "2500"},
        {"amount": -2500.0},
        {"amount": True},
        {"amount": None},
        {"ledgerDate": "yesterday"},
        {"time": "noon"},
        {"entryType": None},
        {"currency": 578},
        {"pspReference": 5},
        {"balanceAfter": "0"},
    ],
    ids=str,
)
def test_one_entry_that_cannot_be_read_spoils_the_page(world: World, change: dict[str, Any]) -> None:
    session, _ = unit(world, told({**FEED, "items": [ENTRY, {**ENTRY, **change}]}))
    with pytest.raises(Unsure):
        Report(session).feed("1")


@pytest.mark.parametrize("body", [{}, [], {"items": {}}, {"items": []}, {"items": [], "cursor": "c", "tryLater": "no"}])
def test_a_feed_that_cannot_be_read_is_unsure_and_not_empty(world: World, body: object) -> None:
    session, _ = unit(world, told(body))
    with pytest.raises(Unsure):
        Report(session).feed("1")


@pytest.mark.parametrize(
    "call",
    [
        lambda report: report.feed("../x"),
        lambda report: report.feed(""),
        lambda report: report.by_date("1?x=1", date(2026, 9, 16)),
        lambda report: report.ledgers(cursor="x" * 2001),
    ],
)
def test_what_is_no_ledger_never_becomes_a_path(world: World, call: Callable[[Report], object]) -> None:
    session, recorder = unit(world)
    with pytest.raises(OurDefect):
        call(Report(session))
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("status", "error"), [(404, Misconfigured), (403, Misconfigured), (429, Throttled), (500, Unsure)]
)
def test_refusals_are_typed(world: World, status: int, error: type[VippsError]) -> None:
    session, _ = unit(world, told({"title": "No such ledgerId", "status": status}, status))
    with pytest.raises(error) as caught:
        Report(session).feed("1")
    assert caught.value.detail == "No such ledgerId"


def test_keys_that_may_not_report_are_unauthorized(world: World) -> None:
    session, _ = unit(world, told({"title": "No"}, 401), told({"title": "No"}, 401))
    with pytest.raises(Unauthorized):
        Report(session).ledgers()
