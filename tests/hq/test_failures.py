"""What a person sees while the database is busy or the hub is broken: a page that says what to do, in her language."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from refunds.desk import search_page
from tests.conftest import Chain

pytestmark = pytest.mark.django_db(transaction=True)
FIND, TODAY = reverse("desk:find"), reverse("desk:today")


@pytest.fixture
def till(chain: Chain) -> Client:
    client = Client(raise_request_exception=False, headers={"accept-language": "nb"})
    client.force_login(chain.kari)
    return client


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Somebody else holds the table, and PostgreSQL's patience is short."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '100ms'")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        other.close()
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")


def test_while_the_database_is_busy_the_page_offers_itself_again(till: Client) -> None:
    asked = f"{FIND}?q=2026-0001"
    with locked("stores_order"):
        response = till.get(asked)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    page = response.content.decode()
    assert "Huben kan ikke svare akkurat nå" in page
    assert f'href="{asked}"' in page
    assert till.get(asked).status_code == 200


def test_whoever_was_sending_is_told_to_look_first(till: Client, chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-0001", 100_000)
    with locked("stores_order"):
        response = till.post(reverse("desk:confirm", args=[order.public_id]), {"amount": "100"})
    assert response.status_code == 503
    page = response.content.decode()
    assert "ikke gjør det på nytt ennå" in page
    assert f'href="{TODAY}"' in page


def test_what_is_broken_is_not_called_busy(till: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_facts: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(search_page, "render", broken)
    response = till.get(FIND)
    assert response.status_code == 500
    assert "Noe gikk i stykker hos oss" in response.content.decode()
