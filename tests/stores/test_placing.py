"""Which store sold what only Vipps has told of: said where it is certain, and for headquarters where it is not."""

from datetime import timedelta
from typing import Any

import pytest

from stores import registry
from stores.actors import hub
from stores.models import Entry, Order, StoreUnit, UnplacedPayment
from stores.orders import Confirmation, Confirmed, confirm_orders
from tests.conftest import Chain
from tests.stores.telling import PAID_AT, empty_index, index, told
from tests.till import Till, row

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def confirm(*said: Confirmed) -> Confirmation:
    return confirm_orders(said, by=hub("worker"))


def handed_over(chain: Chain) -> None:
    """Bergen's sales unit becomes Oslo's: two hours after `PAID_AT`."""
    unit = chain.units["BGO"]
    StoreUnit.objects.filter(sales_unit=unit).update(valid_until=PAID_AT + 2 * HOUR)
    registry.share_sales_unit(
        chain.oslo, unit, prefix="", channel="in_store", valid_from=PAID_AT + 2 * HOUR, by=chain.by
    )


@pytest.mark.parametrize(("reference", "code"), [("BOO-1000-1", "BOO"), ("HAM-1000-1", "HAM")])
def test_a_shared_units_payment_is_the_store_of_its_prefixs(chain: Chain, reference: str, code: str) -> None:
    confirm(told(chain.units["BOO"], reference))
    assert Order.objects.get().store.code == code


@pytest.mark.parametrize("reference", ["XXX-1000-1", "ham-1000-1"])
def test_a_reference_without_a_prefix_waits_for_somebody_who_knows(chain: Chain, reference: str) -> None:
    assert confirm(told(chain.units["BOO"], reference, refunded_minor=5_000)).unplaced == 1
    assert not Order.objects.exists()
    kept = UnplacedPayment.objects.get()
    assert (kept.reference, kept.captured_minor, kept.refunded_seen_minor, kept.why) == (reference, 25_000, 5_000, "no_store")
    entry = Entry.objects.get(event="payment.unplaced")
    assert (entry.chain.company, entry.chain.store) == (chain.company, None)


def test_the_payments_own_metadata_may_name_the_store(chain: Chain) -> None:
    unit = chain.units["BOO"]
    confirm(told(unit, "XXX-1000-1"))
    confirm(told(unit, "XXX-1000-1", store_code="HAM", receipt_number="R-1"))
    order = Order.objects.get()
    assert (order.store, order.receipt_number) == (chain.hamar, "R-1")
    kept = UnplacedPayment.objects.get()
    assert (kept.order, kept.placed_at is not None) == (order, True)


@pytest.mark.parametrize(("code", "store"), [("OSL", None), ("BOO", "HAM")])
def test_a_prefix_counts_for_more_than_metadata_and_a_foreign_store_for_nothing(
    chain: Chain, code: str, store: str | None
) -> None:
    """Oslo does not sell through this unit; Bodø does, but the prefix is Hamar's."""
    reference = "HAM-1000-1" if store else "XXX-1000-1"
    confirm(told(chain.units["BOO"], reference, store_code=code))
    placed = Order.objects.select_related("store").first()
    assert (placed.store.code if placed else None) == store


def test_near_the_end_of_a_link_only_a_store_can_say_that_it_sold(chain: Chain) -> None:
    handed_over(chain)
    unit, reference = chain.units["BGO"], "BER-1000-1"
    vipps = told(unit, reference)
    claimed = {"paid_at": PAID_AT.isoformat()}
    found: list[Any] = []
    for first_vipps in (True, False):
        empty_index()
        if first_vipps:
            confirm(vipps)
            assert UnplacedPayment.objects.get().why == "several_stores"
        Till(chain.systems["BGO"]).sync(row(reference, **claimed))
        if not first_vipps:
            confirm(vipps)
        found.append(index())
    assert found[0] == found[1]
    assert (found[0][0]["store_id"], found[0][0]["captured_minor"], found[0][0]["conflicts"]) == (chain.bergen.pk, 25_000, [])


@pytest.mark.parametrize(("days", "code"), [(-30, "BGO"), (30, "OSL")])
def test_away_from_it_the_link_of_that_time_says_so(chain: Chain, days: int, code: str) -> None:
    handed_over(chain)
    confirm(told(chain.units["BGO"], "BER-1000-1", paid_at=PAID_AT + days * DAY))
    assert Order.objects.get().store.code == code


def test_a_payment_of_another_currency_is_kept_apart(chain: Chain) -> None:
    confirm(told(chain.units["BGO"], "BER-1000-1", currency="DKK"))
    assert UnplacedPayment.objects.get().why == "other_currency"


def test_what_is_kept_apart_learns_more_like_an_order(chain: Chain) -> None:
    unit = chain.units["BOO"]
    for captured, refunded, after in ((25_000, 10_000, 2), (20_000, 5_000, 1)):
        confirm(told(unit, "XXX-1000-1", captured, refunded_minor=refunded, as_of=PAID_AT + after * HOUR))
    kept = UnplacedPayment.objects.get()
    assert (kept.captured_minor, kept.refunded_seen_minor) == (25_000, 10_000)


def test_what_was_never_paid_is_nowhere(chain: Chain) -> None:
    confirm(told(chain.units["BGO"], "BER-1000-1", paid_at=None))
    assert not Order.objects.exists()
    assert not UnplacedPayment.objects.exists()
