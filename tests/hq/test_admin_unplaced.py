"""Payments that no store can be said to have sold: headquarters sees them, says whose one is, and it can be refunded."""

from datetime import timedelta

import pytest
from django.test import Client

from refunds import rounds
from refunds.models import State
from stores import audit, clock, nudge, people, registry
from stores.actors import hub
from stores.models import Entry, Order, Role, StoreUnit, UnplacedPayment
from stores.orders import confirm_orders, place_again
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.stores.telling import PAID_AT, told

LIST = "/hq/stores/unplacedpayment/"
REFERENCE = "XXX-1000-1"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    return at_headquarters(chain.hanne)


@pytest.fixture
def payment(chain: Chain) -> UnplacedPayment:
    """Paid at the unit that Bodø and Hamar share, under a prefix that is neither's."""
    chain.simulator.add_payment(chain.units["BOO"].msn, REFERENCE, amount_minor=25_000, paid_at=PAID_AT)
    confirm_orders([told(chain.units["BOO"], REFERENCE)], by=hub("worker"))
    return UnplacedPayment.objects.get()


def page(payment: UnplacedPayment, verb: str = "change") -> str:
    return f"{LIST}{payment.pk}/{verb}/"


def made_old(payment: UnplacedPayment) -> None:
    UnplacedPayment.objects.filter(pk=payment.pk).update(tried_at=payment.seen_at.replace(year=2020))


def test_it_stands_on_the_first_screen_and_in_the_list_with_why(hanne: Client, payment: UnplacedPayment) -> None:
    work = {str(kind.title): kind for kind in hanne.get("/hq/").context["work"]}
    assert work["Payments without a store"].count == 1
    assert [row.pk for row in hanne.get(LIST, {"placed_at__isnull": "True"}).context["cl"].queryset] == [payment.pk]
    assert "no store sold under this reference at that time" in hanne.get(page(payment)).content.decode()


def test_a_person_says_whose_it_is_and_it_can_be_refunded(chain: Chain, hanne: Client, payment: UnplacedPayment) -> None:
    offered = hanne.get(page(payment, "place")).content.decode()
    assert "Nordlys Bodø" in offered
    assert "Nordlys Bergen" not in offered, "it never sold through this unit"
    said = {"store": str(chain.hamar.pk), "reason": "the receipt is Hamar's"}
    assert hanne.post(page(payment, "place"), said).status_code == 302
    order = Order.objects.get(reference=REFERENCE)
    assert (order.store, order.captured_minor, order.paid_at) == (chain.hamar, 25_000, PAID_AT)
    payment.refresh_from_db()
    assert (payment.order, payment.placed_by) == (order, chain.hanne)
    entry = Entry.objects.get(event="payment.placed")
    assert (entry.chain.store, audit.facts_of(entry)["reason"]) == (chain.hamar, "the receipt is Hamar's")
    assert audit.verify().bad is None
    assert run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED
    assert hanne.post(page(payment, "place"), said).status_code == 403, "it has an order already"


def test_it_is_an_order_of_the_channel_that_sold_at_that_time(chain: Chain, hanne: Client, payment: UnplacedPayment) -> None:
    """Hamar began to sell online through the same unit soon afterwards."""
    began = PAID_AT + timedelta(hours=2)
    StoreUnit.objects.filter(store=chain.hamar).update(valid_until=began)
    registry.share_sales_unit(
        chain.hamar, chain.units["BOO"], prefix="HAM-", channel="online", valid_from=began, by=chain.by
    )
    hanne.post(page(payment, "place"), {"store": str(chain.hamar.pk), "reason": "the receipt is Hamar's"})
    assert Order.objects.get(reference=REFERENCE).channel == "in_store"


@pytest.mark.parametrize("said", [{"store": "HAM", "reason": ""}, {"store": "BGO", "reason": "sure"}])
def test_not_without_a_reason_nor_for_a_store_that_never_sold_there(
    chain: Chain, hanne: Client, payment: UnplacedPayment, said: dict[str, str]
) -> None:
    store = {"HAM": chain.hamar, "BGO": chain.bergen}[said["store"]]
    assert hanne.post(page(payment, "place"), {**said, "store": str(store.pk)}).status_code == 422
    assert not Order.objects.exists()


@pytest.mark.parametrize("role", [Role.FINANCE, Role.APPROVER, Role.AUDITOR, Role.SECURITY])
def test_only_an_operator_says_so(chain: Chain, payment: UnplacedPayment, role: Role) -> None:
    people.join_headquarters(chain.per, chain.company, role=role, by=chain.by)
    client = at_headquarters(chain.per)
    assert client.get(page(payment)).status_code == 200
    assert client.post(page(payment, "place"), {"store": str(chain.hamar.pk), "reason": "x"}).status_code == 403
    assert not Order.objects.exists()


def test_a_link_that_is_entered_later_places_it(
    chain: Chain, payment: UnplacedPayment, monkeypatch: pytest.MonkeyPatch
) -> None:
    # without a broker the round reads the settlement itself, and that may tell of the payment first
    monkeypatch.setattr(nudge, "publish", lambda *_args: True)
    assert place_again(by=hub("sweep")) == 0, "tried a moment ago"
    made_old(payment)
    assert place_again(by=hub("sweep")) == 0
    registry.share_sales_unit(
        chain.oslo, chain.units["BOO"], prefix="XXX-", channel="online", valid_from=PAID_AT, by=chain.by
    )
    made_old(payment)
    assert rounds.go_round(by=hub("sweep")).placed == 1
    order = Order.objects.get()
    assert (order.store, order.channel) == (chain.oslo, "online")
    payment.refresh_from_db()
    assert (payment.order, payment.placed_by) == (order, None)
    assert Entry.objects.filter(event__in=("payment.unplaced", "order.discovered")).count() == 2


def test_an_order_that_came_between_is_found_by_the_round(chain: Chain, payment: UnplacedPayment) -> None:
    """A sync that did not see the payment yet, because both were written at the same moment."""
    link = StoreUnit.objects.get(store=chain.bodo)
    Order.objects.create(
        sales_unit=link.sales_unit, store=link.store, reference=REFERENCE, currency="NOK", claimed_minor=25_000,
        paid_at=clock.db_now(),
    )  # fmt: skip
    made_old(payment)
    assert place_again(by=hub("sweep")) == 1
    order = Order.objects.get()
    assert (order.captured_minor, order.paid_at) == (25_000, PAID_AT)
