"""A manager beside the cashier allows a refund at the cashier's screen: by her own PIN, for just that, as a manager."""

import uuid

import pytest

from refunds import beside
from refunds.errors import ApprovalVoid, HeadquartersOnly, NotWaiting, RefundNotFound
from refunds.models import Measure, Refund, State, Tier
from refunds.rules import Rule
from stores import access, people, pins
from stores.errors import HubError, NotFound
from stores.models import Entry, Order, Role, User
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.desk_pages import hidden, signed_in, text_of
from tests.refunds.policies import in_force

PIN, WRONG = "730518", "730519"


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)


@pytest.fixture
def waiting(chain: Chain, order: Order) -> Refund:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK"))
    return ask(order, 60_000, who=chain.kari, store=chain.oslo).refund


@pytest.fixture
def mona(chain: Chain) -> User:
    pins.choose(chain.mona, PIN, by=chain.by)
    return chain.mona


def till_of(chain: Chain) -> beside.Till:
    by = access.actor_for(chain.kari, store=chain.oslo, address="10.0.0.7")
    return beside.Till(cashier=chain.kari, store=chain.oslo, by=by)


def allow(chain: Chain, refund: Refund, manager: User, *, pin: str = PIN, seen: str | None = None) -> Refund:
    shown = refund.fingerprint if seen is None else seen
    return beside.allow_here(refund.pk, manager_id=manager.public_id, pin=pin, seen=shown, till=till_of(chain))


def still_waits(refund: Refund) -> bool:
    refund.refresh_from_db()
    return refund.state == State.AWAITING_APPROVAL and refund.approved_by is None


def test_her_pin_lets_it_go_and_the_trail_names_her_at_that_till(chain: Chain, waiting: Refund, mona: User) -> None:
    refund = allow(chain, waiting, mona)
    assert (refund.state, refund.approved_by) == (State.QUEUED, mona)
    approved = Entry.objects.filter(subject_id=str(waiting.pk)).latest("id")
    assert (approved.actor_name, approved.actor_id) == ("Mona", str(mona.pk))
    assert '"address":"10.0.0.7"' in approved.canonical
    given = Entry.objects.get(event="person.pin_given")
    assert (given.actor_name, given.subject_id) == ("Kari", str(mona.public_id))


@pytest.mark.parametrize("pin", [WRONG, "", "x"])
def test_a_wrong_one_lets_nothing_go(chain: Chain, waiting: Refund, mona: User, pin: str) -> None:
    with pytest.raises(pins.WrongPin):
        allow(chain, waiting, mona, pin=pin)
    assert still_waits(waiting)


def test_a_guesser_is_stopped_though_the_fifth_guess_is_followed_by_the_right_one(
    chain: Chain, waiting: Refund, mona: User
) -> None:
    for _ in range(pins.CLOSES_AFTER):
        with pytest.raises(pins.WrongPin):
            allow(chain, waiting, mona, pin=WRONG)
    with pytest.raises(pins.PinClosed):
        allow(chain, waiting, mona)
    assert still_waits(waiting)


@pytest.mark.parametrize("seen", ["", "0" * 64])
def test_it_is_for_just_what_stood_on_the_screen(chain: Chain, waiting: Refund, mona: User, seen: str) -> None:
    with pytest.raises(ApprovalVoid):
        allow(chain, waiting, mona, seen=seen)
    assert still_waits(waiting)


def test_nobody_allows_her_own_wish_with_her_pin(chain: Chain, order: Order, mona: User) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK"))
    hers = ask(order, 60_000, who=mona, store=chain.oslo).refund
    with pytest.raises(NotFound):
        allow(chain, hers, mona)
    assert still_waits(hers)


@pytest.mark.parametrize("who", ["kari", "hanne", "nobody"])
def test_only_managers_of_the_two_stores_can(chain: Chain, waiting: Refund, who: str) -> None:
    user = getattr(chain, who, None) or User(public_id=uuid.uuid4())
    if user.pk:
        pins.choose(user, PIN, by=chain.by)
    with pytest.raises(NotFound):
        allow(chain, waiting, user)
    assert still_waits(waiting)


def test_a_manager_of_the_store_that_sold_can(chain: Chain, waiting: Refund) -> None:
    nils = User.objects.create(username="nils", first_name="Nils")
    people.join_store(nils, chain.bergen, role=Role.MANAGER, by=chain.by)
    pins.choose(nils, PIN, by=chain.by)
    assert allow(chain, waiting, nils).state == State.QUEUED


def test_what_headquarters_must_allow_no_pin_allows(chain: Chain, order: Order, mona: User) -> None:
    people.join_headquarters(mona, chain.company, role=Role.APPROVER, by=chain.by)
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=1, currency="NOK", allowed_by=Tier.HEADQUARTERS))
    waiting = ask(order, 60_000, who=chain.kari, store=chain.oslo).refund
    with pytest.raises(HeadquartersOnly):
        allow(chain, waiting, mona)
    assert still_waits(waiting)


def test_a_till_that_may_not_see_the_refund_cannot_have_it_allowed(chain: Chain, waiting: Refund, mona: User) -> None:
    till = beside.Till(cashier=chain.per, store=chain.oslo, by=access.actor_for(chain.per))
    with pytest.raises(RefundNotFound):
        beside.allow_here(waiting.pk, manager_id=mona.public_id, pin=PIN, seen=waiting.fingerprint, till=till)
    assert still_waits(waiting)


def test_once_is_enough(chain: Chain, waiting: Refund, mona: User) -> None:
    allow(chain, waiting, mona)
    with pytest.raises(NotWaiting):
        allow(chain, waiting, mona)


def test_a_manager_who_left_since_cannot(chain: Chain, waiting: Refund, mona: User) -> None:
    people.leave_store(mona.memberships.get(store=chain.oslo), reason="moved on", by=chain.by)
    with pytest.raises(HubError):
        allow(chain, waiting, mona)
    assert still_waits(waiting)


def test_who_manages_both_stores_is_offered_once(chain: Chain, waiting: Refund, mona: User) -> None:
    people.join_store(mona, chain.bergen, role=Role.MANAGER, by=chain.by)
    page = signed_in(chain.kari).get(f"/desk/refunds/{waiting.pk}/").content.decode()
    assert page.count(f'<option value="{mona.public_id}">') == 1
    assert "http-equiv" not in page, "a page that opens itself anew takes the digits along"


def test_the_page_offers_it_to_the_cashier_and_it_goes_from_there(chain: Chain, waiting: Refund, mona: User) -> None:
    client = signed_in(chain.kari)
    address = f"/desk/refunds/{waiting.pk}/"
    page = client.get(address)
    assert "A manager beside you can allow it here" in text_of(page)
    form = {"manager": str(mona.public_id), "seen": hidden(page, "seen")}
    refused = client.post(f"{address}allow/", {**form, "pin": WRONG})
    assert refused.status_code == 403
    assert "That is not the PIN." in text_of(refused)
    client.post(f"{address}allow/", {**form, "pin": PIN})
    waiting.refresh_from_db()
    assert waiting.approved_by == mona
    assert "A manager beside you" not in text_of(client.get(address))


@pytest.mark.parametrize("manager", ["", "no-id", "0"])
def test_an_odd_manager_is_nobody(chain: Chain, waiting: Refund, mona: User, manager: str) -> None:
    sent = {"manager": manager, "seen": waiting.fingerprint, "pin": PIN}
    assert signed_in(chain.kari).post(f"/desk/refunds/{waiting.pk}/allow/", sent).status_code == 404
    assert still_waits(waiting)


def test_without_a_pin_among_the_managers_nothing_is_offered(chain: Chain, waiting: Refund) -> None:
    assert "A manager beside you" not in text_of(signed_in(chain.kari).get(f"/desk/refunds/{waiting.pk}/"))
