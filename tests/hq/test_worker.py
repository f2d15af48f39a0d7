"""A worker that starts looks at once for what lay waiting: the sweep's third host."""

import pytest
from celery.signals import worker_ready
from django.db import DatabaseError

from hq import worker
from refunds.models import Refund, State
from stores import clock
from tests.conftest import Chain
from tests.refunds.asking import ask


@pytest.mark.django_db(transaction=True)
def test_what_lay_waiting_is_run_when_a_worker_starts(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-9800", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    Refund.objects.filter(pk=refund.pk).update(state=State.SENDING, lease_until=clock.db_now(), fence=1)
    monkeypatch.setattr("stores.nudge.publish", lambda _task, _row: False)
    started = [answer for receiver, answer in worker_ready.send(sender=None) if receiver is worker.sweep_at_start]
    assert len(started) == 1
    started[0].join(timeout=30)
    refund.refresh_from_db()
    assert refund.state in (State.UNKNOWN, State.REFUNDED)


def test_a_worker_starts_although_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(**_by: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(worker, "sweep_once", away)
    worker.sweep_at_start().join(timeout=30)
    assert "sweep at start failed" in caplog.text
