"""What a load balancer is told."""

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from hq import health

SAYS_ALL = {"database": "ok", "migrations": "ok", "vault": "ok"}


@pytest.fixture(autouse=True)
def _web(settings: Any) -> None:
    settings.PROCESS = "web"
    health._plan_is_empty.cache_clear()


def test_alive_asks_nobody(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_ready_when_all_is_well(db: None) -> None:
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "checks": SAYS_ALL})
    assert "no-store" in answer["Cache-Control"]


def test_not_ready_without_the_vaults_public_key(db: None, settings: Any) -> None:
    settings.VAULT_PUBLIC_KEYS = ""
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "checks": {**SAYS_ALL, "vault": "failing"}}


def test_not_ready_before_the_migrations(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'refunds'")
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {**SAYS_ALL, "migrations": "failing"}


def test_not_ready_without_a_database(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise DatabaseError("password=hunter2 is wrong")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", refuse)
        answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "failing"
    assert "hunter2" not in answer.content.decode()


def test_alive_is_asked_without_https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/health/live").status_code == 200


def test_only_to_be_read() -> None:
    assert Client().post("/health/live").status_code == 405
