"""I13: each end of a refund is told at least once or stands as given up; a change that was rolled back is never told."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from refunds import approving, execution, outbound, states, sweep, tasks
from refunds.models import Delivery, Refund, State
from refunds.outbound import delivering
from refunds.outbound.delivering import WAITS
from stores import access, audit, nudge
from stores.actors import hub
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.listening import Listener, listening

REFERENCE = "BGO-20261101-9601"


@pytest.fixture(autouse=True)
def _messages_are_lost(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The broker takes every message and loses it; Oslo's till listens on this machine."""
    settings.DEMO = True
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 20_000}
    monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: True)
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


@pytest.fixture
def till(chain: Chain) -> Iterator[Listener]:
    with listening() as listener:
        outbound.add_endpoint(chain.systems["OSL"], url=listener.url, by=chain.by)
        yield listener


def asked(chain: Chain, amount_minor: int) -> Refund:
    order = chain.sold(chain.bergen, REFERENCE, 50_000)
    return ask(order, amount_minor, who=chain.kari, store=chain.oslo).refund


def refunded(chain: Chain) -> Refund:
    return run(asked(chain, 10_000))


def declined(chain: Chain) -> Refund:
    chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code="6150"))
    return run(asked(chain, 10_000))


def rejected(chain: Chain) -> Refund:
    refund = asked(chain, 30_000)
    return approving.reject_refund(refund.pk, note="No receipt", asker=chain.mona, by=access.actor_for(chain.mona))


def withdrawn(chain: Chain) -> Refund:
    refund = asked(chain, 10_000)
    return approving.cancel_refund(refund.pk, asker=chain.kari, by=access.actor_for(chain.kari, store=chain.oslo))


ENDS: list[tuple[Callable[[Chain], Refund], State]] = [
    (refunded, State.REFUNDED),
    (declined, State.DECLINED),
    (rejected, State.REJECTED),
    (withdrawn, State.CANCELLED),
]


@pytest.mark.parametrize(("end", "state"), ENDS, ids=[state.value for _end, state in ENDS])
def test_every_end_is_told_though_each_message_to_the_workers_is_lost(
    chain: Chain, till: Listener, end: Callable[[Chain], Refund], state: State
) -> None:
    assert end(chain).state == state
    [delivery] = Delivery.objects.all()
    assert delivery.event == f"refund.{state.value}"
    overdue = delivery.written_at - delivering._OVERDUE * 2
    Delivery.objects.update(next_try_at=overdue)
    sweep.sweep_once(by=hub("sweep"))
    delivery.refresh_from_db()
    assert delivery.delivered_at is not None
    assert len(till.got) == 1


@pytest.mark.parametrize(("end", "state"), ENDS, ids=[state.value for _end, state in ENDS])
def test_every_end_that_nobody_takes_stands_as_given_up(
    chain: Chain, till: Listener, end: Callable[[Chain], Refund], state: State
) -> None:
    till.status = 500
    end(chain)
    [delivery] = Delivery.objects.all()
    for _ in range(len(WAITS) + 1):
        Delivery.objects.update(next_try_at=delivery.written_at)
        outbound.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.has_failed
    assert delivery.problem == "HTTP 500"


def test_a_crash_between_taken_and_noted_tells_it_again_under_the_same_id(
    chain: Chain, till: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    refunded(chain)
    [delivery] = Delivery.objects.all()

    def crash(*_arguments: object) -> None:
        raise SystemError("the process dies here")

    with monkeypatch.context() as dying:
        dying.setattr(delivering, "_record", crash)
        with pytest.raises(SystemError):
            outbound.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.delivered_at, delivery.tries) == (None, 1)
    Delivery.objects.update(next_try_at=delivery.written_at)
    outbound.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.delivered_at is not None
    assert len(till.got) == 2
    assert len({headers["webhook-id"] for headers, _body in till.got}) == 1


def test_an_end_whose_transaction_fails_is_told_once_it_is_kept(
    chain: Chain, till: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The money is back, the answer is there, and the database takes nothing: nothing is told until it does."""
    refund = asked(chain, 10_000)

    real = states.settle_as_refunded

    def settle_and_fail(*given: Any, **more: Any) -> None:
        real(*given, **more)
        assert Delivery.objects.exists()
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as broken:
        broken.setattr(states, "settle_as_refunded", settle_and_fail)
        with pytest.raises(OperationalError):
            execution.run(refund.pk, by=hub("worker"))
    assert not Delivery.objects.exists()
    Refund.objects.update(lease_until=refund.accepted_at)
    sweep.sweep_once(by=hub("sweep"))
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    told = list(Delivery.objects.order_by("version").values_list("event", flat=True))
    assert told == ["refund.unknown", "refund.refunded"]
    assert till.got == []
    assert audit.verify().bad is None
