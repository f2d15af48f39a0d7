"""One way to be: what Vipps says and what a store claims become the same row, whoever told first."""

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection

from stores import audit
from stores.actors import hub
from stores.models import Entry, Order, OrderConflict, PaidAtFrom
from stores.orders import AmountRow, Confirmed, OrderRow, confirm_orders, index_orders
from tests.conftest import Chain
from tests.stores.telling import PAID_AT, empty_index, index, told
from tests.till import Till, row

REFERENCE = "BER-2026-10042"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

Tell = Callable[[], object]


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


def claim(till: Till, amount_minor: int = 25_000, **more: Any) -> dict[str, Any]:
    """A sync of one order, paid when Vipps says that it was."""
    [result] = till.sync(row(REFERENCE, amount_minor, **{"paid_at": PAID_AT.isoformat(), **more}))
    return result


def confirm(*said: Confirmed) -> None:
    confirm_orders(said, by=hub("worker"))


def in_any_order(*telling: Tell) -> list[dict[str, Any]]:
    """The index after everything was told; the same whatever came first, and told twice."""
    found: list[list[dict[str, Any]]] = []
    for each in permutations(telling):
        empty_index()
        for tell in (*each, *each):
            tell()
        found.append(index())
        assert found[-1] == found[0]
    return found[0]


class TestTheSameRow:
    def test_amounts_of_both_stand_beside_each_other(self, chain: Chain, bergen: Till) -> None:
        vipps = told(chain.units["BGO"], REFERENCE)
        [order] = in_any_order(lambda: claim(bergen), lambda: confirm(vipps))
        assert (order["claimed_minor"], order["captured_minor"], order["refunded_seen_minor"]) == (25_000, 25_000, 0)
        assert (order["store_id"], order["ref_key"], order["is_confirmed"]) == (chain.bergen.pk, "BER202610042", True)
        assert order["conflicts"] == []

    def test_the_time_is_vipps_and_what_the_store_said_is_kept(self, chain: Chain, bergen: Till) -> None:
        vipps = told(chain.units["BGO"], REFERENCE)
        said = PAID_AT + 20 * MINUTE
        [order] = in_any_order(lambda: claim(bergen, paid_at=said.isoformat()), lambda: confirm(vipps))
        assert (order["paid_at"], order["claimed_paid_at"]) == (PAID_AT, said)
        assert order["paid_at_from"] == PaidAtFrom.RESERVED

    def test_a_reservation_counts_before_a_capture_and_the_first_capture_before_later_ones(
        self, chain: Chain, bergen: Till
    ) -> None:
        unit = chain.units["BGO"]
        captures = [
            told(unit, REFERENCE, amount, paid_at=PAID_AT + after, paid_at_from=PaidAtFrom.CAPTURED, as_of=PAID_AT + after)
            for amount, after in ((10_000, HOUR), (25_000, 2 * HOUR))
        ]
        [order] = in_any_order(lambda: claim(bergen), *(lambda said=said: confirm(said) for said in captures))
        assert (order["paid_at"], order["captured_minor"]) == (PAID_AT + HOUR, 25_000)
        assert order["paid_at_from"] == PaidAtFrom.CAPTURED
        reading = told(unit, REFERENCE)
        [order] = in_any_order(lambda: confirm(reading), lambda: confirm(captures[0]), lambda: confirm(captures[1]))
        assert (order["paid_at"], order["paid_at_from"]) == (PAID_AT, PaidAtFrom.RESERVED)

    def test_captured_grows_and_of_the_rest_the_newest_reading_counts(self, chain: Chain) -> None:
        unit = chain.units["BGO"]
        readings = [
            told(unit, REFERENCE, captured, refunded_minor=refunded, uncaptured_minor=reserved, as_of=PAID_AT + after)
            for captured, refunded, reserved, after in (
                (None, 0, 30_000, MINUTE),
                (25_000, 20_000, 5_000, HOUR),
                (25_000, 10_000, 0, DAY),  # a refund that failed after all
            )
        ]
        tell: list[Tell] = [lambda said=said: confirm(said) for said in readings]  # type: ignore[misc]
        [order] = in_any_order(*tell)
        assert (order["captured_minor"], order["refunded_seen_minor"], order["uncaptured_seen_minor"]) == (25_000, 10_000, 0)

    def test_a_receipt_number_of_the_payment_fills_what_no_till_has_told(self, chain: Chain, bergen: Till) -> None:
        vipps = told(chain.units["BGO"], REFERENCE, receipt_number="V-1")
        assert in_any_order(lambda: claim(bergen), lambda: confirm(vipps))[0]["receipt_number"] == "V-1"
        tills = in_any_order(lambda: claim(bergen, receipt_number="R-7"), lambda: confirm(vipps))
        assert tills[0]["receipt_number"] == "R-7"

    def test_the_latest_claim_within_a_day_counts(self, bergen: Till) -> None:
        noon = PAID_AT.replace(hour=11, minute=0)
        claims = [noon, noon + HOUR, noon - HOUR]
        tell: list[Tell] = [lambda at=at: claim(bergen, paid_at=at.isoformat()) for at in claims]  # type: ignore[misc]
        [order] = in_any_order(*tell)
        assert (order["paid_at"], order["conflicts"]) == (noon + HOUR, [])

    def test_lines_come_from_the_till_and_stay(self, chain: Chain, bergen: Till) -> None:
        vipps = told(chain.units["BGO"], REFERENCE)
        lines = [{"name": "Boots", "quantity": 1, "amount_minor": 25_000}]
        [order] = in_any_order(lambda: claim(bergen, lines=lines), lambda: confirm(vipps))
        assert order["lines"] == [(1, "Boots", 25_000)]


class TestContradictions:
    def test_another_amount_is_told_to_headquarters_and_vipps_counts(self, chain: Chain, bergen: Till) -> None:
        vipps = told(chain.units["BGO"], REFERENCE)
        [order] = in_any_order(lambda: claim(bergen, 30_000), lambda: confirm(vipps))
        assert (order["claimed_minor"], order["captured_minor"]) == (30_000, 25_000)
        assert order["conflicts"] == [("Vipps MobilePay", ["amount.amount_minor"])]
        assert Order.objects.get().amount_minor == 25_000
        conflict = OrderConflict.objects.get(settled_at=None)
        assert (conflict.claims["captured_minor"], conflict.claims["claimed_minor"]) == (25_000, 30_000)

    def test_the_till_that_comes_second_is_told_so(self, chain: Chain, bergen: Till) -> None:
        confirm(told(chain.units["BGO"], REFERENCE))
        result = claim(bergen, 30_000)
        assert (result["outcome"], result["code"], result["field"]) == ("conflict", "contradiction", "amount.amount_minor")
        assert result["order_id"] == f"ord_{Order.objects.get().public_id.hex}"
        assert claim(bergen, 30_000)["outcome"] == "unchanged", "it said so before, and headquarters knows"
        entry = Entry.objects.get(event="order.disagrees")
        assert audit.facts_of(entry) == {"reference": REFERENCE, "fields": "amount.amount_minor"}
        assert audit.verify().bad is None

    def test_what_is_still_reserved_may_yet_be_captured(self, chain: Chain, bergen: Till) -> None:
        unit = chain.units["BGO"]
        partly = told(unit, REFERENCE, 10_000, uncaptured_minor=15_000, as_of=PAID_AT + HOUR)
        [order] = in_any_order(lambda: claim(bergen), lambda: confirm(partly))
        assert order["conflicts"] == []

    def test_it_ends_by_itself_once_both_agree(self, chain: Chain, bergen: Till) -> None:
        unit = chain.units["BGO"]
        first = told(unit, REFERENCE, 10_000, uncaptured_minor=None, as_of=PAID_AT + HOUR)
        whole = told(unit, REFERENCE, 25_000, uncaptured_minor=None, as_of=PAID_AT + 2 * HOUR)
        [order] = in_any_order(lambda: claim(bergen), lambda: confirm(first), lambda: confirm(whole))
        assert order["conflicts"] == []
        empty_index()
        claim(bergen)
        confirm(first)
        assert OrderConflict.objects.get().settled_at is None
        confirm(whole)
        assert OrderConflict.objects.get().settled_at is not None

    @pytest.mark.parametrize(("apart", "fields"), [(23 * HOUR, []), (-23 * HOUR, []), (2 * DAY, ["paid_at"])])
    def test_a_tills_clock_may_be_wrong_by_a_day(
        self, chain: Chain, bergen: Till, apart: timedelta, fields: list[str]
    ) -> None:
        vipps = told(chain.units["BGO"], REFERENCE)
        said = (PAID_AT + apart).isoformat()
        [order] = in_any_order(lambda: claim(bergen, paid_at=said), lambda: confirm(vipps))
        assert order["conflicts"] == ([("Vipps MobilePay", fields)] if fields else [])
        assert order["paid_at"] == PAID_AT

    def test_another_currency_changes_nothing_of_the_order(self, chain: Chain, bergen: Till) -> None:
        vipps = told(chain.units["BGO"], REFERENCE, currency="EUR")
        [order] = in_any_order(lambda: claim(bergen), lambda: confirm(vipps))
        assert (order["currency"], order["captured_minor"], order["is_confirmed"]) == ("NOK", None, False)
        assert order["conflicts"] == [("Vipps MobilePay", ["amount.currency"])]


class TestManyAtOnce:
    def test_a_page_of_payments_is_one_entry_in_the_trail(self, chain: Chain) -> None:
        unit = chain.units["BGO"]
        page = [told(unit, f"BER-{number:08}") for number in range(300)]
        found = confirm_orders(page, by=hub("worker"))
        assert (found.created, found.changed, found.unplaced) == (300, 0, 0)
        entry = Entry.objects.get(event="orders.confirmed")
        assert audit.facts_of(entry) == {
            "msn": unit.msn,
            "payments": 300,
            "created": 300,
            "changed": 0,
            "unplaced": 0,
        }
        assert Entry.objects.filter(event="order.discovered").count() == 0

    def test_the_same_page_again_leaves_no_dead_rows_and_no_entry(self, chain: Chain) -> None:
        page = [told(chain.units["BGO"], f"BER-{number:08}", as_of=PAID_AT) for number in range(3)]
        confirm(*page)
        before = _places()
        found = confirm_orders(page, by=hub("worker"))
        assert (found.created, found.changed, found.unplaced) == (0, 0, 0)
        assert _places() == before
        assert Entry.objects.filter(event="orders.confirmed").count() == 1


def _places() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text FROM stores_order ORDER BY reference")
        return [place for (place,) in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_a_till_and_vipps_that_tell_of_the_same_orders_at_once_end_well(chain: Chain) -> None:
    """Both write in the order of the keys, so they never wait for each other in a circle; every row has the facts of both."""
    unit = chain.units["BGO"]
    numbers = list(range(300))
    failures: list[Exception] = []
    gate = threading.Barrier(3)

    def at_once(tell: Tell) -> None:
        try:
            gate.wait(timeout=10)
            tell()
        except Exception as error:  # shown by the assertion below, in the test's own thread
            failures.append(error)
        finally:
            connection.close()

    def sync() -> None:
        rows = [
            OrderRow(
                reference=f"BER-{number:05}", amount=AmountRow(amount_minor=25_000, currency="NOK"), paid_at=PAID_AT
            )
            for number in numbers
        ]
        index_orders(rows, system=chain.systems["BGO"], by=chain.by)

    def settle(order: list[int]) -> None:
        confirm_orders([told(unit, f"BER-{number:05}") for number in order], by=hub("worker"))

    telling: tuple[Tell, ...] = (sync, lambda: settle(numbers), lambda: settle(numbers[::-1]))
    threads = [threading.Thread(target=at_once, args=(tell,)) for tell in telling]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failures == []
    both = Order.objects.filter(claimed_minor=25_000, captured_minor=25_000, confirmed_at__isnull=False)
    assert (Order.objects.count(), both.count()) == (300, 300)
    assert audit.verify().bad is None
