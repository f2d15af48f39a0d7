"""What a load balancer is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from hq import health
from refunds import sweep, tasks
from refunds.models import Heartbeat
from stores import clock
from stores.actors import hub

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


def beaten(name: str, **ago: float) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": clock.db_now() - timedelta(**ago)})


def test_a_sweep_that_has_just_passed_is_beating(db: None) -> None:
    sweep.sweep_once(by=hub("sweep"))
    answer = Client().get("/health/sweep")
    assert (answer.status_code, answer.json()["status"]) == (200, "beating")
    assert answer.json()["age_seconds"] <= 2
    assert "no-store" in answer["Cache-Control"]
    assert Client().get("/health/worker").status_code == 503, "no message has gone through a worker yet"


def test_a_timetables_sweep_shows_that_workers_work(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)
    tasks.sweep_refunds()
    assert [Client().get(f"/health/{name}").status_code for name in ("sweep", "worker")] == [200, 200]


@pytest.mark.parametrize(("seconds", "status"), [(110, 200), (130, 503), (86_400, 503)])
def test_two_minutes_of_silence_are_too_long(db: None, seconds: int, status: int) -> None:
    beaten("sweep", seconds=seconds)
    answer = Client().get("/health/sweep")
    assert answer.status_code == status
    assert seconds <= answer.json()["age_seconds"] <= seconds + 5


@pytest.mark.parametrize(("hours", "status"), [(25, 200), (27, 503)])
def test_a_night_without_reconciliation_is_silence(db: None, hours: int, status: int) -> None:
    beaten("reconcile", hours=hours)
    assert Client().get("/health/reconcile").status_code == status


def test_never_having_swept_is_silence(db: None) -> None:
    answer = Client().get("/health/sweep")
    assert (answer.status_code, answer.json()) == (503, {"status": "silent", "age_seconds": None})


def test_a_database_that_is_away_is_no_heartbeat(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise DatabaseError("password=hunter2 is wrong")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", refuse)
        answer = Client().get("/health/sweep")
    assert (answer.status_code, answer.json()["status"]) == (503, "unknown")
    assert "hunter2" not in answer.content.decode()
