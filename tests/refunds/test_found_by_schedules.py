"""What schedules of the simulation showed once, each as the few steps that it takes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from refunds import attempts, restoring
from refunds.models import Attempt, Refund, State
from stores import clock
from stores.actors import hub
from stores.models import Order
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.proving import again, balances, key_of, log_event, posts, simulated
from tests.refunds.sweeping import moved_by_hand


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-9100", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 40_000, who=chain.kari, store=chain.oslo).refund


def restored(chain: Chain, travel: Any) -> None:
    """A restore that was declared and checked."""
    moment = clock.db_now() - timedelta(minutes=5)
    restoring.declare_restore(chain.company, restored_to=moment, reason="drill", declared_by="Hanne", by=chain.by)
    restoring.check_restores(by=hub("sweep"))
    travel(timedelta(minutes=16))
    restoring.check_restores(by=hub("sweep"))


def test_money_of_an_earlier_refund_never_passes_for_this_ones(chain: Chain, order: Order, refund: Refund) -> None:
    """Vipps' sum lags before the call, and the call fails after its 200: the sum in the answer is the earlier refund's."""
    assert run(refund).state == State.REFUNDED
    second = ask(order, 40_000, who=chain.kari, store=chain.oslo, confirms_duplicate=True).refund
    chain.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, operation="get"))
    chain.simulator.arm(Fault(kind=FaultKind.FAILED_EVENT, operation="refund"))
    assert run(second).state == State.UNKNOWN
    assert again(second).state == State.DECLINED
    assert second.outcome == "failed_at_vipps"
    assert balances(second)[:3] == (40_000, 0, 0)


def test_what_the_log_shows_of_others_never_passes_for_ours_either(chain: Chain, order: Order, refund: Refund) -> None:
    """A portal refund of the same amount, that is not adopted while a send of ours is unresolved."""
    chain.simulator.arm(Fault(kind=FaultKind.DROP_BEFORE, operation="refund"))
    assert run(refund).state == State.UNKNOWN
    chain.simulator.portal_refund("100002", order.reference, 40_000)
    chain.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, operation="get"))
    chain.simulator.arm(Fault(kind=FaultKind.FAILED_EVENT, operation="refund"))
    assert again(refund).state == State.UNKNOWN
    assert balances(refund)[0] == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_freezes_right_after_the_commit_of_its_intent_sends_nothing(
    chain: Chain, refund: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = attempts._insert_attempt
    with moved_by_hand() as time:

        def inserted(*args: Any, **more: Any) -> Attempt | None:
            transaction.on_commit(lambda: time.move(hours=25))
            return real(*args, **more)

        monkeypatch.setattr(attempts, "_insert_attempt", inserted)
        run(refund)
    assert Attempt.objects.get(refund=refund).answer.kind == "not_sent"
    assert posts(chain) == []


def test_what_a_restore_lost_is_not_declined_because_the_log_cannot_be_read(
    chain: Chain, refund: Refund, travel: Any
) -> None:
    restored(chain, travel)
    log_event(chain, refund, 40_000, key_of(refund))
    chain.simulator.arm(Fault(kind=FaultKind.FORBIDDEN, operation="events"))
    assert run(refund).state == State.QUEUED
    assert again(refund).state == State.REFUNDED
    assert posts(chain) == []


def test_what_a_restore_lost_is_not_declined_because_the_sum_leaves_no_room_for_it(
    chain: Chain, order: Order, travel: Any
) -> None:
    refund = ask(order, 100_000, who=chain.kari, store=chain.oslo).refund
    restored(chain, travel)
    log_event(chain, refund, 100_000, key_of(refund))
    chain.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="events"))
    assert run(refund).state == State.UNKNOWN
    assert again(refund).state == State.REFUNDED
    assert posts(chain) == []


def test_after_a_restore_a_refusal_ends_a_refund_once_the_log_was_read_again(
    chain: Chain, refund: Refund, travel: Any
) -> None:
    restored(chain, travel)
    chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code="6150"))
    assert run(refund).state == State.UNKNOWN
    assert again(refund).state == State.DECLINED


def test_after_a_restore_what_was_refunded_elsewhere_is_still_declined(
    chain: Chain, order: Order, refund: Refund, travel: Any
) -> None:
    restored(chain, travel)
    chain.simulator.portal_refund("100002", order.reference, 80_000)
    assert run(refund).state == State.DECLINED
    assert refund.outcome == "refunded_elsewhere"
    assert posts(chain) == []
