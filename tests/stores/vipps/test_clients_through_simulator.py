"""The client of every API and the simulator speak the same language: each call once, by the front door to the back."""

from datetime import UTC, date, datetime

import pytest

from stores.vipps import payments
from stores.vipps.ecom import Ecom
from stores.vipps.ecom_types import NewEcomPayment
from stores.vipps.epayment import Epayment
from stores.vipps.errors import KeyConflict, Misconfigured, Refused
from stores.vipps.management import Management
from stores.vipps.management_types import BusinessId, ProductOrder
from stores.vipps.new_payment import Customer, Flow, NewPayment
from stores.vipps.order_management import Category, Kind, OrderManagement
from stores.vipps.qr import Qr
from stores.vipps.report import Report
from stores.vipps.session import VippsSession
from stores.vipps.transport import WsgiTransport
from stores.vipps.types import AccountingCredentials
from stores.vipps.webhooks import Webhooks
from tests.stores.vipps.test_order_management_client import RECEIPT
from tests.stores.vipps.world import BERGEN, ORDER, OSLO, SYSTEM, TRONDHEIM, World, nok

KEY = "rh1-" + "0" * 36
NEW = NewEcomPayment(
    order_id="B-77",
    amount=10_000,
    text="Socks",
    callback_prefix="https://bergen.example.com/callbacks",
    fall_back="https://bergen.example.com/done",
    mobile_number="91234567",
)


def accountant(world: World) -> VippsSession:
    keys = world.simulator.add_accountant("accountant", [BERGEN])
    return VippsSession(
        base_url="http://127.0.0.1:8181",
        msn=None,
        credentials=AccountingCredentials(client_id=keys.client_id, client_secret=keys.client_secret),
        cache_key="accountant/test",
        transport=WsgiTransport(world.simulator.wsgi),
        tokens=world.tokens,
        system=SYSTEM,
    )


def test_an_ecom_payment_lives_its_whole_life(world: World) -> None:
    session = world.session(BERGEN)
    ecom = Ecom(session)
    assert ecom.initiate(NEW).url.startswith("https://")
    with pytest.raises(KeyConflict):
        ecom.initiate(NEW)
    assert ecom.get_details("B-77").summary is None
    ecom.force_approve("B-77", mobile_number="91234567", token="t")
    with pytest.raises(Refused) as caught:
        ecom.refund("B-77", 1_000, text="Refusjon", request_id="too-early")
    assert caught.value.code == "Payment 72"
    assert ecom.capture("B-77", 4_000, text="Socks", request_id="c-1").operation_status == "Captured"
    assert ecom.cancel("B-77", text="Socks", releases_rest=True).operation_status == "Cancelled"
    told = payments.refund(session, "B-77", nok(1_000), key=KEY)
    assert (told.aggregate.captured, told.aggregate.refunded) == (4_000, 1_000)
    payment = payments.read_payment(session, "B-77")
    assert (payment.state, payment.aggregate.captured, payment.aggregate.refunded) == ("AUTHORIZED", 4_000, 1_000)
    assert (payment.aggregate.authorized, payment.aggregate.cancelled) == (10_000, 6_000)
    [refund] = [event for event in payments.read_events(session, "B-77") if event.name == "REFUNDED" and event.success]
    assert (refund.idempotency_key, refund.amount) == (KEY, nok(1_000))
    with pytest.raises(KeyConflict):
        payments.refund(session, "B-77", nok(2_000), key=KEY)
    with pytest.raises(Misconfigured) as unknown:
        Ecom(world.session(OSLO)).get_details("B-77")
    assert payments.is_unknown(unknown.value)


def test_a_partner_refunds_for_the_unit_it_names(world: World) -> None:
    world.simulator.add_payment(TRONDHEIM, "T-1", amount_minor=5_000, api="ecom")
    payments.refund(world.session(TRONDHEIM, keys=world.keys["chain"]), "T-1", nok(500), key=KEY)
    assert world.refunded(TRONDHEIM, "T-1") == 500


def test_an_epayment_is_made_approved_captured_and_refunded(world: World) -> None:
    bergen = world.epayment(BERGEN)
    new = NewPayment(reference="bergen-new-01", amount=nok(5_000), flow=Flow.QR, is_present=True, receipt=RECEIPT)
    assert bergen.create(new, idempotency_key="k-1").redirect_url
    bergen.force_approve("bergen-new-01", customer=Customer(phone_number="4791234567"))
    bergen.capture("bergen-new-01", nok(5_000), idempotency_key="k-2")
    assert bergen.refund("bergen-new-01", nok(1_000), idempotency_key="k-3").aggregate.refunded == 1_000
    assert OrderManagement(world.session(BERGEN)).get_order("bergen-new-01").receipt == RECEIPT


def test_webhooks_are_registered_listed_and_deleted(world: World) -> None:
    webhooks = Webhooks(world.session(BERGEN))
    made = webhooks.register("https://hub.example.com/hooks/1")
    [found] = webhooks.list()
    assert (found.id, found.url, len(found.events)) == (made.id, "https://hub.example.com/hooks/1", 8)
    webhooks.delete(made.id)
    assert webhooks.list() == ()


def test_accounting_keys_read_ledgers_days_and_the_feed(world: World) -> None:
    world.epayment(BERGEN).refund(ORDER, nok(2_500), idempotency_key="k-1")
    report = Report(accountant(world))
    [ledger] = report.ledgers(handle=f"api:{BERGEN}").items
    page = report.feed(ledger.ledger_id)
    [refund] = [entry for entry in page.entries if entry.entry_type == "refund"]
    assert (refund.amount, refund.currency, refund.reference) == (-2_500, "NOK", ORDER)
    [event] = [event for event in world.epayment(BERGEN).get_events(ORDER) if event.name == "REFUNDED"]
    assert refund.psp_reference == event.psp_reference
    assert report.feed(ledger.ledger_id, cursor=page.cursor).entries == ()
    assert refund in report.by_date(ledger.ledger_id, refund.ledger_date).entries
    assert report.by_date(ledger.ledger_id, date(2020, 1, 1)).entries == ()


def test_a_units_own_keys_may_report_and_a_partners_may_not(world: World) -> None:
    assert Report(world.session(BERGEN)).ledgers().items
    with pytest.raises(Misconfigured):
        Report(world.session(TRONDHEIM, keys=world.keys["chain"])).ledgers()


def test_receipts_links_and_images_are_kept_and_a_receipt_only_once(world: World) -> None:
    client = OrderManagement(world.session(BERGEN))
    client.post_receipt(ORDER, RECEIPT)
    with pytest.raises(KeyConflict):
        client.post_receipt(ORDER, RECEIPT)
    client.put_category(ORDER, Category(kind=Kind.RECEIPT, url="https://bergen.example.com/7741"))
    found = client.get_order(ORDER)
    assert found.receipt == RECEIPT
    assert found.category is not None
    assert (found.category.kind, found.category.url) == ("RECEIPT", "https://bergen.example.com/7741")


def test_a_code_is_made_for_an_ecom_payment(world: World) -> None:
    session = world.session(BERGEN)
    made = Qr(session).one_time(Ecom(session).initiate(NEW).url)
    assert made.url.startswith("https://")
    assert made.expires_in > 0


def test_units_are_seen_and_ordered_by_the_partner_they_are_linked_to(world: World) -> None:
    client = Management(world.session(TRONDHEIM, keys=world.keys["chain"]))
    assert {unit.msn for unit in client.sales_units()} == {"100003", "100004"}
    assert client.sales_unit(TRONDHEIM).msn == TRONDHEIM
    with pytest.raises(Misconfigured):
        client.sales_unit(BERGEN)
    order = ProductOrder(business=BusinessId(scheme="business:NO:ORG", id="987654321"), sales_unit_name="Narvik")
    placed = client.place_order(order, idempotency_key="k-1")
    assert client.order(placed.order_id).order_id == placed.order_id
    assert placed.order_id in {one.order_id for one in client.orders()}
    client.delete_order(placed.order_id)


def test_moments_are_the_simulators(world: World) -> None:
    world.epayment(BERGEN).refund(ORDER, nok(2_500), idempotency_key="k-1")
    refunded = world.epayment(BERGEN).get_events(ORDER)[-1]
    assert abs((refunded.timestamp - world.simulator.now).total_seconds()) < 1
    assert refunded.timestamp > datetime(2026, 1, 1, tzinfo=UTC)


def test_epayment_reads_ecoms_payments_with_the_same_sums(world: World) -> None:
    world.simulator.add_payment(BERGEN, "bergen-ecom-1", amount_minor=5_000, api="ecom")
    payments.refund(world.session(BERGEN), "bergen-ecom-1", nok(500), key=KEY)
    seen = Epayment(world.session(BERGEN)).get_payment("bergen-ecom-1").aggregate
    shown = payments.as_payment(Ecom(world.session(BERGEN)).get_details("bergen-ecom-1")).aggregate
    assert seen == shown
