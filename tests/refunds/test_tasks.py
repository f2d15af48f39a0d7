"""Messages say "look at this id" and nothing else; whatever else comes does nothing, and no setting carries correctness."""

import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from pytest_django import Settings

from hq import celery as hq_celery
from refunds import execution, nudges, sweep, tasks
from refunds.models import Heartbeat, Outbox, Refund, State
from stores import nudge
from tests.conftest import Chain
from tests.refunds.asking import ask


@pytest.fixture(autouse=True)
def _the_tests_connection_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker drops connections that are too old; here that would be the one that holds the test's data."""
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


@pytest.fixture
def refund(chain: Chain) -> Refund:
    order = chain.sold(chain.bergen, "BGO-20261101-7500", 100_000)
    return ask(order, 10_000, who=chain.kari, store=chain.oslo).refund


JUNK: list[Any] = [
    *(None, True, 0, -1, 1.5, "", " ", "x", "refunds", "00000000", "\x00", "z" * 32, "a" * 10_000),
    *([], {}, ["a"], {"id": "a"}, [[]], b"bytes", "../../etc/passwd", "' OR 1=1 --"),
]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_a_message_that_is_no_id_calls_nobody(
    chain: Chain, refund: Refund, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, junk: Any
) -> None:
    ran: list[uuid.UUID] = []
    monkeypatch.setattr(execution, "run_until_rest", lambda refund_id, **more: ran.append(refund_id))
    assert tasks.run_refund(junk) is None
    assert ran == []
    assert "a message without a refund's id was ignored" in caplog.text


def test_an_id_that_nobody_has_does_nothing(chain: Chain, refund: Refund) -> None:
    tasks.run_refund(str(uuid.UUID(int=7)))
    tasks.run_refund(str(refund.order.public_id))
    refund.refresh_from_db()
    assert refund.state == State.QUEUED
    assert chain.simulator.calls.total() == 0


def test_a_message_runs_its_refund_and_repeated_it_does_nothing_more(chain: Chain, refund: Refund) -> None:
    for _ in range(3):
        tasks.run_refund(str(refund.pk))
    refund.refresh_from_db()
    assert refund.state == State.REFUNDED
    assert len(chain.simulator.log(operation="refund")) == 1
    assert chain.simulator.calls["get"] == 1


def test_the_timetable_starts_a_sweep(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(sweep, "sweep_once", lambda *, by: names.append(by.name))
    tasks.sweep_refunds()
    assert names == ["sweep"]
    assert Heartbeat.objects.filter(name="worker").exists()


def test_each_task_that_is_published_is_one_that_a_worker_knows() -> None:
    assert nudges.TASK == tasks.run_refund.name == "refunds.run_refund"
    assert hq_celery.app.conf.beat_schedule["sweep"]["task"] == tasks.sweep_refunds.name


def test_the_workers_settings_are_the_protocols() -> None:
    conf = hq_celery.app.conf
    assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])
    assert (conf.task_acks_late, conf.worker_prefetch_multiplier) == (True, 1)
    assert conf.task_ignore_result is True
    assert not conf.result_backend
    assert conf.task_publish_retry is False
    assert conf.broker_connection_max_retries is None
    assert conf.task_always_eager is False


def test_the_outbox_row_says_what_became_of_its_message(refund: Refund, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Outbox.objects.get(refund=refund)
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: False)
    assert nudges.publish(row) is False
    row.refresh_from_db()
    assert (row.published_at, row.tries) == (None, 1)
    sent: list[tuple[str, str]] = []

    def publish(task: str, row_id: str) -> bool:
        sent.append((task, row_id))
        return True

    monkeypatch.setattr(nudge, "publish", publish)
    assert nudges.publish(row) is True
    row.refresh_from_db()
    assert row.published_at is not None
    assert row.tries == 2
    assert sent == [("refunds.run_refund", str(refund.pk))]


@pytest.fixture
def hung_redis() -> Iterator[str]:
    """Something that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("process", ["web", "sweep", "beat", "command"])
def test_a_hung_redis_costs_a_publisher_little_more_than_a_second(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, hung_redis: str, process: str
) -> None:
    settings.REDIS_URL, settings.PROCESS = hung_redis, process
    app = Celery("hung", set_as_current=False)
    app.conf.update(task_publish_retry=False, **hq_celery._broker())
    monkeypatch.setattr(nudge, "current_app", app)
    started = time.monotonic()
    assert nudge.publish(nudges.TASK, str(uuid.UUID(int=7))) is False
    assert time.monotonic() - started < 2


def test_a_worker_keeps_no_timeout_that_would_end_its_own_waiting(settings: Settings) -> None:
    settings.REDIS_URL, settings.PROCESS = "redis://127.0.0.1:1/0", "worker"
    assert "socket_timeout" not in hq_celery._broker()["broker_transport_options"]
