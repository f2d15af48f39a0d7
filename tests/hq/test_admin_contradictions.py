"""Headquarters and what a till said otherwise: shown beside what the hub knows, settled once by a person, changing no order."""

import pytest
from django.test import Client

from stores import audit, people
from stores.models import Entry, Order, OrderConflict, Role
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.till import Till, outcomes, row

LIST = "/hq/stores/orderconflict/"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    return at_headquarters(chain.hanne)


@pytest.fixture
def till(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


@pytest.fixture
def conflict(till: Till) -> OrderConflict:
    till.sync(row("BGO-1000-1"))
    till.sync(row("BGO-1000-1", 99))
    return OrderConflict.objects.get()


def page(conflict: OrderConflict, verb: str = "change") -> str:
    return f"{LIST}{conflict.pk}/{verb}/"


def open_ones(client: Client) -> list[int]:
    return [found.pk for found in client.get(LIST, {"settled_at__isnull": "True"}).context["cl"].queryset]


def settled(client: Client, conflict: OrderConflict, settlement: str = "hub_is_right", reason: str = "asked the store") -> int:
    return client.post(page(conflict, "settle"), {"settlement": settlement, "reason": reason}).status_code


def test_it_stands_on_the_first_screen_and_in_the_list_with_both_sides(hanne: Client, conflict: OrderConflict) -> None:
    work = {str(kind.title): kind for kind in hanne.get("/hq/").context["work"]}
    assert work["Contradictions"].count == 1
    assert open_ones(hanne) == [conflict.pk]
    shown = hanne.get(page(conflict)).content.decode()
    assert "amount.amount_minor" in shown
    assert "250.00" in shown
    assert "amount_minor: 99" in shown


@pytest.mark.parametrize("settlement", ["hub_is_right", "noted"])
def test_a_person_settles_it_with_a_reason_and_the_order_stays_as_it_is(
    chain: Chain, hanne: Client, conflict: OrderConflict, settlement: str
) -> None:
    before = Order.objects.values().get()
    assert hanne.get(page(conflict, "settle")).status_code == 200
    assert settled(hanne, conflict, settlement, "rang the till's\nmaker") == 302
    conflict.refresh_from_db()
    assert (conflict.settlement, conflict.settled_by, conflict.reason) == (settlement, chain.hanne, "rang the till's maker")
    assert conflict.settled_at is not None
    assert Order.objects.values().get() == before
    assert open_ones(hanne) == []
    entry = Entry.objects.get(event="order.contradiction_settled")
    assert entry.chain.store == chain.bergen
    assert audit.sentence_of(entry).endswith("rang the till's maker")


@pytest.mark.parametrize(("settlement", "reason"), [("", "why"), ("hub_is_right", " "), ("overwrite", "why")])
def test_it_needs_a_reason_and_one_of_the_two_ends(
    hanne: Client, conflict: OrderConflict, settlement: str, reason: str
) -> None:
    assert settled(hanne, conflict, settlement, reason) == 422
    conflict.refresh_from_db()
    assert conflict.settled_at is None


def test_it_is_settled_once(hanne: Client, conflict: OrderConflict) -> None:
    assert settled(hanne, conflict) == 302
    assert settled(hanne, conflict, "noted") == 403
    conflict.refresh_from_db()
    assert conflict.settlement == "hub_is_right"


def test_who_may_not_reconcile_only_reads_it(chain: Chain, conflict: OrderConflict) -> None:
    people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
    auditor = at_headquarters(chain.per)
    assert auditor.get(page(conflict)).status_code == 200
    assert settled(auditor, conflict) == 403


def test_the_same_said_again_is_not_shown_again_and_something_else_is(
    hanne: Client, till: Till, conflict: OrderConflict
) -> None:
    settled(hanne, conflict)
    assert outcomes(till.sync(row("BGO-1000-1", 99))) == [("conflict", "contradiction", "amount.amount_minor")]
    assert open_ones(hanne) == []
    till.sync(row("BGO-1000-1", 98))
    assert len(open_ones(hanne)) == 1
