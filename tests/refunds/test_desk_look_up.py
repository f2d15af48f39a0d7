"""An order that no till told of, at the desk: one key asks Vipps, the page looks on, and the order opens."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from refunds import discovering
from stores import nudge
from stores.actors import hub
from stores.models import Order, VippsQuestion
from tests.conftest import Chain
from tests.refunds.asking_vipps import paid
from tests.refunds.desk_pages import Page, hidden, signed_in, text_of

REFERENCE = "BER-2026-10042"


@pytest.fixture(autouse=True)
def _nobody_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: True)


@pytest.fixture
def kari(chain: Chain) -> Client:
    return signed_in(chain.kari)


def ask(kari: Client, reference: str = REFERENCE, store: str = "") -> Page:
    return kari.post("/desk/look-ups/", {"reference": reference, "store": store})


def answer() -> None:
    for question in VippsQuestion.objects.filter(ended_at=None):
        discovering.answer(question.pk, by=hub("worker"))


def test_a_miss_of_a_whole_reference_offers_to_ask_vipps(chain: Chain, kari: Client) -> None:
    page = kari.get("/desk/", {"q": f"  {REFERENCE} "})
    assert "Vipps MobilePay may know it" in text_of(page)
    assert f'name="reference" value="{REFERENCE}"' in page.content.decode()
    assert 'action="/desk/look-ups/"' in page.content.decode()
    assert chain.simulator.calls.total() == 0


@pytest.mark.parametrize("typed", ["10042", "BER-100", "no such order"])
def test_a_part_of_a_reference_does_not(kari: Client, typed: str) -> None:
    page = kari.get("/desk/", {"q": typed})
    assert "No order matches" in text_of(page)
    assert 'action="/desk/look-ups/"' not in page.content.decode()


def test_an_order_that_is_found_does_not(chain: Chain, kari: Client) -> None:
    chain.sold(chain.bergen, REFERENCE, 25_000)
    assert kari.get("/desk/", {"q": REFERENCE}).status_code == 302


def test_the_page_looks_on_and_opens_the_order(chain: Chain, kari: Client) -> None:
    paid(chain, "BGO", REFERENCE)
    asked = ask(kari)
    assert asked.status_code == 302
    address = asked["Location"]
    page = kari.get(address)
    body = page.content.decode()
    assert "Asked 0 of 3 stores." in text_of(page)
    assert 'hx-trigger="every 1s"' in body
    assert '<noscript><meta http-equiv="refresh" content="2; url=?by-itself"></noscript>' in body
    mark = body.split("progress/?seen=")[1].split('"')[0]
    assert kari.get(f"{address}progress/", {"seen": mark}).status_code == 204
    answer()
    order = Order.objects.get()
    moved = kari.get(f"{address}progress/", {"seen": mark})
    assert (moved.status_code, moved["HX-Redirect"]) == (200, f"/desk/orders/{order.public_id}/")
    assert kari.get(address)["Location"] == f"/desk/orders/{order.public_id}/", "without script too"
    opened = text_of(kari.get(f"/desk/orders/{order.public_id}/"))
    assert "Nordlys Bergen" in opened
    assert "NOK 250.00" in opened


def test_who_comes_back_later_is_not_sent_on_again(chain: Chain, kari: Client) -> None:
    paid(chain, "BGO", REFERENCE)
    address = ask(kari)["Location"]
    answer()
    question = VippsQuestion.objects.get()
    assert question.ended_at is not None
    VippsQuestion.objects.update(ended_at=question.ended_at - timedelta(minutes=2))
    page = kari.get(address)
    assert page.status_code == 200
    assert f"/desk/orders/{Order.objects.get().public_id}/" in page.content.decode()


def test_two_stores_with_the_reference_are_a_choice(chain: Chain, kari: Client) -> None:
    for code in ("BGO", "TRD"):
        paid(chain, code, REFERENCE)
    address = ask(kari)["Location"]
    answer()
    page = kari.get(address)
    assert page.status_code == 200
    for name in ("Nordlys Bergen", "Nordlys Trondheim", "Choose by store"):
        assert name in text_of(page)


def test_it_says_plainly_that_nobody_has_it_and_what_to_do(chain: Chain, kari: Client) -> None:
    address = ask(kari)["Location"]
    answer()
    page = kari.get(address)
    assert "Asked 3 of 3 stores. None of them has a payment with this reference." in text_of(page)
    assert "Read the reference once more" in text_of(page)
    assert "hx-get" not in page.content.decode().split('id="look-up"')[1].split(">")[0]


def test_stores_that_could_not_be_asked_are_named_with_why(chain: Chain, kari: Client) -> None:
    unit = chain.units["TRD"]
    unit.key_set = None
    unit.save()
    paid(chain, "BGO", REFERENCE)
    address = ask(kari)["Location"]
    answer()
    page = kari.get(address)
    assert page.status_code == 200, "another store may have it too: she chooses"
    said = text_of(page)
    assert "Nordlys Trondheim Its Vipps keys do not work" in said
    assert "Asked 2 of 3 stores." in said


def test_a_named_store_is_the_only_one_asked(chain: Chain, kari: Client) -> None:
    address = ask(kari, store=chain.bergen.code)["Location"]
    assert "Nordlys Bergen" in text_of(kari.get(address))
    assert "Asked 0 of 1 store." in text_of(kari.get(address))


@pytest.mark.parametrize(("reference", "status"), [("BER 2026", 400), ("", 400), ("x" * 101, 400)])
def test_what_cannot_be_asked_stands_where_it_was_typed(kari: Client, reference: str, status: int) -> None:
    refused = ask(kari, reference)
    assert refused.status_code == status
    assert 'action="/desk/look-ups/"' in refused.content.decode()
    assert not VippsQuestion.objects.exists()


def test_too_many_questions_are_told_to_wait(kari: Client, settings: Settings) -> None:
    settings.VIPPS_QUESTIONS_PER_MINUTE = 1
    ask(kari)
    refused = ask(kari)
    assert refused.status_code == 429
    assert "Wait a minute and ask again." in text_of(refused)
    assert hidden(refused, "csrfmiddlewaretoken")


def test_a_part_of_a_second_keeps_the_same_question_alive_in_norwegian(chain: Chain, kari: Client) -> None:
    address = ask(kari)["Location"]
    page = kari.get(address, headers={"accept-language": "nb"})
    assert "Spurte 0 av 3 butikker." in text_of(page)
