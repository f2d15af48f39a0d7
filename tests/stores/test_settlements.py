"""The settlement ledger: read once, page by page, from where the last reading ended; who may not read it is told why."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from stores import clock, settled, settlements
from stores.actors import hub
from stores.models import EntryType, SettlementAccess, SettlementEntry, SettlementFeed
from stores.vipps.simulator import Fault, FaultKind, SeededPayment
from tests.conftest import Chain

BERGEN = "100002"
REFERENCE = "BGO-20261101-8100"
PAGE = 1_000


def read(chain: Chain, code: str = "BGO") -> int:
    """As a worker would, when the row is due."""
    settlements.know_units()
    SettlementAccess.objects.update(next_read_at=clock.db_now())
    return settlements.read_settlement(chain.units[code].pk, by=hub("worker"), kept=lambda rows: None)


def access_of(chain: Chain, code: str) -> SettlementAccess:
    return SettlementAccess.objects.get(sales_unit=chain.units[code])


def sell_many(chain: Chain, count: int) -> None:
    paid_at = (datetime.now(UTC) - timedelta(days=1)).timestamp()
    chain.simulator.add_payments(
        SeededPayment(
            msn=BERGEN,
            reference=f"many-{number:05}",
            amount_minor=100,
            captured_minor=100,
            refunded_minor=0,
            currency="NOK",
            paid_at=paid_at,
            metadata={},
        )
        for number in range(count)
    )


@pytest.mark.django_db(transaction=True)
class TestReading:
    def test_every_line_is_kept_once_however_often_it_is_read(self, chain: Chain) -> None:
        order = chain.sold(chain.bergen, REFERENCE, 100_000)
        chain.simulator.portal_refund(BERGEN, REFERENCE, 30_000)
        read(chain)
        SettlementFeed.objects.update(cursor="")
        read(chain)
        kept = SettlementEntry.objects.order_by("pk").values_list("entry_type", "reference", "amount_minor", "sales_unit")
        unit = chain.units["BGO"].pk
        assert list(kept) == [("capture", REFERENCE, 100_000, unit), ("refund", REFERENCE, -30_000, unit)]
        assert [entry.amount_minor for entry in settled.entries_of(order)] == [-30_000]

    def test_the_cursor_goes_on_where_the_last_reading_ended(self, chain: Chain) -> None:
        chain.sold(chain.bergen, REFERENCE, 100_000)
        read(chain)
        cursor = SettlementFeed.objects.get().cursor
        chain.simulator.portal_refund(BERGEN, REFERENCE, 30_000)
        read(chain)
        feed = SettlementFeed.objects.get()
        assert feed.entries == 2
        assert feed.cursor != cursor

    def test_pages_of_a_thousand_are_read_to_their_end(self, chain: Chain) -> None:
        sell_many(chain, PAGE + 1)
        assert read(chain) == 2
        assert SettlementEntry.objects.count() == PAGE + 1
        assert SettlementFeed.objects.get().complete_at is not None

    def test_a_reader_that_dies_between_pages_goes_on_after_the_last_one_it_kept(self, chain: Chain) -> None:
        sell_many(chain, PAGE + 1)

        def dies(rows: Sequence[SettlementEntry]) -> None:
            if len(rows) < PAGE:
                raise SystemExit

        settlements.know_units()
        with pytest.raises(SystemExit):
            settlements.read_settlement(chain.units["BGO"].pk, by=hub("worker"), kept=dies)
        feed = SettlementFeed.objects.get()
        assert (feed.entries, feed.complete_at, SettlementEntry.objects.count()) == (PAGE, None, PAGE)
        assert settled.settled_until(chain.units["BGO"].pk) is None
        assert read(chain) == 1
        assert SettlementFeed.objects.get().entries == SettlementEntry.objects.count() == PAGE + 1

    def test_two_readers_at_once_are_one(self, chain: Chain) -> None:
        chain.sold(chain.bergen, REFERENCE, 100_000)
        seen: list[int] = []

        def meanwhile(rows: Sequence[SettlementEntry]) -> None:
            seen.append(settlements.read_settlement(chain.units["BGO"].pk, by=hub("sweep"), kept=lambda rows: None))

        settlements.know_units()
        assert settlements.read_settlement(chain.units["BGO"].pk, by=hub("worker"), kept=meanwhile) == 1
        assert seen == [0], "the first reader has it"
        assert SettlementFeed.objects.get().entries == SettlementEntry.objects.count() == 1


def test_partner_keys_are_noted_with_the_reason_and_asked_again_tomorrow(chain: Chain) -> None:
    assert read(chain, "TRD") == 0
    noted = access_of(chain, "TRD")
    assert noted.problem.startswith("Misconfigured: 403")
    assert noted.next_read_at > clock.db_now() + timedelta(hours=23)
    assert not SettlementFeed.objects.exists()


def test_keys_that_are_not_let_in_are_noted_and_nothing_breaks(chain: Chain) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.FORBIDDEN, operation="ledgers"))
    read(chain)
    assert access_of(chain, "BGO").problem.startswith("Misconfigured: 403")


def test_an_unclear_answer_is_asked_again_soon(chain: Chain) -> None:
    chain.sold(chain.bergen, REFERENCE, 100_000)
    chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, operation="feed", times=10))
    read(chain)
    noted = access_of(chain, "BGO")
    assert noted.problem.startswith("Unsure")
    assert noted.next_read_at < clock.db_now() + timedelta(minutes=16)
    assert settled.settled_until(chain.units["BGO"].pk) is None


def test_a_unit_is_read_hourly_and_not_in_the_first_minutes_of_an_hour(chain: Chain) -> None:
    chain.sold(chain.bergen, REFERENCE, 100_000)
    read(chain)
    noted = access_of(chain, "BGO")
    assert noted.problem == ""
    assert noted.next_read_at > clock.db_now() + timedelta(minutes=59)
    assert noted.next_read_at.minute >= 11


def test_only_units_with_keys_are_read(chain: Chain) -> None:
    assert settlements.know_units() == 4
    assert settlements.know_units() == 0


def test_what_the_bank_took_back_counts_until_it_gives_it_back(chain: Chain) -> None:
    order = chain.sold(chain.bergen, REFERENCE, 100_000)
    chain.simulator.dispute(BERGEN, REFERENCE, 40_000)
    read(chain)
    assert settled.disputed_minor(order) == 40_000
    chain.simulator.dispute(BERGEN, REFERENCE, 40_000, is_won=True)
    read(chain)
    assert settled.disputed_minor(order) == 0
    kinds = SettlementEntry.objects.order_by("pk").values_list("entry_type", flat=True)
    assert list(kinds) == [EntryType.CAPTURE, EntryType.DISPUTE_LOST, EntryType.DISPUTE_WON]


def test_what_comes_late_into_the_report_is_waited_for(chain: Chain) -> None:
    chain.simulator.change_switches(report_lag=3600.0)
    chain.sold(chain.bergen, REFERENCE, 100_000)
    chain.simulator.portal_refund(BERGEN, REFERENCE, 30_000)
    read(chain)
    until = settled.settled_until(chain.units["BGO"].pk)
    assert until is not None
    assert until <= clock.db_now() - settled.REPORT_LAG
    assert list(SettlementEntry.objects.values_list("entry_type", flat=True)) == ["capture"]


def test_a_line_is_given_its_unit_once_and_is_else_as_it_was_read(chain: Chain) -> None:
    bergen, oslo = chain.units["BGO"], chain.units["OSL"]
    line = SettlementEntry.objects.create(
        environment="simulator", ledger_id="3100002", entry_type="capture", psp_reference="1", reference=REFERENCE,
        amount_minor=100, currency="NOK", at=clock.db_now(), ledger_date=clock.db_now().date(),
    )  # fmt: skip
    kept = SettlementEntry.objects.filter(pk=line.pk)
    refuses = pytest.raises(DatabaseError, match="Cannot update")
    with refuses, transaction.atomic():
        kept.update(sales_unit=bergen, amount_minor=200)
    assert kept.update(sales_unit=bergen) == 1
    for other in (oslo, None):
        with refuses, transaction.atomic():
            kept.update(sales_unit=other)
    assert [(each.sales_unit, each.amount_minor) for each in kept] == [(bergen, 100)]
