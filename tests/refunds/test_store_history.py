"""Stores that open, close, move and change MSN keep their history: what they sold is found, and refunded by its own unit."""

from datetime import UTC, datetime, timedelta

import pytest

from refunds import settling
from refunds.models import State
from stores import clock, registry, settlements
from stores.credentials import VippsKeys
from stores.errors import HubError
from stores.models import Entry, Order, SalesUnit, SettlementAccess, Store, StoreUnit, UnplacedPayment
from stores.search import find_orders
from stores.vipps.simulator import Keys
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.till import Till, outcomes, row

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
CHANGED = NOW - 30 * DAY
"""When everything changed; well before that and well after it nothing is in doubt."""


def link_of(unit: SalesUnit) -> StoreUnit:
    return StoreUnit.objects.get(sales_unit=unit, valid_until=None)


def stop(unit: SalesUnit, chain: Chain, *, until: datetime = CHANGED) -> None:
    registry.stop_selling(link_of(unit), until=until, reason="a new agreement with Vipps", by=chain.by)


def new_unit(chain: Chain, store: Store, msn: str, *, valid_from: datetime = CHANGED) -> SalesUnit:
    """A sales unit with keys of its own, here and at Vipps."""
    unit = registry.add_sales_unit(
        store, msn=msn, name=msn, market="NO", environment="simulator", channel="in_store", valid_from=valid_from, by=chain.by
    )
    registry.bind_own_keys(unit, _opened(chain.simulator.add_sales_unit(msn)), by=chain.by)
    unit.refresh_from_db()
    return unit


def _opened(keys: Keys) -> VippsKeys:
    return VippsKeys(client_id=keys.client_id, client_secret=keys.client_secret, subscription_key=keys.subscription_key)


def paid(chain: Chain, unit: SalesUnit, reference: str, at: datetime) -> None:
    chain.simulator.add_payment(unit.msn, reference, amount_minor=25_000, paid_at=at)


def backfill(unit: SalesUnit, chain: Chain) -> None:
    settlements.know_units()
    SettlementAccess.objects.update(next_read_at=clock.db_now())
    settling.read(unit.pk, by=chain.by)


def refunded_through(chain: Chain, order: Order) -> str:
    """The MSN that paid it back."""
    assert run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED
    [entry] = chain.simulator.log(reference=order.reference, operation="refund", applied=True)
    return entry.msn


class TestAStoreThatChangesItsMsn:
    @pytest.fixture
    def fresh(self, chain: Chain) -> SalesUnit:
        stop(chain.units["BGO"], chain)
        return new_unit(chain, chain.bergen, "200002")

    def test_its_till_names_no_msn_and_each_order_goes_to_the_unit_of_its_time(self, chain: Chain, fresh: SalesUnit) -> None:
        """The till sends an old day late: what was paid before the change belongs to the old unit."""
        for reference, unit, at in (("BER-1000-1", chain.units["BGO"], CHANGED - 5 * DAY), ("BER-1000-2", fresh, NOW - DAY)):
            paid(chain, unit, reference, at)
            told = Till(chain.systems["BGO"]).sync(row(reference, paid_at=at.isoformat()))
            assert outcomes(told) == [("created", "", "")]
            order = Order.objects.get(reference=reference)
            assert order.sales_unit == unit
            assert refunded_through(chain, order) == unit.msn

    def test_the_same_reference_before_and_after_are_two_orders(self, chain: Chain, fresh: SalesUnit) -> None:
        till = Till(chain.systems["BGO"])
        for at in (CHANGED - 5 * DAY, NOW - DAY):
            till.sync(row("BER-1000-1", paid_at=at.isoformat()))
        found = find_orders("BER-1000-1", asker=chain.kari).hits
        assert {hit.order.sales_unit.msn for hit in found} == {"100002", "200002"}

    def test_what_vipps_settled_of_either_unit_is_the_stores(self, chain: Chain, fresh: SalesUnit) -> None:
        paid(chain, chain.units["BGO"], "BER-1000-1", CHANGED - 5 * DAY)
        paid(chain, fresh, "BER-1000-2", NOW - 5 * DAY)
        for unit in (chain.units["BGO"], fresh):
            backfill(unit, chain)
        assert set(Order.objects.values_list("reference", "store__code", "sales_unit__msn")) == {
            ("BER-1000-1", "BGO", "100002"),
            ("BER-1000-2", "BGO", "200002"),
        }

    def test_what_the_old_unit_takes_long_after_the_change_is_nobodys(self, chain: Chain, fresh: SalesUnit) -> None:
        paid(chain, chain.units["BGO"], "BER-1000-3", CHANGED + 10 * DAY)
        backfill(chain.units["BGO"], chain)
        assert UnplacedPayment.objects.get().why == "no_store"
        assert not Order.objects.exists()


class TestAUnitThatBecomesAnotherStores:
    @pytest.fixture
    def unit(self, chain: Chain) -> SalesUnit:
        """Bergen's unit is Oslo's from then on."""
        unit = chain.units["BGO"]
        stop(unit, chain)
        registry.share_sales_unit(chain.oslo, unit, prefix="", channel="online", valid_from=CHANGED, by=chain.by)
        return unit

    def test_each_payment_is_the_store_of_its_time(self, chain: Chain, unit: SalesUnit) -> None:
        for reference, at in (("BER-1000-1", CHANGED - 5 * DAY), ("BER-1000-2", CHANGED + 5 * DAY)):
            paid(chain, unit, reference, at)
        backfill(unit, chain)
        placed = Order.objects.order_by("reference").values_list("reference", "store__code", "channel")
        assert list(placed) == [("BER-1000-1", "BGO", "in_store"), ("BER-1000-2", "OSL", "online")]
        for order in Order.objects.all():
            assert refunded_through(chain, order) == unit.msn

    def test_an_order_that_was_indexed_before_stays_the_store_that_sold(self, chain: Chain) -> None:
        order = chain.sold(chain.bergen, "BER-1000-1", 25_000, days_ago=60)
        unit = chain.units["BGO"]
        stop(unit, chain)
        registry.share_sales_unit(chain.oslo, unit, prefix="", channel="online", valid_from=CHANGED, by=chain.by)
        assert [hit.order for hit in find_orders("BER-1000-1", asker=chain.kari).hits] == [order]
        assert refunded_through(chain, order) == "100002"
        order.refresh_from_db()
        assert order.store == chain.bergen


class TestAStoreThatClosed:
    def test_its_orders_are_found_and_refunded_by_its_unit(self, chain: Chain) -> None:
        order = chain.sold(chain.bergen, "BER-1000-1", 25_000)
        registry.close_store(chain.bergen, reason="the lease ended", by=chain.by)
        assert [hit.order for hit in find_orders("BER-1000-1", asker=chain.kari).hits] == [order]
        assert refunded_through(chain, order) == "100002"

    def test_what_is_settled_after_it_closed_is_placed_by_when_it_was_paid(self, chain: Chain) -> None:
        paid(chain, chain.units["BGO"], "BER-1000-1", NOW - 5 * DAY)
        registry.close_store(chain.bergen, reason="the lease ended", by=chain.by)
        backfill(chain.units["BGO"], chain)
        order = Order.objects.get()
        assert order.store == chain.bergen
        assert refunded_through(chain, order) == "100002"


class TestAStoreThatOpened:
    def test_what_its_unit_took_before_it_was_entered_here_waits_for_headquarters(self, chain: Chain) -> None:
        trondheim = chain.trondheim
        stop(chain.units["TRD"], chain, until=NOW - 400 * DAY)
        unit = new_unit(chain, trondheim, "200003", valid_from=NOW - 10 * DAY)
        for reference, at in (("TRD-1000-1", NOW - 5 * DAY), ("TRD-1000-2", NOW - 60 * DAY)):
            paid(chain, unit, reference, at)
        backfill(unit, chain)
        assert Order.objects.get().reference == "TRD-1000-1"
        assert UnplacedPayment.objects.get().reference == "TRD-1000-2"

    def test_it_may_come_back_to_a_unit_that_it_left(self, chain: Chain) -> None:
        unit = chain.units["BGO"]
        stop(unit, chain, until=NOW - 60 * DAY)
        registry.share_sales_unit(
            chain.bergen, unit, prefix="", channel="in_store", valid_from=NOW - 20 * DAY, by=chain.by
        )
        for reference, at in (("BER-1000-1", NOW - 90 * DAY), ("BER-1000-2", NOW - 40 * DAY), ("BER-1000-3", NOW - DAY)):
            paid(chain, unit, reference, at)
        backfill(unit, chain)
        assert sorted(Order.objects.values_list("reference", flat=True)) == ["BER-1000-1", "BER-1000-3"]
        assert UnplacedPayment.objects.get().reference == "BER-1000-2"


class TestSayingThatItStopped:
    def test_headquarters_says_so_with_a_reason_and_it_is_recorded(self, chain: Chain) -> None:
        unit = chain.units["BGO"]
        client, address = at_headquarters(chain.hanne), f"/hq/stores/salesunit/{unit.pk}/stop_selling/"
        assert "Nordlys Bergen" in client.get(address).content.decode() or "BGO" in client.get(address).content.decode()
        until = (NOW - DAY).astimezone()
        said = {
            "link": str(link_of(unit).pk),
            "until_0": until.strftime("%Y-%m-%d"),
            "until_1": "12:00",
            "reason": "a new agreement",
        }
        assert client.post(address, {**said, "reason": ""}).status_code == 422
        assert client.post(address, said).status_code == 302
        assert not StoreUnit.objects.filter(sales_unit=unit, valid_until=None).exists()
        entry = Entry.objects.get(event="sales_unit.selling_ended")
        assert entry.chain.store == chain.bergen

    @pytest.mark.parametrize("until", [NOW + DAY, NOW - 900 * DAY])
    def test_not_in_the_future_and_not_before_it_began(self, chain: Chain, until: datetime) -> None:
        with pytest.raises(HubError) as refused:
            stop(chain.units["BGO"], chain, until=until)
        assert refused.value.field == "until"

    def test_once(self, chain: Chain) -> None:
        link = link_of(chain.units["BGO"])
        registry.stop_selling(link, until=CHANGED, reason="moved", by=chain.by)
        with pytest.raises(HubError) as refused:
            registry.stop_selling(link, until=CHANGED, reason="moved", by=chain.by)
        assert refused.value.code == "selling_ended"
