"""A cashier sees and does only what her store roles allow, and opening another store's order leaves a trace."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.views import defaults

from refunds.models import Refund
from stores import actors, people, registry
from stores.models import Company, Entry, Order, Role, User
from tests.conftest import PASSWORD, Chain
from tests.refunds.asking import ask
from tests.refunds.desk_pages import Till, hidden, signed_in, text_of

NOBODYS = uuid.UUID(int=0)
PAGES = ["/desk/", "/desk/today/", "/desk/stores/", f"/desk/orders/{NOBODYS}/", f"/desk/refunds/{NOBODYS}/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_asked_to_sign_in(db: None, client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")


def test_kari_signs_in_and_stands_at_the_desk(chain: Chain, client: Client) -> None:
    signed = client.post("/accounts/login/", {"login": "kari", "password": PASSWORD}, follow=True)
    assert signed.redirect_chain[-1][0] == "/desk/"
    assert "Nordlys Oslo" in text_of(signed)


@pytest.mark.parametrize("path", PAGES)
def test_per_is_told_whom_to_ask(chain: Chain, path: str) -> None:
    answer = signed_in(chain.per).get(path)
    assert answer.status_code == 403
    assert "Ask your store’s manager, or the security team at headquarters" in text_of(answer)


def test_headquarters_has_no_till(chain: Chain) -> None:
    assert signed_in(chain.hanne).get("/desk/").status_code == 403


def test_a_role_that_ended_opens_nothing(chain: Chain) -> None:
    kari = signed_in(chain.kari)
    assert kari.get("/desk/").status_code == 200
    [membership] = chain.kari.memberships.all()
    people.leave_store(membership, reason="moved", by=chain.by)
    assert kari.get("/desk/").status_code == 403


def test_per_cannot_ask_for_a_refund(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    filled = {"amount": "10", "reason": "returned", "reason_text": "", "request_key": uuid.uuid4().hex}
    assert Till(client=signed_in(chain.per), order=order).refund(filled).status_code == 403
    assert Refund.objects.count() == 0


def _order_of_another_chain() -> Order:
    by = actors.hub("test")
    opened = datetime.now(UTC) - timedelta(days=30)
    store = registry.open_store(
        Company.objects.create(name="Other"), code="OTH", name="Other", city="Moss", country="NO",
        time_zone="Europe/Oslo", by=by,
    )  # fmt: skip
    unit = registry.add_sales_unit(
        store, msn="909090", name="Other", market="NO", environment="simulator", channel="in_store",
        valid_from=opened, by=by,
    )  # fmt: skip
    return Order.objects.create(
        sales_unit=unit, store=store, reference="OTHER-10001", ref_key="OTHER10001", currency="NOK",
        claimed_minor=10_000, paid_at=opened,
    )  # fmt: skip


def test_another_chains_order_and_one_that_never_was_look_the_same(chain: Chain) -> None:
    kari = signed_in(chain.kari)
    foreign = kari.get(f"/desk/orders/{_order_of_another_chain().public_id}/")
    absent = kari.get(f"/desk/orders/{uuid.uuid4()}/")
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert text_of(foreign) == text_of(absent)


def test_a_refund_between_two_other_stores_is_not_hers_to_see(chain: Chain) -> None:
    liv = User.objects.create(username="liv")
    people.join_store(liv, chain.trondheim, role=Role.CASHIER, by=chain.by)
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = ask(order, 10_000, who=liv, store=chain.trondheim).refund
    assert signed_in(liv).get(f"/desk/refunds/{refund.pk}/").status_code == 200
    kari = signed_in(chain.kari)
    assert kari.get(f"/desk/refunds/{refund.pk}/").status_code == 404
    assert kari.get(f"/desk/refunds/{refund.pk}/progress/").status_code == 404


def test_opening_another_stores_order_is_in_its_trail(chain: Chain) -> None:
    bergens, own = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000), chain.sold(chain.oslo, "OSL-20261101-1", 100)
    kari = signed_in(chain.kari)
    for order in (bergens, own):
        assert kari.get(f"/desk/orders/{order.public_id}/").status_code == 200
    [entry] = Entry.objects.filter(event="order.opened")
    assert entry.chain.store == chain.bergen
    assert (entry.actor_name, entry.refunding_store) == ("Kari", chain.oslo)
    assert (entry.subject_type, entry.subject_id) == ("order", str(bergens.public_id))


def test_what_is_sent_by_who_is_signed_out_is_said_to_be_undone(chain: Chain) -> None:
    till = Till(client=signed_in(chain.kari), order=chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    filled = till.fill("100")
    till.client.logout()
    answer = till.refund(filled)
    assert answer["Location"] == f"/accounts/login/?undone=1&next={till.path}"
    assert "You were signed out when you pressed, so nothing was done." in text_of(till.client.get(answer["Location"]))
    assert "nothing was done" not in text_of(till.client.get(f"/accounts/login/?next={till.path}"))
    assert "undone" not in till.client.post("/desk/lock/")["Location"]
    assert Refund.objects.count() == 0


def test_a_form_keeps_to_the_store_that_stood_on_its_page(chain: Chain) -> None:
    """In another tab she has gone over to Bergen since."""
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    people.join_store(chain.kari, chain.bergen, role=Role.CASHIER, by=chain.by)
    kari = signed_in(chain.kari)
    kari.post("/desk/stores/", {"store": str(chain.oslo.public_id)})
    till = Till(client=kari, order=order)
    shown = hidden(till.open(), "works_in")
    kari.post("/desk/stores/", {"store": str(chain.bergen.public_id)})
    till.refund({**till.fill("100"), "works_in": shown})
    assert Refund.objects.get().refunding_store == chain.oslo
    answer = till.refund({**till.fill("50"), "works_in": str(chain.trondheim.public_id)})
    assert answer["Location"].startswith("/desk/stores/")
    assert Refund.objects.count() == 1


def test_with_two_stores_she_chooses_where_she_works_and_may_change_it(chain: Chain) -> None:
    people.join_store(chain.kari, chain.bergen, role=Role.CASHIER, by=chain.by)
    kari = signed_in(chain.kari)
    assert kari.get("/desk/")["Location"] == "/desk/stores/?next=%2Fdesk%2F"
    assert kari.post("/desk/stores/", {"store": str(chain.bergen.public_id)})["Location"] == "/desk/"
    assert "Nordlys Bergen" in text_of(kari.get("/desk/"))
    assert kari.post("/desk/stores/", {"store": str(chain.oslo.public_id)})["Location"] == "/desk/"
    assert "Nordlys Oslo" in text_of(kari.get("/desk/"))


def test_who_chooses_her_store_on_the_way_to_a_page_comes_to_it(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    people.join_store(chain.kari, chain.bergen, role=Role.CASHIER, by=chain.by)
    kari, page = signed_in(chain.kari), f"/desk/orders/{order.public_id}/"
    assert f'<input type="hidden" name="next" value="{page}">' in kari.get(kari.get(page)["Location"]).content.decode()
    for wanted, comes_to in ((page, page), ("//elsewhere.example/", "/desk/")):
        chosen = {"store": str(chain.oslo.public_id), "next": wanted}
        assert kari.post("/desk/stores/", chosen)["Location"] == comes_to


def test_she_cannot_choose_a_store_that_is_not_hers(chain: Chain) -> None:
    people.join_store(chain.kari, chain.bergen, role=Role.CASHIER, by=chain.by)
    kari = signed_in(chain.kari)
    for wrong in (str(chain.trondheim.public_id), "", "x"):
        assert kari.post("/desk/stores/", {"store": wrong}).status_code == 400
    assert kari.get("/desk/")["Location"] == "/desk/stores/?next=%2Fdesk%2F"


def test_every_page_forbids_inline_code_and_is_not_kept(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    kari = signed_in(chain.kari)
    for path in ("/desk/", "/desk/today/", f"/desk/orders/{order.public_id}/"):
        page = kari.get(path)
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "no-store" in page["Cache-Control"]
        body = page.content.decode()
        for inline in ("<style", " style=", " onclick=", " onload=", "javascript:"):
            assert inline not in body
        assert all("src=" in script for script in body.split("<script")[1:]), "a script without a file"


def test_the_language_is_hers_to_choose(chain: Chain) -> None:
    kari = signed_in(chain.kari)
    assert kari.post("/i18n/setlang/", {"language": "nb", "next": "/desk/"})["Location"] == "/desk/"
    page = kari.get("/desk/")
    assert '<html lang="nb">' in page.content.decode()
    assert "Finn kundens ordre" in text_of(page)


def test_a_post_without_the_pages_token_does_nothing(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(chain.kari)
    filled = {"amount": "10", "reason": "returned", "reason_text": "", "request_key": uuid.uuid4().hex}
    answer = Till(client=careful, order=order).refund(filled)
    assert answer.status_code == 403
    assert "nothing was done" in text_of(answer)
    assert Refund.objects.count() == 0


@pytest.mark.parametrize(("view", "status", "said"), [
    (defaults.bad_request, 400, "The page could not read what was sent."),
    (defaults.permission_denied, 403, "this page is not part of your role"),
    (defaults.page_not_found, 404, "There is no such page, order or refund"),
])  # fmt: skip
def test_a_wrong_turn_has_a_page_of_the_house(
    chain: Chain, rf: RequestFactory, view: Callable[..., HttpResponse], status: int, said: str
) -> None:
    request = rf.get("/desk/")
    request.user = chain.kari
    page = view(request, Exception())
    assert page.status_code == status
    assert said in text_of(page)


def test_a_broken_page_says_what_a_cashier_must_not_do(rf: RequestFactory) -> None:
    page = defaults.server_error(rf.get("/desk/"))
    assert page.status_code == 500
    assert "do not do it again yet" in text_of(page)
