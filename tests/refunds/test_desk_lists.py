"""What stands on the first page before anything is asked: her latest, her store's sales of today, and other stores' by name."""

import pytest
from django.test import Client

from refunds import elsewhere
from refunds.models import Refund
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.desk_pages import signed_in, text_of


@pytest.fixture
def kari(chain: Chain) -> Client:
    return signed_in(chain.kari)


def test_todays_sales_of_her_store_stand_ready(chain: Chain, kari: Client) -> None:
    today = chain.sold(chain.oslo, "OSL-20261127-1001", 34_900, days_ago=0)
    chain.sold(chain.oslo, "OSL-20261126-1002", 34_900, days_ago=1.5)
    chain.sold(chain.bergen, "BGO-20261127-1003", 34_900, days_ago=0)
    said = text_of(kari.get("/desk/"))
    assert "Bought today in Nordlys Oslo Nordlys Oslo Oslo OSL-20261127-1001" in said
    assert "1002" not in said
    assert "1003" not in said
    assert f"/desk/orders/{today.public_id}/" in kari.get("/desk/").content.decode()


@pytest.mark.parametrize("name", ["Nordlys Bergen", "bergen", "BGO", "bgo", " Ber "])
def test_another_stores_sales_of_today_are_found_by_its_name(chain: Chain, kari: Client, name: str) -> None:
    chain.sold(chain.bergen, "BGO-20261127-1003", 34_900, days_ago=0)
    chain.sold(chain.bergen, "BGO-20261126-1004", 34_900, days_ago=1.5)
    chain.sold(chain.oslo, "OSL-20261127-1001", 34_900, days_ago=0)
    page = kari.get("/desk/").content.decode()
    day = page.split('name="day" value="')[1].split('"')[0]
    said = text_of(kari.get("/desk/", {"store": name, "day": day}))
    assert "1 order" in said
    assert "BGO-20261127-1003" in said


@pytest.mark.parametrize(("name", "why"), [
    ("Atlantis", "No store is called so."),
    ("Nordlys", "Which one? Nordlys Bergen, Nordlys Bodø, Nordlys Hamar, Nordlys Oslo, Nordlys Trondheim"),
    ("x" * 121, "at most 120 characters"),
])  # fmt: skip
def test_a_store_that_cannot_be_told_is_asked_for_again(kari: Client, name: str, why: str) -> None:
    page = kari.get("/desk/", {"store": name, "day": "2026-11-01"})
    assert page.status_code == 400
    assert why in text_of(page)
    assert f'value="{name}"' in page.content.decode(), "what she typed is kept"


def test_the_names_are_offered_only_when_they_are_asked_for(kari: Client) -> None:
    assert "Nordlys Trondheim" not in kari.get("/desk/").content.decode()
    names = kari.get("/desk/stores/names/").content.decode()
    assert '<option value="Nordlys Trondheim">' in names


def test_her_latest_are_the_newest_three(chain: Chain, kari: Client) -> None:
    for number in range(4):
        order = chain.sold(chain.bergen, f"BGO-20261101-774{number}", 100_000)
        ask(order, 10_000, who=chain.kari, store=chain.oslo)
    page = kari.get("/desk/").content.decode()
    latest = page.split('id="newest"')[1].split("</section>")[0]
    assert [f"774{number} R1" in latest for number in range(4)] == [False, True, True, True]
    strip = page.split('id="under-way"')[1].split("<main")[0]
    assert [f"774{number} R1" in strip for number in range(4)] == [True] * 4


def test_sums_read_already_are_the_databases_sums(chain: Chain) -> None:
    for number, amount_minor in enumerate((10_000, 12_500)):
        order = chain.sold(chain.bergen, f"BGO-20261101-774{number}", 100_000)
        ask(order, amount_minor, who=chain.kari, store=chain.oslo)
    assert elsewhere.totals_of(Refund.objects.all()) == elsewhere.totals(Refund.objects.all())
