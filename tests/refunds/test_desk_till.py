"""A shared till: it locks when it is left alone, a PIN opens it for whoever signed in there today, and each acts as herself."""

import time
import uuid
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import password_reset
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from refunds.models import Measure, Refund, State, Tier
from refunds.rules import Rule
from stores import people, pins
from stores.audit import sentence_of
from stores.events import PinUse
from stores.models import Entry, Role, TillPin, User
from tests.conftest import PASSWORD, Chain
from tests.refunds.asking import ask
from tests.refunds.desk_pages import Till, hidden, text_of
from tests.refunds.policies import in_force

KARIS, MONAS, WRONG = "730518", "948207", "111222"


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


@pytest.fixture
def client(chain: Chain) -> Client:
    """The till of Oslo, where Mona and then Kari signed in in full today; each has a PIN."""
    pins.choose(chain.kari, KARIS, by=chain.by)
    pins.choose(chain.mona, MONAS, by=chain.by)
    client = Client(headers={"accept-language": "en"})
    sign_in(client, "mona")
    client.post("/desk/leave/")
    sign_in(client, "kari")
    return client


def sign_in(client: Client, name: str) -> None:
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    assert client.get("/desk/").status_code == 200


def give(client: Client, user: User, pin: str, next_page: str = "") -> Any:
    return client.post("/desk/locked/", {"who": str(user.public_id), "pin": pin, "next": next_page})


def who_is_there(client: Client) -> str:
    return str(User.objects.get(pk=client.session["_auth_user_id"]))


def alone_for(client: Client, seconds: int) -> None:
    session = client.session
    session["till_seen"] = time.time() - seconds
    session.save()


def is_locked(client: Client, path: str = "/desk/") -> bool:
    return str(client.get(path).headers.get("Location", "")).startswith("/desk/locked/")


def test_left_alone_it_asks_for_a_pin_and_goes_on_where_she_was(chain: Chain, client: Client) -> None:
    alone_for(client, 421)
    answer = client.get("/desk/today/?day=2026-11-02")
    assert answer["Location"] == "/desk/locked/?next=%2Fdesk%2Ftoday%2F%3Fday%3D2026-11-02"
    page = client.get(answer["Location"])
    assert "Who goes on here?" in text_of(page)
    assert "Find order" not in text_of(page)
    back = give(client, chain.kari, KARIS, "/desk/today/?day=2026-11-02")
    assert back["Location"] == "/desk/today/?day=2026-11-02"
    assert not is_locked(client)


def test_as_long_as_somebody_is_there_it_stays_open(client: Client, settings: Settings) -> None:
    alone_for(client, 419)
    assert not is_locked(client)
    assert time.time() - client.session["till_seen"] < 60
    settings.DESK_LOCKS_AFTER_SECONDS = 30
    alone_for(client, 151)
    assert is_locked(client)


@pytest.mark.parametrize("path", ["/desk/approvals/count/", "/desk/under-way/?seen=", "/desk/today/?by-itself"])
def test_a_page_that_asks_by_itself_shows_nobodys_presence(client: Client, path: str) -> None:
    alone_for(client, 200)
    client.get(path, headers={"HX-Request": "true"})
    assert time.time() - client.session["till_seen"] > 190


def test_a_part_of_a_page_sends_the_whole_page_to_the_lock(chain: Chain, client: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    alone_for(client, 421)
    answer = client.get(f"/desk/orders/{order.public_id}/confirmed/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == f"/desk/locked/?next=%2Fdesk%2Forders%2F{order.public_id}%2F"


@pytest.mark.parametrize("path", ["/desk/", "/desk/approvals/", "/accounts/password/change/", "/accounts/2fa/", "/hq/", "/"])
def test_locked_it_opens_nothing_at_all(chain: Chain, client: Client, path: str) -> None:
    client.post("/desk/lock/")
    assert is_locked(client, path)


def test_a_press_at_a_locked_till_moves_no_money_and_comes_back_to_its_order(chain: Chain, client: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    at = Till(client=client, order=order)
    filled = at.fill("100")
    alone_for(client, 421)
    answer: Any = at.refund(filled)
    assert answer["Location"] == f"/desk/locked/?next=%2Fdesk%2Forders%2F{order.public_id}%2F&undone=1"
    assert not Refund.objects.exists()
    assert "nothing was done" in text_of(client.get(answer["Location"]))
    assert "nothing was done" not in text_of(client.get("/desk/locked/"))


def test_a_colleague_takes_over_with_her_pin_and_acts_as_herself(chain: Chain, client: Client) -> None:
    client.post("/desk/lock/", {"next": "/desk/today/"})
    assert give(client, chain.mona, MONAS, "/desk/today/")["Location"] == "/desk/"
    assert who_is_there(client) == "Mona"
    at = Till(client=client, order=chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    at.refund(at.fill("100"))
    assert Refund.objects.get().requested_by == chain.mona
    client.post("/desk/lock/")
    give(client, chain.kari, KARIS)
    assert who_is_there(client) == "Kari"


@pytest.mark.parametrize("pin", [WRONG, KARIS, ""])
def test_with_a_wrong_pin_it_stays_locked_and_hers_whose_it_was(chain: Chain, client: Client, pin: str) -> None:
    client.post("/desk/lock/")
    page = give(client, chain.mona, pin)
    assert page.status_code == 403
    assert "That is not the PIN." in text_of(page)
    assert who_is_there(client) == "Kari"
    assert is_locked(client)
    refused = Entry.objects.get(event="person.pin_refused")
    assert (refused.actor_name, refused.subject_id) == ("Kari", str(chain.mona.public_id))


def test_what_was_asked_for_at_this_till_needs_the_managers_own_pin(chain: Chain, client: Client) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK"))
    at = Till(client=client, order=chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    at.refund(at.fill("600"))
    refund = Refund.objects.get()
    client.post("/desk/lock/")
    give(client, chain.mona, MONAS)
    page = client.get(f"/desk/refunds/{refund.pk}/")
    assert "Kari asked for it at this very till: to allow it, give your own PIN." in text_of(page)
    yes = {"decision": "approve", "seen": refund.fingerprint}
    for sent in (yes, {**yes, "pin": KARIS}):
        refused = client.post(f"/desk/refunds/{refund.pk}/decision/", sent)
        assert (refused.status_code, "That is not the PIN." in text_of(refused)) == (403, True)
        refund.refresh_from_db()
        assert refund.approved_by is None
    client.post(f"/desk/refunds/{refund.pk}/decision/", {**yes, "pin": MONAS})
    refund.refresh_from_db()
    assert refund.approved_by == chain.mona


def test_who_only_types_shows_that_she_is_there(client: Client) -> None:
    alone_for(client, 200)
    assert client.get("/desk/here/").status_code == 204
    assert time.time() - client.session["till_seen"] < 60


@pytest.mark.parametrize("how", ["changed", "reset"])
def test_a_new_password_ends_her_pin(chain: Chain, client: Client, how: str) -> None:
    if how == "changed":
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        form = {"oldpassword": PASSWORD, "password1": "a-new-long-one-77", "password2": "a-new-long-one-77"}
        assert client.post("/accounts/password/change/", form).status_code == 302
    else:
        password_reset.send(sender=User, request=client.get("/desk/").wsgi_request, user=chain.kari)
    assert pins.who_may_prove([chain.kari, chain.mona]) == {chain.mona.pk}
    assert sentence_of(Entry.objects.latest("id")) == "The PIN of Kari was ended: a new password was set"


def test_a_pin_signs_nobody_in_where_she_has_not_signed_in_in_full(chain: Chain) -> None:
    pins.choose(chain.kari, KARIS, by=chain.by)
    pins.choose(chain.mona, MONAS, by=chain.by)
    client = Client()
    sign_in(client, "kari")
    client.post("/desk/lock/")
    assert "Mona" not in text_of(client.get("/desk/locked/"))
    give(client, chain.mona, MONAS)
    assert who_is_there(client) == "Kari"
    assert is_locked(client)


def signed_in_for(client: Client, user: User, seconds: float) -> None:
    session = client.session
    session["till_people"] = {**session["till_people"], str(user.public_id): time.time() - seconds}
    session.save()


def test_signing_in_in_full_is_good_for_a_day(chain: Chain, client: Client) -> None:
    signed_in_for(client, chain.mona, 12 * 3600 + 1)
    client.post("/desk/lock/")
    page = give(client, chain.mona, MONAS)
    assert who_is_there(client) == "Kari"
    assert "Choose who goes on here." in text_of(page)
    assert not TillPin.objects.filter(wrong__gt=0).exists(), "it was nobody's wrong one"


def test_her_own_is_good_no_longer_and_her_pin_does_not_renew_it(chain: Chain, client: Client) -> None:
    signed_in_for(client, chain.mona, 12 * 3600 + 1)
    signed_in_for(client, chain.kari, 12 * 3600 + 1)
    assert is_locked(client), "though somebody was there all the time"
    give(client, chain.kari, KARIS)
    assert is_locked(client)
    assert "signed in here more than twelve hours ago" in text_of(client.get("/desk/locked/"))


def test_going_on_makes_no_sign_in_longer(chain: Chain, client: Client) -> None:
    signed_in_for(client, chain.mona, 12 * 3600 - 600)
    client.post("/desk/lock/")
    give(client, chain.mona, MONAS)
    assert not is_locked(client)
    assert client.session.get_expire_at_browser_close()
    assert time.time() - client.session["till_people"][str(chain.mona.public_id)] >= 12 * 3600 - 600


@pytest.mark.parametrize("address", ["/desk/lock/", "/desk/leave/", "/desk/locked/", "/desk/shift/notes/"])
def test_what_an_ended_session_presses_leads_over_the_sign_in_to_a_page(chain: Chain, address: str) -> None:
    client = Client()
    asked = client.post(address, {"next": "/desk/today/"})
    answer = client.post(asked["Location"], {"login": "kari", "password": PASSWORD})
    assert answer["Location"] == "/desk/"


def test_a_till_locked_where_something_was_refused_goes_on_at_a_page(chain: Chain, client: Client) -> None:
    refused = client.post(f"/desk/shift/notes/{uuid.uuid4()}/taken/")
    assert refused.status_code == 404
    assert hidden(refused, "next") == "/desk/"


def test_a_pin_is_no_second_factor_at_headquarters_and_changes_no_secret(chain: Chain, client: Client) -> None:
    people.join_headquarters(chain.mona, chain.company, role=Role.APPROVER, by=chain.by)
    client.post("/desk/lock/")
    give(client, chain.mona, MONAS)
    assert client.get("/hq/").status_code == 302
    assert client.get("/desk/pin/")["Location"].startswith("/accounts/reauthenticate/")
    assert client.post("/desk/pin/", {"pin": WRONG, "again": WRONG}).status_code == 302
    assert not is_locked(client)
    pins.prove(chain.mona, MONAS, use=PinUse.ALLOW, by=chain.by)


def test_a_pin_sent_without_a_fresh_proof_is_kept_nowhere(chain: Chain, client: Client) -> None:
    client.post("/desk/lock/")
    give(client, chain.mona, MONAS)
    asked = client.post("/desk/pin/", {"pin": "305817", "again": "305817"})["Location"]
    assert "305817" not in str(dict(client.session))
    assert client.post(asked, {"password": PASSWORD})["Location"] == "/desk/pin/"
    pins.prove(chain.mona, MONAS, use=PinUse.ALLOW, by=chain.by)


def test_a_pin_gives_her_account_no_other_address(chain: Chain, client: Client) -> None:
    client.post("/desk/lock/")
    give(client, chain.mona, MONAS)
    answer = client.post("/accounts/email/", {"action_add": "", "email": "kari@example.com"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.exists()


def test_the_desk_gives_no_yes_of_headquarters(chain: Chain, client: Client) -> None:
    people.join_headquarters(chain.mona, chain.company, role=Role.APPROVER, by=chain.by)
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=1, currency="NOK", allowed_by=Tier.HEADQUARTERS))
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    waiting = ask(order, 60_000, who=chain.kari, store=chain.oslo).refund
    client.post("/desk/lock/")
    give(client, chain.mona, MONAS)
    page = f"/desk/refunds/{waiting.pk}/"
    assert "Approve" not in text_of(client.get(page)).partition("Waits for approval")[2]
    refused = client.post(f"{page}decision/", {"decision": "approve", "seen": waiting.fingerprint})
    assert refused.status_code == 403
    waiting.refresh_from_db()
    assert (waiting.state, waiting.approved_by) == (State.AWAITING_APPROVAL, None)


def test_who_has_no_pin_is_asked_for_the_password(chain: Chain) -> None:
    client = Client(headers={"accept-language": "en"})
    sign_in(client, "kari")
    client.post("/desk/lock/")
    assert "Kari has no PIN" in text_of(client.get("/desk/locked/"))
    answer = client.post("/desk/leave/", {"next": "/desk/today/"})
    assert answer["Location"] == "/accounts/login/?next=%2Fdesk%2Ftoday%2F"
    sign_in(client, "kari")


def test_who_left_the_store_takes_no_till_over(chain: Chain, client: Client) -> None:
    people.leave_store(chain.mona.memberships.get(store=chain.oslo), reason="moved on", by=chain.by)
    client.post("/desk/lock/")
    assert give(client, chain.mona, MONAS).status_code == 403
    assert who_is_there(client) == "Kari"


def test_signing_out_ends_the_till_for_everybody(chain: Chain, client: Client) -> None:
    client.post("/accounts/logout/")
    assert "till_people" not in client.session


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"])
def test_it_goes_on_nowhere_else(chain: Chain, client: Client, wanted: str) -> None:
    client.post("/desk/lock/")
    assert give(client, chain.kari, KARIS, wanted)["Location"] == "/desk/"


def test_headquarters_without_a_till_is_never_locked(chain: Chain) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "hanne", "password": PASSWORD})
    client.get("/hq/")
    assert "till_seen" not in client.session


def test_who_is_given_her_role_after_she_signed_in_has_a_till_from_then_on(chain: Chain) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "per", "password": PASSWORD})
    assert client.get("/desk/").status_code == 403
    people.join_store(chain.per, chain.oslo, role=Role.CASHIER, by=chain.by)
    assert client.get("/desk/").status_code == 200
    alone_for(client, 421)
    assert is_locked(client)


def test_her_pin_is_chosen_after_her_password_and_typed_twice(chain: Chain) -> None:
    client = Client(headers={"accept-language": "en"})
    sign_in(client, "kari")
    asked = client.get("/desk/pin/")
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == "/desk/pin/"
    assert "two are not the same" in text_of(client.post("/desk/pin/", {"pin": KARIS, "again": MONAS}))
    assert "guessed at once" in text_of(client.post("/desk/pin/", {"pin": "123456", "again": "123456"}))
    assert not TillPin.objects.exists()
    assert "Your PIN counts" in text_of(client.post("/desk/pin/", {"pin": KARIS, "again": KARIS}))
    client.post("/desk/lock/")
    give(client, chain.kari, KARIS)
    assert not is_locked(client)
