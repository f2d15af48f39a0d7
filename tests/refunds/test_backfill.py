"""Everything a sales unit ever settled is an order: read from Vipps' own book, page by page, to be found and refunded."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from refunds import queries, settling
from refunds.models import CheckReason, OrderCheck, State
from stores import clock, orders, registry, settlements
from stores.actors import hub
from stores.credentials import VippsKeys
from stores.models import (
    Entry,
    EntryType,
    Order,
    PaidAtFrom,
    SettlementAccess,
    SettlementEntry,
    SettlementFeed,
    UnplacedPayment,
)
from stores.vipps.simulator import Fault, FaultKind, SeededPayment
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.stores.telling import empty_index, index
from tests.till import Till, row

BERGEN, UNKNOWN = "100002", "100005"
REFERENCE = "BGO-20260901-8100"
PAID_AT = (datetime.now(UTC) - timedelta(days=40)).replace(microsecond=0)
PAGE = 1_000

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rung")]


def read(chain: Chain, code: str = "BGO") -> int:
    """As a worker would, when the row is due."""
    settlements.know_units()
    SettlementAccess.objects.update(next_read_at=clock.db_now())
    return settling.read(chain.units[code].pk, by=hub("worker"))


def paid(chain: Chain, code: str = "BGO", reference: str = REFERENCE, amount_minor: int = 25_000, **facts: Any) -> None:
    chain.simulator.add_payment(
        chain.units[code].msn, reference, amount_minor=amount_minor, **{"paid_at": PAID_AT, **facts}
    )


def paid_many(chain: Chain, count: int, *, refunded_minor: int = 0) -> None:
    chain.simulator.add_payments(
        SeededPayment(
            msn=BERGEN,
            reference=f"many-{number:05}",
            amount_minor=100,
            captured_minor=100,
            refunded_minor=refunded_minor,
            currency="NOK",
            paid_at=PAID_AT.timestamp(),
            metadata={},
        )
        for number in range(count)
    )


def settled_with_bergen(chain: Chain, msn: str, monkeypatch: pytest.MonkeyPatch) -> VippsKeys:
    """One more unit on Bergen's ledger, which the keys of either may read; its keys."""
    merchants = chain.simulator.merchants
    chain.simulator.add_sales_unit(BERGEN, keys=merchants.units[BERGEN].keys, ledger="302321")
    keys = chain.simulator.add_sales_unit(msn, ledger="302321")
    monkeypatch.setattr(merchants, "active_units", lambda msns: [merchants.units[each] for each in (BERGEN, msn)])
    return VippsKeys(client_id=keys.client_id, client_secret=keys.client_secret, subscription_key=keys.subscription_key)


class TestWhatWasSettled:
    @pytest.mark.parametrize("api", ["epayment", "ecom"])
    def test_becomes_an_order_that_can_be_refunded(self, chain: Chain, api: Any) -> None:
        paid(chain, api=api, captured_minor=20_000)
        read(chain)
        order = Order.objects.get()
        assert (order.store, order.reference, order.claimed_minor, order.captured_minor) == (
            chain.bergen,
            REFERENCE,
            None,
            20_000,
        )
        assert (order.paid_at, order.paid_at_from) == (PAID_AT, PaidAtFrom.CAPTURED)
        assert run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED

    def test_counts_what_was_refunded_elsewhere_before_anybody_asks_vipps(self, chain: Chain) -> None:
        paid(chain)
        chain.simulator.portal_refund(BERGEN, REFERENCE, 10_000)
        read(chain)
        order = Order.objects.get()
        assert (order.captured_minor, order.refunded_seen_minor) == (25_000, 10_000)
        left = queries.left_of(order)
        assert (left.left_minor, left.external_minor) == (15_000, 10_000)

    def test_of_a_known_order_confirms_what_its_till_claimed(self, chain: Chain) -> None:
        paid(chain)
        Till(chain.systems["BGO"]).sync(row(REFERENCE, paid_at=PAID_AT.isoformat(), receipt_number="R-1"))
        read(chain)
        order = Order.objects.get()
        assert (order.claimed_minor, order.captured_minor, order.receipt_number) == (25_000, 25_000, "R-1")
        assert SettlementFeed.objects.get().orders == 0, "somebody had told of it"

    def test_goes_by_prefix_or_waits_for_somebody_who_knows(self, chain: Chain) -> None:
        for reference in ("BOO-1000-1", "HAM-1000-1", "XXX-1000-1"):
            paid(chain, "BOO", reference)
        read(chain, "BOO")
        placed = Order.objects.order_by("reference").values_list("reference", "store__code")
        assert list(placed) == [("BOO-1000-1", "BOO"), ("HAM-1000-1", "HAM")]
        assert UnplacedPayment.objects.get().reference == "XXX-1000-1"

    def test_in_several_captures_is_one_order_of_their_sum(self, chain: Chain) -> None:
        paid(chain, captured_minor=10_000)
        read(chain)
        chain.simulator.portal_capture(BERGEN, REFERENCE, 15_000)
        read(chain)
        assert Order.objects.get().captured_minor == 25_000

    @pytest.mark.parametrize("is_read_by_its_own_keys", [True, False])
    def test_of_a_unit_that_is_entered_later_is_its_order_once_it_is_read_again(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch, is_read_by_its_own_keys: bool
    ) -> None:
        keys = settled_with_bergen(chain, UNKNOWN, monkeypatch)
        paid(chain)
        chain.simulator.add_payment(UNKNOWN, "NEW-1", amount_minor=9_000, paid_at=PAID_AT)
        read(chain)
        kept = SettlementEntry.objects.order_by("reference").values_list("reference", "sales_unit__msn")
        assert list(kept.all()) == [(REFERENCE, BERGEN), ("NEW-1", None)]
        unit = registry.add_sales_unit(
            chain.bergen, msn=UNKNOWN, name="Web shop", market="NO", environment="simulator", channel="online",
            valid_from=PAID_AT - timedelta(days=1), by=chain.by,
        )  # fmt: skip
        if is_read_by_its_own_keys:
            registry.bind_own_keys(unit, keys, by=chain.by)
            settlements.know_units()
            settling.read(unit.pk, by=hub("worker"))
        else:
            settlements.read_from_the_beginning(chain.units["BGO"], asker=chain.hanne, by=chain.by)
            read(chain)
        order = Order.objects.get(sales_unit=unit)
        assert (order.reference, order.captured_minor, order.channel) == ("NEW-1", 9_000, "online")
        assert list(kept.all()) == [(REFERENCE, BERGEN), ("NEW-1", UNKNOWN)]

    def test_that_is_no_payment_of_ours_is_left_alone(self, chain: Chain) -> None:
        paid(chain)
        chain.simulator.pay_out(BERGEN)
        read(chain)
        assert {entry.entry_type for entry in SettlementEntry.objects.all()} >= {"capture", "payout-scheduled"}
        assert Order.objects.count() == 1


class TestPages:
    def test_two_thousand_payments_are_written_page_by_page_in_few_statements(
        self, chain: Chain, django_assert_max_num_queries: Any
    ) -> None:
        paid_many(chain, 2 * PAGE)
        with django_assert_max_num_queries(80):
            read(chain)
        assert Order.objects.count() == 2 * PAGE
        feed = SettlementFeed.objects.get()
        assert (feed.entries, feed.orders, feed.latest_at) == (2 * PAGE, 2 * PAGE, PAID_AT)
        entries = Entry.objects.filter(event__in=("orders.confirmed", "order.discovered"))
        assert entries.count() == 2, "one for each page"

    def test_a_page_of_refunds_is_looked_into_in_few_statements_and_by_and_by(
        self, chain: Chain, django_assert_max_num_queries: Any
    ) -> None:
        paid_many(chain, PAGE // 2, refunded_minor=50)
        with django_assert_max_num_queries(80):
            read(chain)
        asked = OrderCheck.objects.filter(why=CheckReason.SETTLEMENT)
        assert asked.count() == PAGE // 2
        now = clock.db_now()
        assert asked.filter(due_at__gt=now + timedelta(hours=1)).count() > PAGE // 4, "not all at once"

    def test_a_reader_that_dies_within_a_page_has_written_nothing_of_it(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(*_args: object) -> None:
            raise SystemExit

        paid_many(chain, PAGE)
        with monkeypatch.context() as patched:
            patched.setattr(settling, "_ask_for_checks", dies)
            with pytest.raises(SystemExit):
                read(chain)
        assert (Order.objects.count(), SettlementEntry.objects.count()) == (0, 0)
        assert SettlementFeed.objects.get().cursor == ""
        read(chain)
        assert (Order.objects.count(), SettlementEntry.objects.count()) == (PAGE, PAGE)

    def test_vipps_may_say_that_the_report_is_not_ready(self, chain: Chain) -> None:
        chain.simulator.change_switches(report_lag=3600.0)
        paid(chain, paid_at=clock.db_now())
        read(chain)
        assert not Order.objects.exists()
        chain.simulator.move_clock(timedelta(hours=2))
        read(chain)
        assert Order.objects.count() == 1

    def test_what_cannot_be_read_now_is_read_on_from_where_it_ended(self, chain: Chain) -> None:
        paid_many(chain, PAGE + 1)
        chain.simulator.arm(Fault(kind=FaultKind.THROTTLE, operation="feed"))
        read(chain)
        assert SettlementAccess.objects.get(sales_unit=chain.units["BGO"]).problem.startswith("Throttled")
        read(chain)
        assert Order.objects.count() == PAGE + 1

    def test_where_there_is_more_a_worker_is_rung_for_at_once(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch, rung: list[tuple[str, str]]
    ) -> None:
        monkeypatch.setattr(settlements, "PAGES_IN_ONE_GO", 1)
        paid_many(chain, PAGE + 1)
        read(chain)
        assert rung[-1] == ("refunds.read_settlement", str(chain.units["BGO"].pk))
        settling.read(chain.units["BGO"].pk, by=hub("worker"))
        assert Order.objects.count() == PAGE + 1


class TestFromTheBeginning:
    @pytest.fixture
    def read_before(self, chain: Chain) -> None:
        """Entries that were kept when nobody made orders of them."""
        paid_many(chain, 3)
        read(chain)
        empty_index()

    def test_headquarters_lets_it_be_read_again_and_sees_how_far_it_is(self, chain: Chain, read_before: None) -> None:
        client = at_headquarters(chain.hanne)
        access = SettlementAccess.objects.get(sales_unit=chain.units["BGO"])
        page = f"/hq/stores/settlementaccess/{access.pk}/"
        assert client.get(f"{page}read_from_the_beginning/").status_code == 200
        assert client.post(f"{page}read_from_the_beginning/").status_code == 302
        shown = client.get(f"{page}change/").content.decode()
        assert "not yet" in shown
        settling.read(access.pk, by=hub("worker"))
        assert Order.objects.count() == 3
        feed = SettlementFeed.objects.get(sales_unit=chain.units["BGO"])
        assert (feed.entries, feed.orders, feed.is_at_its_end) == (3, 3, True)
        assert SettlementEntry.objects.count() == 3, "an entry is kept once"
        assert "not yet" not in client.get(f"{page}change/").content.decode()
        assert Entry.objects.filter(event="settlement.begun").count() == 1

    def test_what_was_complete_stays_complete_meanwhile(self, chain: Chain, read_before: None) -> None:
        before = SettlementFeed.objects.get(sales_unit=chain.units["BGO"]).complete_at
        settlements.read_from_the_beginning(chain.units["BGO"], asker=chain.hanne, by=chain.by)
        assert SettlementFeed.objects.get(sales_unit=chain.units["BGO"]).complete_at == before


def test_pages_in_any_order_and_told_again_give_the_same_index(chain: Chain) -> None:
    """Captures and refunds of one payment may stand on different pages, and a till tells of it between them."""
    paid(chain, captured_minor=10_000)
    chain.simulator.portal_capture(BERGEN, REFERENCE, 15_000)
    chain.simulator.portal_refund(BERGEN, REFERENCE, 5_000)
    read(chain)
    lines = list(SettlementEntry.objects.order_by("at", "pk"))
    assert [line.entry_type for line in lines] == [EntryType.CAPTURE, EntryType.CAPTURE, EntryType.REFUND]
    found = []
    for each in permutations(lines):
        empty_index()
        for line in (*each, *each):
            orders.index_settled([line], by=hub("worker"))
        found.append(index())
        assert found[-1] == found[0]
    assert (found[0][0]["captured_minor"], found[0][0]["refunded_seen_minor"]) == (25_000, 5_000)
