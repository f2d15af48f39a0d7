"""Refunds, orders and the trail as headquarters sees them, and the approver's yes and no."""

import uuid
from typing import Any

import pytest
from django.test import Client

from refunds import execution, intake
from refunds.models import Refund, State
from stores import access, actors, people
from stores.models import Entry, LookUp, Order, Role
from stores.money import Money
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters

LIST = "/hq/refunds/refund/"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    """Hanne at headquarters: operator, approver, security; auditor too, so that she may see the trail's pages."""
    return at_headquarters(chain.hanne)


def ask(chain: Chain, order: Order, amount_minor: int, *, asker: Any = None) -> Refund:
    """Kari in Oslo asks for a refund, as the desk would."""
    who = asker or chain.kari
    return intake.request_refund(
        order.public_id,
        Money(amount_minor=amount_minor, currency="NOK"),
        reason="returned",
        refunding_store=chain.oslo,
        client_id=intake.client_of(who, chain.oslo),
        request_key=str(uuid.uuid4()),
        asker=who,
        by=access.actor_for(who, store=chain.oslo),
    ).refund


@pytest.fixture
def waiting(chain: Chain, settings: Any) -> Refund:
    """A refund above the limit."""
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 100_000}
    refund = ask(chain, chain.sold(chain.bergen, "BGO-9000-1", 500_000), 400_000)
    assert refund.state == State.AWAITING_APPROVAL
    return refund


def address(refund: Refund) -> str:
    return f"{LIST}{refund.pk}/"


def test_an_approver_lets_a_refund_go(chain: Chain, hanne: Client, waiting: Refund) -> None:
    page = hanne.get(f"{address(waiting)}change/").content.decode()
    assert f'href="{address(waiting)}approve/"' in page
    confirm = hanne.get(f"{address(waiting)}approve/").content.decode()
    assert "It is more than NOK\N{NO-BREAK SPACE}1,000.00 at once." in confirm
    for fact in ("NOK\N{NO-BREAK SPACE}4,000.00", "BGO-9000-1", "Nordlys Bergen (BGO)", "Nordlys Oslo (OSL)", "Kari"):
        assert fact in confirm
    waiting.refresh_from_db()
    assert waiting.state == State.AWAITING_APPROVAL, "looking approves nothing"
    for seen in ({}, {"seen": "of another refund"}):
        assert hanne.post(f"{address(waiting)}approve/", seen).status_code == 422, "it counts for what was shown alone"
    shown = {"seen": waiting.fingerprint}
    assert f'value="{waiting.fingerprint}"' in confirm
    assert hanne.post(f"{address(waiting)}approve/", shown).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.state, waiting.approved_by) == (State.QUEUED, chain.hanne)
    assert hanne.post(f"{address(waiting)}approve/", shown).status_code == 403, "there is nothing left to approve"


def test_an_approver_says_no_and_why(chain: Chain, hanne: Client, waiting: Refund) -> None:
    assert hanne.post(f"{address(waiting)}reject/", {"note": ""}).status_code == 422
    assert hanne.post(f"{address(waiting)}reject/", {"note": "No receipt"}).status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == State.REJECTED
    assert "No receipt" in Entry.objects.filter(subject_id=str(waiting.pk)).latest("id").canonical


def test_nobody_approves_her_own_refund(chain: Chain, waiting: Refund) -> None:
    people.join_headquarters(chain.kari, chain.company, role=Role.APPROVER, by=chain.by)
    client = at_headquarters(chain.kari)
    assert f'href="{address(waiting)}approve/"' not in client.get(f"{address(waiting)}change/").content.decode()
    for verb, data in (("approve", {}), ("reject", {"note": "x"})):
        assert client.post(f"{address(waiting)}{verb}/", data).status_code in (403, 422)
    waiting.refresh_from_db()
    assert waiting.state == State.AWAITING_APPROVAL


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.FINANCE, Role.SECURITY, Role.AUDITOR])
def test_only_an_approver_approves(chain: Chain, waiting: Refund, role: Role) -> None:
    people.join_headquarters(chain.per, chain.company, role=role, by=chain.by)
    client = at_headquarters(chain.per)
    assert client.get(f"{address(waiting)}change/").status_code == 200
    assert client.post(f"{address(waiting)}approve/").status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == State.AWAITING_APPROVAL


def test_approving_asks_for_a_fresh_proof(chain: Chain, waiting: Refund) -> None:
    client = at_headquarters(chain.hanne, seconds_ago=3600)
    answer = client.post(f"{address(waiting)}approve/")
    assert answer["Location"].startswith("/accounts/2fa/reauthenticate/")
    waiting.refresh_from_db()
    assert waiting.state == State.AWAITING_APPROVAL


def test_a_refunds_page_is_its_timeline(chain: Chain, hanne: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-1000-1", 25_000)
    refund = ask(chain, order, 10_000)
    execution.run_until_rest(refund.pk, by=actors.hub("worker"))
    refund.refresh_from_db()
    assert refund.state == State.REFUNDED
    page = hanne.get(f"{address(refund)}change/").content.decode()
    attempt = refund.attempts.get()
    told = [
        "Vipps has confirmed the refund.",
        "was accepted for order BGO-1000-1",
        "attempt 1",
        attempt.provider_key,
        "answer 1",
        "HTTP 200",
        "from available to reserved",
        "from reserved to refunded",
        *(bytes(entry.hash).hex() for entry in Entry.objects.filter(subject_id=str(refund.pk))),
    ]
    places = [page.find(text) for text in told]
    assert -1 not in places, told[places.index(-1)]
    assert page.index("from available to reserved") < page.index(attempt.provider_key)
    assert page.index(attempt.provider_key) < page.index("from reserved to refunded")
    for value in ("client_secret", "Bearer", "Authorization", "Ocp-Apim"):
        assert value not in page


def test_the_list_is_narrowed_by_what_stands_in_the_address(chain: Chain, hanne: Client) -> None:
    small = ask(chain, chain.sold(chain.bergen, "BGO-1000-1", 25_000), 10_000)
    large = ask(chain, chain.sold(chain.bodo, "BOO-1000-2", 90_000), 90_000)
    execution.run_until_rest(small.pk, by=actors.hub("worker"))
    cases: list[tuple[dict[str, str], set[Refund]]] = [
        ({}, {small, large}),
        ({"state__exact": "refunded"}, {small}),
        ({"order__store__id__exact": str(chain.bodo.pk)}, {large}),
        ({"refunding_store__id__exact": str(chain.oslo.pk)}, {small, large}),
        ({"refunding_store__id__exact": str(chain.bodo.pk)}, set()),
        ({"amount_minor_from": "100,01"}, {large}),
        ({"amount_minor_to": "100"}, {small}),
        ({"amount_minor_from": "no number"}, {small, large}),
        ({"accepted_at_to": "2020-01-01"}, set()),
        ({"accepted_at_from": "2020-01-01"}, {small, large}),
        ({"q": "BOO-1000-2"}, {large}),
    ]
    for query, expected in cases:
        page = hanne.get(LIST, query).content.decode()
        assert {r for r in (small, large) if address(r) in page} == expected, query


def test_the_last_day_of_a_range_counts(chain: Chain, hanne: Client) -> None:
    refund = ask(chain, chain.sold(chain.bergen, "BGO-1000-1", 25_000), 10_000)
    today = refund.accepted_at.astimezone().date()
    page = hanne.get("/hq/stores/entry/", {"at_from": str(today), "at_to": str(today)}).content.decode()
    assert "was accepted for order BGO-1000-1" in page or today != refund.accepted_at.date()


def test_orders_are_found_as_at_the_desk_and_the_search_is_recorded(chain: Chain, hanne: Client) -> None:
    found = chain.sold(chain.bergen, "BGO-2026-00417", 25_000)
    other = chain.sold(chain.bergen, "BGO-2026-00418", 25_000)
    ask(chain, found, 10_000)
    page = hanne.get("/hq/stores/order/", {"q": "00417"}).content.decode()
    assert f"/hq/stores/order/{found.pk}/change/" in page
    assert f"/hq/stores/order/{other.pk}/change/" not in page
    assert "NOK\N{NO-BREAK SPACE}150.00" in page, "what is left counts what is on its way"
    look_up = LookUp.objects.get()
    assert (look_up.user, look_up.typed, look_up.hits) == (chain.hanne, "00417", 1)
    assert "00417" in hanne.get("/hq/stores/lookup/").content.decode()


def test_too_many_searches_are_refused_kindly(chain: Chain, hanne: Client, settings: Any) -> None:
    settings.LOOK_UPS_PER_MINUTE = 1
    chain.sold(chain.bergen, "BGO-2026-00417", 25_000)
    assert "BGO-2026-00417" in hanne.get("/hq/stores/order/", {"q": "00417"}).content.decode()
    second = hanne.get("/hq/stores/order/", {"q": "417"})
    assert second.status_code == 200
    assert "/hq/stores/order/1" not in second.content.decode()
    assert "BGO-2026-00417" not in second.content.decode()
    assert LookUp.objects.count() == 1


def test_a_page_of_orders_costs_the_same_however_many(chain: Chain, hanne: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        chain.sold(chain.bergen, f"BGO-2026-{number:05d}", 25_000)
    with django_assert_max_num_queries(35):
        hanne.get("/hq/stores/order/")


def test_the_trail_is_filtered_by_event_chain_and_actor(chain: Chain, hanne: Client) -> None:
    ask(chain, chain.sold(chain.bergen, "BGO-1000-1", 25_000), 10_000)
    chain_of_oslo = chain.oslo.chain.pk
    cases = [
        ({"event": "refund.accepted"}, True),
        ({"event": "store.opened"}, False),
        ({"actor_kind": "person"}, True),
        ({"actor_kind": "hub"}, False),
        ({"chain__id__exact": str(chain_of_oslo)}, False),
        ({"refunding_store__id__exact": str(chain.oslo.pk)}, True),
        ({"q": "Kari"}, True),
        ({"q": "Nobody"}, False),
    ]
    for query, is_there in cases:
        page = hanne.get("/hq/stores/entry/", query).content.decode()
        assert ("was accepted for order BGO-1000-1" in page) == is_there, query


def test_the_first_screen_is_work_to_do(
    chain: Chain, hanne: Client, waiting: Refund, django_assert_max_num_queries: Any
) -> None:
    done = ask(chain, chain.sold(chain.bergen, "BGO-1000-1", 25_000), 10_000)
    execution.run_until_rest(done.pk, by=actors.hub("worker"))
    lost = ask(chain, chain.sold(chain.bergen, "BGO-1000-2", 25_000), 5_000)
    Refund.objects.filter(pk=lost.pk).update(state=State.UNKNOWN)
    unit = chain.units["TRD"]
    unit.key_set = None
    unit.save()
    with django_assert_max_num_queries(30):
        answer = hanne.get("/hq/")
    page = answer.content.decode()
    for refund in (waiting, lost):
        assert f'href="{address(refund)}change/"' in page
    assert f'href="{address(done)}change/"' not in page
    counts = {str(kind.title): kind.count for kind in answer.context["work"]}
    assert counts == {
        "In review": 0,
        "Reviews for a second person": 0,
        "Limits for a second person": 0,
        "Orders on hold without a review": 0,
        "Outcome being found out": 1,
        "Waiting for approval": 1,
        "Contradictions": 0,
        "Payments without a store": 0,
        "Differences": 0,
        "Refunded elsewhere": 0,
        "Messages given up": 0,
        "Sales units without keys": 1,
        "Notices of Vipps that may not come": 0,
    }
    figures = {str(figure.title): figure.value for figure in answer.context["figures"]}
    assert figures["Refunds asked for today"] == "3"
    assert figures["Refunded today"] == "1"
    assert figures["Paid back today"] == "NOK\N{NO-BREAK SPACE}100.00"
    assert 0 <= float(figures["Median seconds to the end"]) < 60


def test_headquarters_speaks_norwegian_amounts_to_norwegians(chain: Chain, hanne: Client, waiting: Refund) -> None:
    page = hanne.get("/hq/", headers={"accept-language": "nb"}).content.decode()
    assert "4\N{NO-BREAK SPACE}000,00\N{NO-BREAK SPACE}kr" in page
