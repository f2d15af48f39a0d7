"""A thousand forged messages to a real worker on a real Redis: it lives, calls nobody, changes no row, and goes on working."""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from refunds.models import Attempt, Delivery, LedgerEntry, OrderAccount, Outbox, Refund, State
from stores import clock, nudge
from stores.models import Entry, Notice, Order
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.forged_messages import Forger
from tests.refunds.real_processes import WORKER, Running, environment_of, over_http, own_redis, started, until
from tests.vipps_notices import VIPPS, body_of, registered

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

COUNT = 1_000


def everything() -> list[Any]:
    models = (Refund, OrderAccount, LedgerEntry, Attempt, Order, Entry, Notice, Delivery, Outbox)
    return [row for model in models for row in model._default_manager.order_by("pk").values()]


def test_a_worker_lives_through_a_thousand_forged_messages(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: False)
    ended = run(ask(chain.sold(chain.bergen, "BGO-20261101-9401", 50_000), 20_000, who=chain.kari, store=chain.oslo).refund)
    waiting = ask(chain.sold(chain.bergen, "BGO-20261101-9402", 50_000), 20_000, who=chain.kari, store=chain.oslo).refund
    later = clock.db_now() + timedelta(days=1)
    Refund.objects.filter(pk=waiting.pk).update(next_action_at=later)
    VIPPS.send(registered(chain.units["BGO"]).url, body_of("100002", "BGO-20261101-9402"))
    [notice] = Notice.objects.all()
    Notice.objects.update(verdict="forged", read_at=clock.db_now())
    known = [str(ended.pk), str(waiting.pk), str(notice.pk), str(ended.order.public_id), str(chain.oslo.public_id)]
    forger = Forger(dice=random.Random(1), known=known, marker=tmp_path / "executed")
    before, called = everything(), chain.simulator.calls.total()
    with own_redis(tmp_path) as broker, over_http(chain.simulator) as url:
        environment = environment_of("worker", simulator_url=url, folder=tmp_path, REDIS_URL=broker)
        with started(WORKER, environment=environment, folder=tmp_path, ready=" ready.") as worker:
            kinds = flood(Redis.from_url(broker), worker, forger)
            assert not forger.marker.exists()
            assert chain.simulator.calls.total() == called
            assert everything() == before
            good = ask(chain.sold(chain.bergen, "BGO-20261101-9403", 50_000), 20_000, who=chain.kari, store=chain.oslo).refund
            Celery(broker=broker).send_task("refunds.run_refund", args=[str(good.pk)], queue="refunds", ignore_result=True)
            until(lambda: state_of(good) == State.REFUNDED, within=60)
            assert worker.is_alive
    assert len(kinds) == 12
    assert not forger.marker.exists()
    assert state_of(waiting) == State.QUEUED


def flood(redis: Redis, worker: Running, forger: Forger) -> Counter[str]:
    """Send them all, and wait until the worker has taken every one."""
    kinds: Counter[str] = Counter()
    for _ in range(COUNT):
        kind, message = forger.message()
        redis.lpush("refunds", message)
        kinds[kind] += 1
    until(lambda: redis.llen("refunds") == 0 or not worker.is_alive, within=300)
    assert worker.is_alive, worker.said[-5_000:]
    return kinds


def state_of(refund: Refund) -> str:
    refund.refresh_from_db()
    return refund.state
