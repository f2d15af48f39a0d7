"""The customer's link: where her refund stands in plain words, for a while, and nothing to anybody who guesses."""

import uuid
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from refunds import approving, following
from refunds.models import Refund, State
from stores import access
from stores.models import Order
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import Page, text_of
from tests.refunds.releases import ask_release, reserved

_addresses = (f"2001:db8:{number:x}::1" for number in count(1))


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://hub.example"


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 12_550, who=chain.kari, store=chain.oslo, reason="other", reason_text="torn at the seam").refund


def customer(language: str = "en", address: str = "") -> Client:
    """A telephone somewhere, in which nobody has signed in."""
    return Client(headers={"accept-language": language}, REMOTE_ADDR=address or next(_addresses))


def look(refund: Refund, client: Client | None = None) -> Page:
    return (client or customer()).get(following.link_of(refund).removeprefix("https://hub.example"))


def test_she_sees_sum_store_and_plain_words_and_nothing_else(chain: Chain, refund: Refund) -> None:
    languages = "English Norsk (bokmål) Dansk Svenska Suomi"
    assert text_of(look(refund)) == (
        "On its way · Nordlys Nordlys NOK 125.50 On its way Your refund is on its way to Vipps. "
        f"Asked for in Nordlys Oslo. This page looks again by itself. {languages}"
    )
    run(refund)
    page = look(refund)
    assert text_of(page) == (
        "Refunded · Nordlys Nordlys NOK 125.50 Refunded Vipps has confirmed the refund. "
        "The money goes back to the card or account you paid with. It is usually there in 2–3 bank days, at most 10. "
        f"Asked for in Nordlys Oslo. {languages}"
    )
    body = page.content.decode()
    for word in ("BGO", "Bergen", "Kari", "torn", "100002", str(refund.pk), str(refund.order.public_id), "http-equiv"):
        assert word not in body, word


@pytest.mark.parametrize(("language", "said"), [
    ("nb-NO,nb;q=0.9", "125,50 kr Refundert Vipps har bekreftet refusjonen."),
    ("da", "125,50 NOK Refunderet Vipps har bekræftet refunderingen."),
    ("sv-SE", "125,50 Nkr Återbetald Vipps har bekräftat återbetalningen."),
    ("fi", "125,50 NOK Hyvitetty Vipps on vahvistanut hyvityksen."),
    ("de", "NOK 125.50 Refunded Vipps has confirmed the refund."),
])  # fmt: skip
def test_it_speaks_her_telephones_language_or_the_one_she_presses(refund: Refund, language: str, said: str) -> None:
    run(refund)
    assert said in text_of(look(refund, customer(language)))
    link = following.link_of(refund).removeprefix("https://hub.example")
    assert "Hyvitetty" in text_of(customer(language).get(link, {"language": "fi"}))
    assert said in text_of(customer(language).get(link, {"language": "tlh"}))


@pytest.mark.parametrize(("state", "said"), [
    (State.AWAITING_APPROVAL, "Waiting for the store Your refund has been asked for. Somebody has to approve it first."),
    (State.SENDING, "On its way"),
    (State.REVIEW, "Being checked Vipps has not given a clear answer yet."),
])  # fmt: skip
def test_each_state_has_words_for_the_customer(refund: Refund, state: State, said: str) -> None:
    Refund.objects.filter(pk=refund.pk).update(state=state)
    page = look(refund)
    assert said in text_of(page)
    assert '<meta http-equiv="refresh" content="30">' in page.content.decode()
    assert "headquarters" not in text_of(page)


def test_an_answer_that_was_lost_is_told_as_what_it_is(chain: Chain, refund: Refund) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    assert run(refund).state == State.UNKNOWN
    assert "Vipps has not given a clear answer yet. We are finding out; you need not do anything." in text_of(look(refund))


def test_what_came_to_nothing_says_so(chain: Chain, refund: Refund) -> None:
    approving.cancel_refund(refund.pk, asker=chain.kari, by=access.actor_for(chain.kari, store=chain.oslo))
    assert "Not refunded Nothing was refunded. Ask in the store that you turned to." in text_of(look(refund))


def test_a_release_has_its_own_words(chain: Chain) -> None:
    release = ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund
    assert "NOK 500.00 On its way The release has been asked for." in text_of(look(release))
    run(release)
    assert "Released The reservation has been released. Nothing was taken from you." in text_of(look(release))


def test_nobody_keeps_shows_on_or_finds_the_page(refund: Refund) -> None:
    wrong = customer().get("/r/" + "A" * 43)
    for page in (look(refund), wrong):
        assert page["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert page["Referrer-Policy"] == "no-referrer"
        assert "no-store" in page["Cache-Control"]
        assert "private" in page["Cache-Control"]
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        body = page.content.decode()
        assert '<meta name="robots" content="noindex, nofollow">' in body
        for inline in ("<style", " style=", "<script", " onclick=", "csrf"):
            assert inline not in body
    client = customer()
    look(refund, client)
    assert not client.cookies


def test_every_wrong_link_gets_one_and_the_same_answer(refund: Refund) -> None:
    token = following.token_of(refund)
    nobodys = following.token_of(Refund(pk=uuid.uuid4()))
    wrong = [nobodys, token[:-1], token[1:] + "A", "A" * 43, "x", token.swapcase(), f"{token}%00", "%C3%A9" * 43]
    answers = [customer().get(f"/r/{each}") for each in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "There is nothing to show here" in text_of(answers[0])
    assert customer().post(f"/r/{token}").status_code == 405


def test_the_link_ends_thirty_days_after_the_refund(refund: Refund, travel: Any, settings: Settings) -> None:
    travel(timedelta(days=90))
    assert look(refund).status_code == 200, "while it is not settled it is shown, however long that takes"
    run(refund)
    travel(timedelta(days=29, hours=23))
    assert look(refund).status_code == 200
    travel(timedelta(hours=2))
    assert look(refund).status_code == 404
    settings.FOLLOW_LINK_DAYS = 60
    assert look(refund).status_code == 200


def test_one_address_looks_so_often_and_no_more(refund: Refund, settings: Settings) -> None:
    settings.FOLLOW_LOOKS_PER_MINUTE = 3
    client = customer(address="2001:db8:aaaa:1::1")
    assert [look(refund, client).status_code for _look in range(4)] == [200, 200, 200, 429]
    neighbour = customer(address="2001:db8:aaaa:1:ffff::2")
    refused, wrong = look(refund, neighbour), neighbour.get("/r/" + "A" * 43)
    assert (refused.status_code, wrong.status_code) == (429, 429), "the same home, and the same answer to both"
    assert refused.content == wrong.content
    assert refused["Retry-After"] == "60"
    assert look(refund, customer(address="2001:db8:aaaa:2::1")).status_code == 200


def test_without_a_public_address_there_is_no_link(refund: Refund, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    assert following.link_of(refund) == ""
