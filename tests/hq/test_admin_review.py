"""Headquarters' pages of a review and of a hold: who sees which button, what they show, and that two people are needed."""

from typing import Any

import pytest
from django.test import Client

from refunds import ledger, looking, review, states
from refunds.models import HoldLift, LookRequest, OrderAccount, Refund, ReviewProposal, State
from stores import access, people
from stores.actors import hub
from stores.models import Role, User
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask
from tests.refunds.proving import log_event
from tests.refunds.reviewing import NOTE, at_hq, look, propose

REFUNDS = "/hq/refunds/refund/"
HOLDS = "/hq/refunds/orderaccount/"


@pytest.fixture
def finn(chain: Chain) -> User:
    """Finance at headquarters, the second person."""
    return at_hq(chain, "finn")


@pytest.fixture
def refund(chain: Chain) -> Refund:
    """In review: it was never sent, for a day."""
    order = chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    assert states.move(refund, states.T14_UNUSABLE, by=hub("sweep"), because="not sent within 24 hours", outcome="no_keys")
    refund.refresh_from_db()
    return refund


def address(refund: Refund, verb: str = "change") -> str:
    return f"{REFUNDS}{refund.pk}/{verb}/"


def buttons(client: Client, refund: Refund) -> set[str]:
    """Which buttons of a review the refund's page shows."""
    page = client.get(address(refund)).content.decode()
    verbs = ("ask_vipps", "propose_end", "withdraw_end", "reject_end", "confirm_end")
    return {verb for verb in verbs if f'href="{address(refund, verb)}"' in page}


def state_of(refund: Refund) -> str:
    refund.refresh_from_db()
    return refund.state


def test_two_people_end_a_review_page_by_page(chain: Chain, refund: Refund, finn: User) -> None:
    hanne, other = at_headquarters(chain.hanne), at_headquarters(finn)
    assert buttons(hanne, refund) == {"ask_vipps", "propose_end"}
    assert "Ask Vipps again first" in hanne.get(address(refund)).content.decode()
    assert hanne.post(address(refund, "ask_vipps")).status_code == 302
    assert "the answer is on its way" in hanne.get(address(refund)).content.decode()
    looking.look(LookRequest.objects.get().pk, by=hub("worker"))
    form = hanne.get(address(refund, "propose_end")).content.decode()
    for fact in ("NOK\N{NO-BREAK SPACE}250.00", "BGO-20261101-7900", "no working keys", "CAPTURED", "Vipps&#x27; event log"):
        assert fact in form, fact
    assert hanne.post(address(refund, "propose_end"), {"ends_as": "declined", "note": NOTE}).status_code == 302
    assert buttons(hanne, refund) == {"ask_vipps", "withdraw_end"}
    assert buttons(other, refund) == {"ask_vipps", "reject_end", "confirm_end"}
    assert "Hanne proposes: not refunded." in other.get(address(refund)).content.decode()
    confirm = other.get(address(refund, "confirm_end")).content.decode()
    assert NOTE in confirm
    assert "Confirm: not refunded" in confirm
    assert state_of(refund) == State.REVIEW, "looking confirms nothing"
    assert other.post(address(refund, "confirm_end")).status_code == 302
    assert state_of(refund) == State.DECLINED
    assert buttons(other, refund) == set()
    page = other.get(address(refund)).content.decode()
    assert "two people at headquarters settled it: Hanne and Finn" in page


def test_the_proposer_has_no_button_and_no_way(chain: Chain, refund: Refund) -> None:
    hanne = at_headquarters(chain.hanne)
    look(refund, who=chain.hanne)
    propose(refund, "declined", who=chain.hanne)
    for verb in ("confirm_end", "reject_end"):
        assert hanne.post(address(refund, verb), {"note": "x"}).status_code in (403, 422)
    assert state_of(refund) == State.REVIEW
    assert ReviewProposal.objects.get().verdict == ""
    assert hanne.post(address(refund, "withdraw_end")).status_code == 302
    assert ReviewProposal.objects.get().verdict == "withdrawn"


def test_a_refusal_is_shown_and_moves_nothing(chain: Chain, refund: Refund) -> None:
    hanne = at_headquarters(chain.hanne)
    answer = hanne.post(address(refund, "propose_end"), {"ends_as": "declined", "note": NOTE})
    assert answer.status_code == 422
    assert "Ask Vipps first" in answer.content.decode()
    look(refund, who=chain.hanne)
    answer = hanne.post(address(refund, "propose_end"), {"ends_as": "refunded", "note": NOTE})
    assert "neither our key nor an unexplained refund" in answer.content.decode()
    assert hanne.post(address(refund, "propose_end"), {"ends_as": "declined", "note": ""}).status_code == 422
    assert not ReviewProposal.objects.exists()


def test_a_second_person_rejects_with_words(chain: Chain, refund: Refund, finn: User) -> None:
    look(refund, who=chain.hanne)
    propose(refund, "declined", who=chain.hanne)
    other = at_headquarters(finn)
    assert other.post(address(refund, "reject_end"), {"note": ""}).status_code == 422
    assert other.post(address(refund, "reject_end"), {"note": "the customer says otherwise"}).status_code == 302
    assert (state_of(refund), ReviewProposal.objects.get().verdict) == (State.REVIEW, "rejected")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SECURITY, Role.AUDITOR])
def test_a_role_without_the_right_sees_no_button(chain: Chain, refund: Refund, role: Role) -> None:
    client = at_headquarters(at_hq(chain, "ola", role))
    assert buttons(client, refund) == set()
    for verb in ("ask_vipps", "propose_end", "confirm_end"):
        assert client.post(address(refund, verb), {"ends_as": "declined", "note": NOTE}).status_code == 403
    assert state_of(refund) == State.REVIEW


def test_who_is_a_party_to_it_may_only_have_vipps_asked(chain: Chain, refund: Refund, finn: User) -> None:
    people.join_headquarters(chain.kari, chain.company, role=Role.APPROVER, by=chain.by)
    Refund.objects.filter(pk=refund.pk).update(approved_by=finn)
    for person in (chain.kari, finn):
        assert buttons(at_headquarters(person), refund) == {"ask_vipps"}
        answer = at_headquarters(person).post(address(refund, "propose_end"), {"ends_as": "declined", "note": NOTE})
        assert answer.status_code == 403
    assert not ReviewProposal.objects.exists()


@pytest.mark.parametrize("verb", ["propose_end", "confirm_end", "reject_end"])
def test_deciding_asks_for_a_fresh_proof(chain: Chain, refund: Refund, finn: User, verb: str) -> None:
    look(refund, who=chain.hanne)
    if verb != "propose_end":
        propose(refund, "declined", who=chain.hanne)
    client = at_headquarters(finn, seconds_ago=3600)
    answer = client.post(address(refund, verb), {"ends_as": "declined", "note": NOTE})
    assert answer["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert state_of(refund) == State.REVIEW


def test_a_look_that_failed_is_told(chain: Chain, refund: Refund) -> None:
    unit = chain.units["BGO"]
    unit.key_set = None
    unit.save()
    look(refund, who=chain.hanne)
    page = at_headquarters(chain.hanne).get(address(refund)).content.decode()
    assert "Vipps could not be asked" in page
    assert "no working keys" in page


def test_the_first_screen_counts_what_waits_for_a_second_person(chain: Chain, refund: Refund, finn: User) -> None:
    other = at_headquarters(finn)

    def waiting() -> dict[str, int]:
        return {str(kind.title): kind.count for kind in other.get("/hq/").context["work"]}

    assert (waiting()["In review"], waiting()["Reviews for a second person"]) == (1, 0)
    look(refund, who=chain.hanne)
    proposal = propose(refund, "declined", who=chain.hanne)
    assert (waiting()["In review"], waiting()["Reviews for a second person"]) == (1, 1)
    for query, is_there in (("waiting", True), ("none", False)):
        page = other.get(REFUNDS, {"proposal": query}).content.decode()
        assert (address(refund) in page) is is_there
    review.confirm_end(proposal.pk, asker=finn, by=access.actor_for(finn))
    assert (waiting()["In review"], waiting()["Reviews for a second person"]) == (0, 0)


class TestHolds:
    """The page of orders on hold."""

    @pytest.fixture
    def held(self, chain: Chain) -> OrderAccount:
        order = chain.sold(chain.bergen, "BGO-20261101-7901", 100_000)
        refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
        ledger.hold(order, "a refund with a key of this hub has no row here")
        log_event(chain, refund, 30_000, "rh1-" + "f" * 36)
        return OrderAccount.objects.get(order=order)

    def shown(self, client: Client, held: OrderAccount) -> set[str]:
        page = client.get(f"{HOLDS}{held.pk}/change/").content.decode()
        verbs = ("propose_lift", "withdraw_lift", "reject_lift", "confirm_lift")
        return {verb for verb in verbs if f'href="{HOLDS}{held.pk}/{verb}/"' in page}

    def test_two_people_lift_it_page_by_page(self, chain: Chain, held: OrderAccount, finn: User) -> None:
        hanne, other = at_headquarters(chain.hanne), at_headquarters(finn)
        assert "BGO-20261101-7901" in other.get(HOLDS, {"lifted_by": "people"}).content.decode()
        assert "BGO-20261101-7901" not in other.get(HOLDS, {"lifted_by": "review"}).content.decode()
        assert self.shown(hanne, held) == {"propose_lift"}
        assert hanne.post(f"{HOLDS}{held.pk}/propose_lift/", {"note": NOTE}).status_code == 302
        assert self.shown(hanne, held) == {"withdraw_lift"}
        assert self.shown(other, held) == {"reject_lift", "confirm_lift"}
        assert hanne.post(f"{HOLDS}{held.pk}/confirm_lift/").status_code == 403
        assert NOTE in other.get(f"{HOLDS}{held.pk}/confirm_lift/").content.decode()
        held.refresh_from_db()
        assert held.on_hold
        assert other.post(f"{HOLDS}{held.pk}/confirm_lift/").status_code == 302
        held.refresh_from_db()
        assert not held.on_hold
        assert HoldLift.objects.get().verdict == "confirmed"
        assert f"{HOLDS}{held.pk}/" not in other.get(HOLDS).content.decode()

    def test_a_hold_of_a_review_has_no_button(self, chain: Chain, refund: Refund, finn: User) -> None:
        held = OrderAccount.objects.get(order=refund.order)
        page = at_headquarters(finn).get(f"{HOLDS}{held.pk}/change/").content.decode()
        assert address(refund) in page, "but a way to the review"
        assert self.shown(at_headquarters(finn), held) == set()
        assert at_headquarters(finn).post(f"{HOLDS}{held.pk}/propose_lift/", {"note": NOTE}).status_code in (403, 422)

    def test_deciding_asks_for_a_fresh_proof(self, chain: Chain, held: OrderAccount, finn: User) -> None:
        client = at_headquarters(finn, seconds_ago=3600)
        answer = client.post(f"{HOLDS}{held.pk}/propose_lift/", {"note": NOTE})
        assert answer["Location"].startswith("/accounts/2fa/reauthenticate/")
        assert not HoldLift.objects.exists()

    @pytest.mark.parametrize("role", [Role.OPERATOR, Role.SECURITY, Role.AUDITOR])
    def test_a_role_without_the_right_only_sees(self, chain: Chain, held: OrderAccount, role: Role) -> None:
        client = at_headquarters(at_hq(chain, "ola", role))
        assert "BGO-20261101-7901" in client.get(HOLDS).content.decode()
        assert self.shown(client, held) == set()
        assert client.post(f"{HOLDS}{held.pk}/propose_lift/", {"note": NOTE}).status_code == 403


def test_nothing_here_costs_a_query_a_row(chain: Chain, finn: User, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        order = chain.sold(chain.bergen, f"BGO-20261101-800{number}", 100_000)
        refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
        assert states.move(refund, states.T14_UNUSABLE, by=hub("sweep"), because="not sent within 24 hours")
    client = at_headquarters(finn)
    with django_assert_max_num_queries(30):
        client.get(REFUNDS)
