"""Clearing: what stores owe each other, to the øre, on a page for finance and as a file that runs nothing."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from hq import clearing
from hq.clearing import Pair, Party, Period, Position
from refunds.models import Refund, State
from stores import people
from stores.models import Company, Role, Store, User
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run

OSLO = Party(code="OSL", name="Nordlys Oslo")
BERGEN = Party(code="BGO", name="Nordlys Bergen")
BODO = Party(code="BOO", name="Nordlys Bodø")


@pytest.fixture
def finance(chain: Chain) -> User:
    """Kari's colleague at headquarters, who sees figures and changes nothing."""
    fia = User.objects.create(username="fia", first_name="Fia")
    people.join_headquarters(fia, chain.company, role=Role.FINANCE, by=chain.by)
    return fia


def refunded(
    chain: Chain,
    store: Store,
    amount_minor: int,
    *,
    reference: str,
    who: User | None = None,
    taken_in: Store | None = None,
) -> Refund:
    order = chain.sold(store, reference, amount_minor * 2)
    refund = run(ask(order, amount_minor, who=who or chain.kari, store=taken_in or chain.oslo).refund)
    assert refund.state == State.REFUNDED
    return refund


@pytest.fixture
def month(chain: Chain) -> Chain:
    """Oslo took 250 + 100 back for Bergen and 40 for Bodø, Bergen 80 for Oslo; and Oslo 70 for itself."""
    berit = User.objects.create(username="berit", first_name="Berit")
    people.join_store(berit, chain.bergen, role=Role.CASHIER, by=chain.by)
    refunded(chain, chain.bergen, 25_000, reference="BGO-20261101-1001")
    refunded(chain, chain.bergen, 10_000, reference="BGO-20261101-1002")
    refunded(chain, chain.bodo, 4_050, reference="BOO-20261101-1003")
    refunded(chain, chain.oslo, 8_000, reference="OSL-20261101-1004", who=berit, taken_in=chain.bergen)
    refunded(chain, chain.oslo, 7_000, reference="OSL-20261101-1005")
    ask(chain.sold(chain.bergen, "BGO-20261101-1006", 9_000), 9_000, who=chain.kari, store=chain.oslo)
    return chain


def read(answer: Any) -> list[list[str]]:
    text = answer.content.decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_each_pair_and_each_store_to_the_øre(month: Chain) -> None:
    found = clearing.clearing_of(month.company, clearing.this_month())
    facts = {"currency": "NOK"}
    assert found.pairs == (
        Pair(refunding=BERGEN, origin=OSLO, count=1, amount_minor=8_000, back_minor=35_000, **facts),
        Pair(refunding=OSLO, origin=BERGEN, count=2, amount_minor=35_000, back_minor=8_000, **facts),
        Pair(refunding=OSLO, origin=BODO, count=1, amount_minor=4_050, back_minor=0, **facts),
    )
    assert [pair.net_minor for pair in found.pairs] == [-27_000, 27_000, 4_050]
    assert found.positions == (
        Position(store=BERGEN, owed_minor=35_000, owes_minor=8_000, **facts),
        Position(store=BODO, owed_minor=4_050, owes_minor=0, **facts),
        Position(store=OSLO, owed_minor=8_000, owes_minor=39_050, **facts),
    )
    assert sum(position.net_minor for position in found.positions) == 0


def test_one_query_however_many_stores(month: Chain, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        clearing.clearing_of(month.company, clearing.this_month())


def test_a_day_belongs_to_headquarters_time_zone(chain: Chain, settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Oslo"
    refund = refunded(chain, chain.bergen, 1_000, reference="BGO-20261101-1001")
    last_minute = datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC)
    for moment, day in ((last_minute, 31), (last_minute + timedelta(seconds=1), 1)):
        Refund.objects.filter(pk=refund.pk).update(ended_at=moment)
        october = Period(first=datetime(2026, 10, 1).date(), last=datetime(2026, 10, 31).date())  # noqa: DTZ001 - days
        assert len(clearing.clearing_of(chain.company, october).pairs) == (1 if day == 31 else 0)


def test_another_chain_owes_nothing_here(month: Chain) -> None:
    other = Company.objects.create(name="Sydlys")
    assert clearing.clearing_of(other, clearing.this_month()).pairs == ()


def test_finance_sees_the_page_and_the_file_shows_the_same(month: Chain, finance: User) -> None:
    client = at_headquarters(finance)
    today = timezone.localdate().isoformat()
    page = client.get("/hq/clearing/")
    assert page.status_code == 200
    shown = page.content.decode()
    assert "Nordlys Bodø (BOO)" in shown
    assert "350.00" in shown
    assert f"last={today}&amp;csv=pairs" in shown
    answer = client.get("/hq/clearing/", {"first": today[:8] + "01", "last": today, "csv": "pairs"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="clearing-pairs-{today[:8]}01-{today}.csv"'
    rows = read(answer)
    assert rows[1:] == [
        ["Nordlys Bergen (BGO)", "Nordlys Oslo (OSL)", "NOK", "1", "80.00", "350.00", "-270.00"],
        ["Nordlys Oslo (OSL)", "Nordlys Bergen (BGO)", "NOK", "2", "350.00", "80.00", "270.00"],
        ["Nordlys Oslo (OSL)", "Nordlys Bodø (BOO)", "NOK", "1", "40.50", "0.00", "40.50"],
    ]
    stores = read(client.get("/hq/clearing/", {"first": today[:8] + "01", "last": today, "csv": "stores"}))
    assert stores[3] == ["Nordlys Oslo (OSL)", "NOK", "80.00", "390.50", "-310.50"]


def test_a_period_without_refunds_says_so(month: Chain, finance: User) -> None:
    page = at_headquarters(finance).get("/hq/clearing/", {"first": "2020-01-01", "last": "2020-01-31"})
    assert "No store refunded for another on these days." in page.content.decode()


@pytest.mark.parametrize(
    ("first", "last"),
    [
        *[("2026-11-02", "2026-11-01"), ("2020-01-01", "2026-01-01"), ("x", "2026-01-01"), ("2026-01-01", "")],
        *[("9999-12-31", "9999-12-31"), ("0001-01-01", "0001-01-02")],
    ],
)
def test_a_period_that_is_none_is_refused(month: Chain, finance: User, first: str, last: str) -> None:
    answer = at_headquarters(finance).get("/hq/clearing/", {"first": first, "last": last, "csv": "pairs"})
    assert answer.status_code == 422
    assert "text/html" in answer["Content-Type"]
    assert "Nordlys Bodø" not in answer.content.decode()


def test_a_name_that_looks_like_a_formula_runs_nothing(chain: Chain, finance: User) -> None:
    Store.objects.filter(pk=chain.bergen.pk).update(name='=HYPERLINK("https://evil.example","x")')
    refunded(chain, chain.bergen, 25_000, reference="BGO-20261101-1001")
    today = timezone.localdate().isoformat()
    rows = read(at_headquarters(finance).get("/hq/clearing/", {"first": today, "last": today, "csv": "pairs"}))
    assert rows[1][1].startswith("'=HYPERLINK(")


def test_stores_people_and_strangers_do_not_see_it(month: Chain) -> None:
    for user in (month.kari, month.mona, month.per):
        assert at_headquarters(user).get("/hq/clearing/", follow=True).status_code == 403
    assert Client().get("/hq/clearing/").status_code == 302
