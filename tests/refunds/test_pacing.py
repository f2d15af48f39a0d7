"""Vipps takes five changes a minute of one payment: the hub counts in the database, whoever asked and whoever works."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from refunds.models import Attempt, Refund, State
from stores import clock
from stores.models import Order
from stores.vipps.simulator import FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.proving import lose, posts, simulated


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Without Vipps' own limits: it is the hub's that are tested."""
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-8300", 100_000)


def refunds_of(chain: Chain, order: Order, count: int) -> list[Refund]:
    return [ask(order, 1_000 + number, who=chain.kari, store=chain.oslo).refund for number in range(count)]


def test_the_sixth_change_within_a_minute_waits(chain: Chain, order: Order, travel: Any) -> None:
    *first, sixth = refunds_of(chain, order, 6)
    assert [run(refund).state for refund in first] == [State.REFUNDED] * 5
    assert run(sixth).state == State.QUEUED
    assert (sixth.outcome, sixth.sends, sixth.indeterminate_since) == ("paced", 0, None)
    oldest = Attempt.objects.order_by("intended_at").values_list("intended_at", flat=True)[0]
    assert sixth.next_action_at == oldest + timedelta(minutes=1)
    assert len(posts(chain)) == 5
    travel(timedelta(seconds=61))
    assert run(sixth).state == State.REFUNDED
    assert len(posts(chain)) == 6


def test_repeated_sends_of_one_refund_count_too(chain: Chain, order: Order, travel: Any) -> None:
    [refund] = refunds_of(chain, order, 1)
    for _ in range(5):
        lose(chain)
        run(refund)
        make_due(refund)
    unresolved = Refund.objects.get(pk=refund.pk).indeterminate_since
    assert run(refund).state == State.UNKNOWN
    assert (refund.outcome, refund.sends, refund.indeterminate_since) == ("paced", 5, unresolved)
    assert refund.next_action_at > clock.db_now()
    assert len(posts(chain)) == 5
    travel(timedelta(seconds=61))
    assert run(refund).state == State.REFUNDED


def test_another_order_is_not_kept_waiting(chain: Chain, order: Order) -> None:
    other = chain.sold(chain.bergen, "BGO-20261101-8301", 100_000)
    for refund in refunds_of(chain, order, 5):
        run(refund)
    assert run(refunds_of(chain, other, 1)[0]).state == State.REFUNDED


def test_a_change_that_vipps_never_got_counts_as_one(chain: Chain, order: Order) -> None:
    first, *others = refunds_of(chain, order, 6)
    lose(chain, FaultKind.LOCK)
    assert run(first).state == State.QUEUED
    for refund in others[:4]:
        assert run(refund).state == State.REFUNDED
    assert run(others[4]).outcome == "paced"
