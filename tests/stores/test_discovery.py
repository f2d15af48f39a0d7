"""A payment that no store has synced is asked for at Vipps and indexed as confirmed."""

from datetime import UTC, datetime, timedelta

from stores import actors, audit
from stores.discovery import look_up
from stores.models import Entry, Order, StoreUnit, UnplacedPayment
from tests.conftest import Chain

WORKER = actors.hub("worker")
PAID_AT = (datetime.now(UTC) - timedelta(days=3)).replace(microsecond=0)


def paid(chain: Chain, code: str, reference: str, *, captured: int = 25_000) -> None:
    chain.simulator.add_payment(chain.units[code].msn, reference, amount_minor=25_000, captured_minor=captured, paid_at=PAID_AT)


def test_a_payment_is_indexed_as_vipps_knows_it(chain: Chain) -> None:
    paid(chain, "BGO", "BER-2026-10042")
    order = look_up(chain.units["BGO"], "BER-2026-10042", by=WORKER)
    assert order is not None
    assert (order.store, order.ref_key, order.currency) == (chain.bergen, "BER202610042", "NOK")
    assert (order.captured_minor, order.claimed_minor, order.refunded_seen_minor) == (25_000, None, 0)
    assert order.confirmed_at is not None
    assert abs(order.paid_at - PAID_AT) < timedelta(minutes=5)
    entry = Entry.objects.get(event="order.discovered")
    assert entry.chain.store == chain.bergen
    assert audit.verify().bad is None


def test_a_shared_units_payment_goes_to_the_store_of_its_prefix(chain: Chain) -> None:
    paid(chain, "HAM", "HAM-2026-10042")
    order = look_up(chain.units["HAM"], "HAM-2026-10042", by=WORKER)
    assert order is not None
    assert order.store == chain.hamar


def test_a_known_order_is_confirmed_and_keeps_what_its_store_said(chain: Chain) -> None:
    sold = chain.sold(chain.bergen, "BER-2026-10042", 25_000)
    again = look_up(chain.units["BGO"], "BER-2026-10042", by=WORKER)
    assert again == sold
    assert again is not None
    assert (again.captured_minor, again.claimed_minor) == (25_000, 25_000)
    assert Entry.objects.filter(event="order.discovered").count() == 0


def test_a_payment_that_vipps_does_not_know_is_none(chain: Chain) -> None:
    assert look_up(chain.units["BGO"], "BER-2026-10099", by=WORKER) is None
    assert Order.objects.count() == 0


def test_a_payment_of_no_store_of_ours_is_not_indexed(chain: Chain) -> None:
    paid(chain, "BGO", "BER-2026-10042")
    StoreUnit.objects.filter(sales_unit=chain.units["BGO"]).update(valid_from=datetime.now(UTC))
    assert look_up(chain.units["BGO"], "BER-2026-10042", by=WORKER) is None
    assert Order.objects.count() == 0
    assert UnplacedPayment.objects.get().why == "no_store"
