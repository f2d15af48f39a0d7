"""The paper for the customer: what a till there must say, honest while nothing is settled, and every print counted."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from refunds import approving, following
from refunds.models import Paper, Refund, RefundLine
from stores import access, audit, particulars, people
from stores.models import Entry, Order, OrderLine, Role, SalesUnit, Store, User
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import Page, hidden, signed_in, text_of
from tests.refunds.desk_scenes import with_lines
from tests.refunds.releases import ask_release, reserved

REFERENCE = "BGO-20261101-7741"


@pytest.fixture
def order(chain: Chain) -> Order:
    """1 000 kr that Bergen sold; both stores are Nordlys Norge's."""
    for store, address in ((chain.oslo, "Storgata 1, 0155 Oslo"), (chain.bergen, "Bryggen 2, 5003 Bergen")):
        particulars.describe_store(
            store, address=address, legal_name="Nordlys Norge AS", organisation_number="999 000 001 MVA", by=chain.by
        )
    sold = chain.sold(chain.bergen, REFERENCE, 100_000)
    Order.objects.filter(pk=sold.pk).update(receipt_number="10045-2231")
    sold.refresh_from_db()
    return sold


@pytest.fixture
def kari(chain: Chain) -> Client:
    """She reads English; the paper does not."""
    return signed_in(chain.kari)


def refunded(chain: Chain, order: Order, amount_minor: int = 12_550) -> Refund:
    return run(ask(order, amount_minor, who=chain.kari, store=chain.oslo).refund)


def print_it(client: Client, refund: Refund, *, as_: str = "print", press: str = "") -> Page:
    return client.post(f"/desk/refunds/{refund.pk}/receipt/", {"as": as_, "press": press})


def sheet_of(page: Page) -> str:
    """What is printed: the rest of the page is for the screen."""
    return text_of(page).partition("PDF, A4")[2].strip()


def told() -> list[str]:
    """What the trail tells of papers, oldest first."""
    return [audit.sentence_of(entry) for entry in Entry.objects.filter(event__startswith="paper.").order_by("id")]


def test_a_receipt_says_what_a_norwegian_till_must(chain: Chain, order: Order, kari: Client) -> None:
    refund = refunded(chain, order)
    page = print_it(kari, refund)
    assert page.status_code == 200
    said = sheet_of(page)
    assert said.startswith(
        "Nordlys Oslo Storgata 1, 0155 Oslo Nordlys Norge AS Org.nr. 999 000 001 MVA Returkvittering Kvitteringsnr. OSL-000001"
    )
    for line in (
        f"Refusjon {REFERENCE} R1",
        "Kjøpt i Nordlys Bergen, Bergen",
        "Kjøpskvittering 10045-2231",
        "Betalt med Vipps",
        "Betjent av Kari",
        "Refundert (NOK) 125,50 kr",
        "Pengene går tilbake til kortet eller kontoen du betalte med.",
        "De er vanligvis der etter 2–3 bankdager, senest etter 10.",
        "Merverdiavgiften står på kjøpskvitteringen.",
    ):
        assert line in said, line
    assert re.search(r"Refundert \d+\. \w+\.? \d{4}, \d\d:\d\d ", said), "date and time of the refund"
    assert re.search(r"Kjøpt \d+\. \w+\.? \d{4}, \d\d:\d\d ", said), "date and time of the purchase"
    assert "KOPI" not in said
    assert not re.search(r"\d+ ?%", said), "no VAT that nobody told the hub"
    assert '<article class="sheet" lang="nb">' in page.content.decode()
    assert '<html lang="en">' in page.content.decode()


@pytest.mark.parametrize(("country", "words"), [
    ("DK", ("Returkvittering", "CVR-nr.", "Betalt med MobilePay", "valgt som modtagerkonto i MobilePay-appen")),
    ("SE", ("Returkvitto", "Org.nr ", "Betalt med Vipps", "tillbaka till kortet eller kontot")),
    ("FI", ("Palautuskuitti", "Y-tunnus", "Maksutapa MobilePay", "vastaanottotiliksi MobilePay-sovelluksessa")),
])  # fmt: skip
def test_each_market_has_its_own_words_and_way_of_the_money(
    chain: Chain, order: Order, kari: Client, country: str, words: tuple[str, ...]
) -> None:
    refund = refunded(chain, order)
    Store.objects.filter(pk=chain.oslo.pk).update(country=country)
    SalesUnit.objects.filter(pk=order.sales_unit_id).update(market=country)
    said = sheet_of(print_it(kari, refund))
    for word in words:
        assert word in said, word


def test_while_it_is_under_way_the_paper_says_that_it_is_no_receipt(chain: Chain, order: Order, kari: Client) -> None:
    refund = ask(order, 12_550, who=chain.kari, store=chain.oslo).refund
    assert "Print a confirmation" in text_of(kari.get(f"/desk/refunds/{refund.pk}/"))
    said = sheet_of(print_it(kari, refund))
    assert "Bekreftelse på refusjon som er bedt om Ikke en kvittering: Ingenting er refundert ennå." in said
    assert "Bedt om (NOK) 125,50 kr" in said
    assert "Refusjonen din er på vei til Vipps." in said
    for word in ("Returkvittering", "Kvitteringsnr.", "bankdager", "Refundert", "Merverdiavgift"):
        assert word not in said, word
    run(refund)
    receipt = sheet_of(print_it(kari, refund))
    assert "Returkvittering Kvitteringsnr. OSL-000001" in receipt
    assert "KOPI" not in receipt, "the receipt's first print is no copy of the confirmation"


def test_what_came_to_nothing_has_no_paper(chain: Chain, order: Order, kari: Client) -> None:
    refund = ask(order, 12_550, who=chain.kari, store=chain.oslo).refund
    approving.cancel_refund(refund.pk, asker=chain.kari, by=access.actor_for(chain.kari, store=chain.oslo))
    assert 'name="as"' not in kari.get(f"/desk/refunds/{refund.pk}/").content.decode()
    refused = print_it(kari, refund)
    assert refused.status_code == 409
    assert "Nothing was refunded, so there is no receipt to hand over." in text_of(refused)
    assert (Paper.objects.count(), told()) == (0, [])


def test_every_later_print_is_a_copy_and_the_trail_tells_of_each(chain: Chain, order: Order, kari: Client) -> None:
    refund = refunded(chain, order)
    first, second, third = print_it(kari, refund), print_it(kari, refund), print_it(kari, refund, as_="roll")
    assert "KOPI" not in sheet_of(first)
    assert "KOPI Returkvittering" in sheet_of(second)
    assert "Kopi 1, skrevet ut" in sheet_of(second)
    assert third.status_code == 200
    paper = Paper.objects.get()
    assert (paper.number, paper.prints, paper.copies) == ("OSL-000001", 3, 2)
    name = f"Refund {REFERENCE} R1"
    assert told() == [
        f"{name}: refund receipt OSL-000001 was handed over (print).",
        f"{name}: copy 1 of refund receipt OSL-000001 was handed over (print).",
        f"{name}: copy 2 of refund receipt OSL-000001 was handed over (PDF).",
    ]
    [entry, *_rest] = Entry.objects.filter(event="paper.handed_over")
    assert (str(entry.chain), entry.refunding_store, entry.actor_name) == ("BGO", chain.oslo, "Kari")


def test_a_double_click_is_one_print(chain: Chain, order: Order, kari: Client, travel: Any) -> None:
    refund = refunded(chain, order)
    press = hidden(kari.get(f"/desk/refunds/{refund.pk}/"), "press")
    twice = [sheet_of(print_it(kari, refund, press=press)) for _click in range(2)]
    assert twice[0] == twice[1]
    assert "KOPI" not in twice[1]
    assert (Paper.objects.get().prints, len(told())) == (1, 1)
    travel(timedelta(seconds=16))
    assert "KOPI" in sheet_of(print_it(kari, refund, press=press)), "to load it again later is to print again"
    assert len(told()) == 2


def test_receipts_are_numbered_without_a_gap_in_each_store(chain: Chain, order: Order, kari: Client) -> None:
    liv = User.objects.create(username="liv")
    people.join_store(liv, chain.bergen, role=Role.CASHIER, by=chain.by)
    in_bergen = run(ask(order, 100, who=liv, store=chain.bergen).refund)
    waiting = ask(order, 50, who=chain.kari, store=chain.oslo).refund
    print_it(kari, waiting)
    run(waiting)
    for amount_minor in (200, 300):
        print_it(kari, refunded(chain, order, amount_minor))
    print_it(signed_in(liv), in_bergen)
    numbers = sorted(paper.number for paper in Paper.objects.select_related("store"))
    assert numbers == ["", "BGO-000001", "OSL-000001", "OSL-000002"]


def test_the_goods_that_come_back_stand_on_it(chain: Chain, order: Order, kari: Client) -> None:
    with_lines(order)
    refund = ask(order, 39_800, who=chain.kari, store=chain.oslo).refund
    for line, quantity in zip(order.lines.order_by("number"), (2, 1), strict=False):
        RefundLine.objects.create(refund=refund, line=line, quantity=quantity)
    run(refund)
    said = sheet_of(print_it(kari, refund))
    assert "Varer 2 × Candle holder, brass 1 × Rain jacket, green, M Betalt med" in said


def test_another_company_that_sold_stands_on_the_paper_too(chain: Chain, order: Order, kari: Client) -> None:
    particulars.describe_store(
        chain.bergen, address="Bryggen 2", legal_name="Bryggen Handel AS", organisation_number="998 000 002 MVA", by=chain.by
    )
    said = sheet_of(print_it(kari, refunded(chain, order)))
    assert "Kjøpt i Nordlys Bergen, Bergen · Bryggen Handel AS · 998 000 002 MVA" in said
    assert "Nordlys Norge AS Org.nr. 999 000 001 MVA" in said


def test_a_release_is_confirmed_in_its_own_words(chain: Chain, kari: Client) -> None:
    order = reserved(chain)
    release = run(ask_release(order, who=chain.kari, store=chain.oslo).refund)
    said = sheet_of(print_it(kari, release))
    assert "Bekreftelse på frigitt reservasjon" in said
    assert "Frigitt (NOK) 500,00 kr" in said
    assert "Ingenting er trukket fra deg." in said
    assert "Kvitteringsnr." not in said
    assert "Returkvittering" not in said


@pytest.mark.parametrize(("as_", "box"), [
    ("roll", r"/MediaBox \[0 0 226\.77 \d+"),
    ("a4", r"/MediaBox \[0 0 595\.28 841\.89\]"),
])  # fmt: skip
def test_the_same_paper_as_a_file(chain: Chain, order: Order, kari: Client, settings: Settings, as_: str, box: str) -> None:
    settings.PUBLIC_URL = "https://hub.example"
    chain.kari.last_name = "Łącka Đorđević Иванова"
    chain.kari.save()
    refund = refunded(chain, order)
    answer = print_it(kari, refund, as_=as_)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="OSL-000001.pdf"'
    assert "no-store" in answer["Cache-Control"]
    file = answer.content.decode("latin-1")
    assert file.startswith("%PDF-")
    assert re.search(box, file)
    assert file.count("/Type /Page\n") == 1
    assert "/Lang (nb)" in file
    assert "/URI (https://hub.example/r/" in file
    assert len(answer.content) < 60_000


def test_a_long_list_of_goods_goes_on_over_pages_and_on_one_long_roll(chain: Chain, order: Order, kari: Client) -> None:
    for number in range(1, 91):
        OrderLine.objects.create(order=order, number=number, name=f"Thing {number}", quantity=1, amount_minor=1_000)
    refund = ask(order, 90_000, who=chain.kari, store=chain.oslo).refund
    RefundLine.objects.bulk_create(RefundLine(refund=refund, line=line, quantity=1) for line in order.lines.all())
    run(refund)
    pages = {as_: print_it(kari, refund, as_=as_).content.decode("latin-1").count("/Type /Page\n") for as_ in ("a4", "roll")}
    assert pages == {"a4": 3, "roll": 1}


def test_the_code_is_drawn_and_carries_no_style(chain: Chain, order: Order, kari: Client, settings: Settings) -> None:
    refund = refunded(chain, order)
    assert "<svg" not in print_it(kari, refund).content.decode().partition("<article")[2], "no address, no code"
    settings.PUBLIC_URL = "https://hub.example"
    page = print_it(kari, refund)
    body = page.content.decode()
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in body or "<svg " in body
    for inline in ("<style", " style=", " onclick=", " onload=", "javascript:"):
        assert inline not in body
    assert "unsafe" not in page["Content-Security-Policy"]
    assert re.search(r'href="https://hub\.example/r/[A-Za-z0-9_-]{43}"', body)


def test_the_paper_carries_the_link_and_every_copy_the_same(
    chain: Chain, order: Order, kari: Client, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://hub.example"
    refund = refunded(chain, order)
    bodies = [print_it(kari, refund).content.decode() for _print in range(2)]
    assert [re.findall(r'href="(https://hub\.example/r/[^"]+)"', body) for body in bodies] == [[following.link_of(refund)]] * 2


def test_the_code_of_a_paper_opens_at_the_desk_what_it_is_about(
    chain: Chain, order: Order, kari: Client, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://hub.example"
    refund = refunded(chain, order)
    link = following.link_of(refund)
    assert kari.get("/desk/", {"q": f" {link} "})["Location"] == f"/desk/refunds/{refund.pk}/"
    liv = User.objects.create(username="liv")
    people.join_store(liv, chain.trondheim, role=Role.CASHIER, by=chain.by)
    elsewhere = signed_in(liv).get("/desk/", {"q": link})
    assert elsewhere["Location"] == f"/desk/orders/{order.public_id}/", "the refund is not hers to see, the order is"
    assert kari.get("/desk/", {"q": link[:-1] + "_"}).status_code == 200, "a wrong code is a search that finds nothing"


def test_only_a_press_prints(chain: Chain, order: Order, kari: Client) -> None:
    refund = refunded(chain, order)
    assert kari.get(f"/desk/refunds/{refund.pk}/receipt/")["Location"] == f"/desk/refunds/{refund.pk}/"
    assert told() == []


def test_who_may_not_see_the_refund_gets_no_paper_of_it(chain: Chain, order: Order) -> None:
    refund = refunded(chain, order)
    people.join_store(chain.mona, chain.bergen, role=Role.MANAGER, by=chain.by)
    assert print_it(signed_in(chain.per), refund).status_code == 403
    [oslo] = chain.kari.memberships.all()
    people.leave_store(oslo, reason="moved", by=chain.by)
    people.join_store(chain.kari, chain.trondheim, role=Role.CASHIER, by=chain.by)
    assert print_it(signed_in(chain.kari), refund).status_code == 404
    assert (Paper.objects.count(), told()) == (0, [])
