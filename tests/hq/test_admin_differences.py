"""Headquarters and what does not fit: differences with an owner, refunds made elsewhere, settlements, and a button to look."""

from datetime import timedelta

import pytest
from django.test import Client

from refunds import comparison
from refunds.models import Acknowledgement, Difference, LedgerEntry, OrderAccount, OrderCheck, OutsideRefund
from stores import audit, clock, people, settlements
from stores.actors import hub
from stores.models import Entry, Order, Role, SettlementAccess
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.looking import look, settle
from tests.refunds.proving import BERGEN

LIST = "/hq/refunds/difference/"
OUTSIDE = "/hq/refunds/outsiderefund/"
SETTLEMENTS = "/hq/stores/settlementaccess/"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    return at_headquarters(chain.hanne)


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-8500", 100_000)


@pytest.fixture
def difference(chain: Chain, order: Order) -> Difference:
    """The hub counts 70 kroner that Vipps does not know."""
    OrderAccount.objects.create(order=order, external_minor=7_000)
    assert look(order) == ["event_log"]
    return Difference.objects.get()


@pytest.fixture
def elsewhere(chain: Chain, order: Order) -> OutsideRefund:
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    assert look(order) == []
    return OutsideRefund.objects.get()


def page(row: Difference | OutsideRefund, verb: str = "change") -> str:
    return f"/hq/refunds/{row._meta.model_name}/{row.pk}/{verb}/"


def last_sentence() -> str:
    entry = Entry.objects.order_by("-id").first()
    assert entry is not None
    return audit.sentence_of(entry)


class TestDifferences:
    def test_it_stands_on_the_first_screen_and_in_the_list_with_both_sides(self, hanne: Client, difference: Difference) -> None:
        work = {str(kind.title): kind for kind in hanne.get("/hq/").context["work"]}
        assert work["Differences"].count == 1
        assert work["Differences"].is_urgent
        listed = hanne.get(LIST, {"standing": "open"}).content.decode()
        assert difference.order.reference in listed
        assert "the hub and Vipps&#x27; event log differ" in listed
        assert "70.00" in listed
        assert hanne.get(page(difference)).status_code == 200

    def test_somebody_takes_it_and_explains_it(self, chain: Chain, hanne: Client, difference: Difference) -> None:
        assert hanne.post(page(difference, "take")).status_code == 302
        difference.refresh_from_db()
        assert difference.owner == chain.hanne
        assert difference.pk in [row.pk for row in hanne.get(LIST, {"standing": "mine"}).context["cl"].queryset]
        assert hanne.post(page(difference, "explain"), {"note": " "}).status_code == 422
        assert hanne.post(page(difference, "explain"), {"note": "an old till's\nslip"}).status_code == 302
        difference.refresh_from_db()
        assert (difference.closing, difference.closed_by, difference.note) == ("explained", chain.hanne, "an old till's slip")
        assert last_sentence().endswith("explained: an old till's slip")
        assert difference.pk not in [row.pk for row in hanne.get(LIST, {"standing": "open"}).context["cl"].queryset]
        assert hanne.post(page(difference, "take")).status_code == 403, "it is closed"
        assert audit.verify().bad is None

    def test_what_was_explained_stays_so_until_the_amounts_change(self, hanne: Client, difference: Difference) -> None:
        hanne.post(page(difference, "explain"), {"note": "an old till's slip"})
        assert look(difference.order) == []
        OrderAccount.objects.update(external_minor=9_000)
        assert look(difference.order) == ["event_log"]
        assert Difference.objects.count() == 2

    def test_nobodys_are_told_from_mine(self, hanne: Client, difference: Difference) -> None:
        assert [row.pk for row in hanne.get(LIST, {"standing": "nobodys"}).context["cl"].queryset] == [difference.pk]
        hanne.post(page(difference, "take"))
        assert not hanne.get(LIST, {"standing": "nobodys"}).context["cl"].queryset

    def test_an_auditor_sees_and_settles_nothing(self, chain: Chain, difference: Difference) -> None:
        people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
        client = at_headquarters(chain.per)
        assert client.get(page(difference)).status_code == 200
        for verb in ("take", "explain"):
            assert client.post(page(difference, verb), {"note": "no"}).status_code == 403
        difference.refresh_from_db()
        assert (difference.owner, difference.closed_at) == (None, None)

    def test_finance_settles(self, chain: Chain, difference: Difference) -> None:
        people.join_headquarters(chain.per, chain.company, role=Role.FINANCE, by=chain.by)
        assert at_headquarters(chain.per).post(page(difference, "take")).status_code == 302


class TestRefundedElsewhere:
    def test_it_is_listed_with_store_and_amount_until_somebody_says_whose_it_was(
        self, chain: Chain, hanne: Client, elsewhere: OutsideRefund
    ) -> None:
        work = {str(kind.title): kind.count for kind in hanne.get("/hq/").context["work"]}
        assert work["Refunded elsewhere"] == 1
        listed = hanne.get(OUTSIDE, {"seen_to": "not_yet"}).content.decode()
        assert "100.00" in listed
        assert elsewhere.order.reference in listed
        assert hanne.post(page(elsewhere, "acknowledge"), {"note": ""}).status_code == 422
        assert hanne.post(page(elsewhere, "acknowledge"), {"note": "Bergen, in the portal"}).status_code == 302
        seen_to = Acknowledgement.objects.get()
        assert (seen_to.person, seen_to.note) == (chain.hanne, "Bergen, in the portal")
        assert last_sentence().endswith("was seen to: Bergen, in the portal")
        assert not hanne.get(OUTSIDE, {"seen_to": "not_yet"}).context["cl"].queryset
        assert "Bergen, in the portal" in hanne.get(page(elsewhere)).content.decode()
        assert hanne.post(page(elsewhere, "acknowledge"), {"note": "again"}).status_code == 403, "once"
        assert {str(kind.title): kind.count for kind in hanne.get("/hq/").context["work"]}["Refunded elsewhere"] == 0

    def test_the_ledgers_other_lines_are_not_in_it(self, chain: Chain, hanne: Client, elsewhere: OutsideRefund) -> None:
        entry = LedgerEntry.objects.create(
            order=elsewhere.order, kind="reserve", debit="available", credit="reserved", amount_minor=1, currency="NOK"
        )
        assert hanne.get(f"{OUTSIDE}{entry.pk}/change/").status_code in (302, 404)
        assert len(hanne.get(OUTSIDE).context["cl"].queryset) == 1

    def test_what_turned_out_to_be_ours_is_not_elsewhere(self, hanne: Client, elsewhere: OutsideRefund) -> None:
        LedgerEntry.objects.create(
            order=elsewhere.order,
            kind="recognised",
            debit="external",
            credit="available",
            amount_minor=elsewhere.amount_minor,
            currency="NOK",
            psp_reference=elsewhere.psp_reference,
        )
        assert not hanne.get(OUTSIDE).context["cl"].queryset


class TestSettlements:
    def test_each_unit_says_how_far_it_is_read_or_why_it_is_not(self, chain: Chain, hanne: Client, order: Order) -> None:
        settle(order)
        settlements.read_settlement(chain.units["TRD"].pk, by=hub("worker"), kept=lambda rows: None)
        listed = hanne.get(SETTLEMENTS).content.decode()
        read, not_yet = (SettlementAccess.objects.get(sales_unit=chain.units[code]) for code in ("BGO", "OSL"))
        assert (read.problem, read.last_read_at is None, not_yet.last_read_at) == ("", False, None)
        assert f"3{BERGEN}" in listed
        assert "Misconfigured: 403" in listed
        bergen = SettlementAccess.objects.get(sales_unit=chain.units["BGO"])
        assert hanne.get(f"{SETTLEMENTS}{bergen.pk}/change/").status_code == 200


class TestTheButton:
    def test_an_order_is_looked_at_because_headquarters_asked(self, chain: Chain, hanne: Client, order: Order) -> None:
        chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
        button = f"/hq/stores/order/{order.pk}/compare/"
        assert "compare" in hanne.get(f"/hq/stores/order/{order.pk}/change/").content.decode()
        assert hanne.get(button).status_code == 200
        assert hanne.post(button).status_code == 302
        assert OrderCheck.objects.get().why == "asked"
        assert last_sentence() == f"Order {order.reference} is to be compared with Vipps."
        assert comparison.check_order(order.pk, by=hub("worker")) == 0
        assert OrderAccount.objects.get(order=order).external_minor == 10_000

    def test_an_auditor_has_no_such_button(self, chain: Chain, order: Order) -> None:
        people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
        assert at_headquarters(chain.per).post(f"/hq/stores/order/{order.pk}/compare/").status_code == 403
        assert not OrderCheck.objects.exists()


def test_another_companys_rows_are_absent(chain: Chain, hanne: Client, difference: Difference) -> None:
    other = chain.company.__class__.objects.create(name="Another chain")
    people.join_headquarters(chain.per, other, role=Role.FINANCE, by=chain.by)
    client = at_headquarters(chain.per)
    assert client.get(page(difference)).status_code in (302, 404)
    assert client.post(page(difference, "take")).status_code in (403, 404)
    assert clock.db_now() - difference.found_at < timedelta(hours=1)
