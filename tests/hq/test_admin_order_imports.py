"""Headquarters imports a file of orders: given in, checked, looked at, started; every step with its right."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from refunds import tasks
from stores import importing, people
from stores.models import ImportState, Order, OrderImport, Role
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.till import YESTERDAY, Till, row

LIST = "/hq/stores/orderimport/"
PAID = YESTERDAY.isoformat()
TEXT = f"reference;amount_minor;currency;paid_at\nBER-1;25000;NOK;{PAID}\nBER 2;1;NOK;{PAID}\nBER-3;1;NOK;01.02.2026\n"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    return at_headquarters(chain.hanne)


def given_in(client: Client, chain: Chain, text: str = TEXT) -> OrderImport:
    data = {"system": chain.systems["BGO"].pk, "file": SimpleUploadedFile("orders.csv", text.encode(), "text/csv")}
    response = client.post(f"{LIST}give_in/", data)
    assert response.status_code == 302, response.content
    found = OrderImport.objects.get()
    assert response["Location"] == page(found)
    return found


def page(order_import: OrderImport, verb: str = "change") -> str:
    return f"{LIST}{order_import.pk}/{verb}/"


def test_from_the_file_to_the_index(chain: Chain, hanne: Client) -> None:
    assert hanne.get(f"{LIST}give_in/").status_code == 200
    order_import = given_in(hanne, chain)
    asked_again = {"HX-Request": "true"}
    waiting = hanne.get(page(order_import), headers=asked_again)
    assert "every 2s" in waiting.content.decode()
    assert "HX-Refresh" not in waiting
    importing.work_on(order_import.pk)
    assert hanne.get(page(order_import), headers=asked_again)["HX-Refresh"] == "true"
    shown = hanne.get(page(order_import)).content.decode()
    assert "every 2s" not in shown
    for said in ("1 new", "2 refused", "BER 2", "spreadsheet_date", "Nothing has been imported yet."):
        assert said in shown, said
    assert Order.objects.count() == 0
    assert hanne.get(page(order_import, "start")).status_code == 200
    assert hanne.post(page(order_import, "start")).status_code == 302
    assert hanne.post(page(order_import, "start")).status_code == 403
    importing.work_on(order_import.pk)
    order_import.refresh_from_db()
    assert (order_import.state, order_import.created, order_import.refused) == (ImportState.DONE, 1, 2)
    assert (order_import.asked_by, order_import.started_by) == (chain.hanne, chain.hanne)
    assert [order.reference for order in Order.objects.all()] == ["BER-1"]
    assert "3 / 3" in hanne.get(LIST).content.decode()
    assert hanne.post(page(order_import, "cancel")).status_code == 403


def test_what_the_worker_has_said_is_read_in_her_own_language(chain: Chain, hanne: Client) -> None:
    Till(chain.systems["BGO"]).sync(row("BER-4"))
    order_import = given_in(hanne, chain, f"{TEXT}BER-4;1;NOK;{PAID}\n")
    importing.work_on(order_import.pk)
    OrderImport.objects.update(problem="It did not get on; the hub tries again in two minutes.")
    shown = hanne.get(page(order_import), headers={"accept-language": "nb"}).content.decode()
    rows = shown[shown.index('id="told-group"') :]
    for said in ("avvist", "En referanse er 1 til 64 bokstaver", "Et regneark har skrevet om dette tidspunktet", "motsier"):
        assert said in rows, said
    for said in ("refused", "A reference is", "A spreadsheet has", "conflict<", "It did not get on"):
        assert said not in rows, said
    assert "It did not get on" not in shown


def test_a_bad_file_is_refused_beside_its_field(chain: Chain, hanne: Client) -> None:
    data = {"system": chain.systems["BGO"].pk, "file": SimpleUploadedFile("orders.csv", b"reference\nBER-1\n")}
    response = hanne.post(f"{LIST}give_in/", data)
    assert response.status_code == 422
    assert response.context["form"].errors["file"]
    assert OrderImport.objects.count() == 0


def test_it_can_be_cancelled(chain: Chain, hanne: Client) -> None:
    order_import = given_in(hanne, chain)
    assert hanne.post(page(order_import, "cancel")).status_code == 302
    order_import.refresh_from_db()
    assert order_import.state == ImportState.CANCELLED


def test_who_may_not_manage_stores_only_looks_on(chain: Chain, hanne: Client) -> None:
    order_import = given_in(hanne, chain)
    importing.work_on(order_import.pk)
    people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
    auditor = at_headquarters(chain.per)
    assert auditor.get(page(order_import)).status_code == 200
    for path in (f"{LIST}give_in/", page(order_import, "start"), page(order_import, "cancel")):
        assert auditor.get(path).status_code == 403
        assert auditor.post(path).status_code == 403


@pytest.mark.django_db(transaction=True)  # a task closes connections that are too old
@pytest.mark.parametrize("number", ["", "x", "1" * 30, "0"])
def test_a_message_that_names_no_import_does_nothing(number: str) -> None:
    tasks.import_orders(number)
