"""What the sweep ends or hands over by age: lapsed leases, approvals nobody gave, and whatever is stuck for a day."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from refunds import approving, execution, states
from refunds.models import OrderAccount, Refund, State
from refunds.sweep import Swept, sweep_once
from stores import access, nudge
from stores.actors import hub
from stores.vipps.simulator import Simulator, Switches
from tests.conftest import Chain
from tests.refunds.proving import BERGEN, posts, simulated
from tests.refunds.sweeping import Broker, Time, moved_by_hand, seller, state_of

SWEEP = hub("sweep")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def time(chain: Chain) -> Iterator[Time]:
    with moved_by_hand() as time:
        yield time


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(nudge, "publish", broker.publish)
    return broker


@pytest.fixture
def sold(chain: Chain) -> Callable[[], Refund]:
    return seller(chain)


def test_a_lapsed_lease_is_found_out_at_vipps(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.is_up = False
    refund = sold()
    with monkeypatch.context() as broken:
        broken.setattr(states, "settle_as_refunded", _killed)
        with pytest.raises(KeyboardInterrupt):
            execution.run(refund.pk, by=hub("worker"))
    time.move(seconds=59)
    assert sweep_once(by=SWEEP) == Swept()
    assert state_of(refund) == State.SENDING
    time.move(seconds=2)
    assert sweep_once(by=SWEEP).lapsed == 1
    assert state_of(refund) == State.UNKNOWN
    time.move(seconds=3)
    sweep_once(by=SWEEP)
    assert state_of(refund) == State.REFUNDED
    assert len(posts(chain)) == 1


def _killed(*args: object, **more: object) -> bool:
    raise KeyboardInterrupt


def test_an_approval_that_nobody_gave_expires_and_frees_the_money(
    chain: Chain, time: Time, settings: Settings, sold: Callable[[], Refund]
) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 5_000}
    refund = sold()
    time.move(hours=24)
    assert sweep_once(by=SWEEP) == Swept()
    time.move(seconds=1)
    assert sweep_once(by=SWEEP) == Swept(expired=1)
    assert (state_of(refund), refund.outcome) == ("cancelled", "expired")
    assert OrderAccount.objects.get(order=refund.order).reserved_minor == 0
    assert posts(chain) == []


@pytest.mark.parametrize("verdict", ["", "reject", "conflict"])
def test_what_is_unknown_for_a_day_goes_to_people(time: Time, sold: Callable[[], Refund], verdict: str) -> None:
    refund = sold()
    far = time.now + timedelta(days=3)
    Refund.objects.filter(pk=refund.pk).update(
        state=State.UNKNOWN, sends=1, last_send_at=time.now, indeterminate_since=time.now, verdict=verdict, next_action_at=far
    )
    time.move(hours=24)
    assert sweep_once(by=SWEEP) == Swept()
    time.move(seconds=1)
    assert sweep_once(by=SWEEP) == Swept(given_to_people=1)
    assert state_of(refund) == State.REVIEW
    account = OrderAccount.objects.get(order=refund.order)
    assert (account.on_hold, account.reserved_minor) == (True, 10_000)


def test_what_never_comes_to_a_send_goes_to_people_too(time: Time, sold: Callable[[], Refund]) -> None:
    refund = sold()
    far = time.now + timedelta(days=3)
    Refund.objects.filter(pk=refund.pk).update(state=State.UNKNOWN, next_action_at=far)
    time.move(hours=24, seconds=1)
    assert sweep_once(by=SWEEP) == Swept(given_to_people=1)
    assert state_of(refund) == State.REVIEW


def test_a_used_up_key_goes_to_people_at_once(time: Time, sold: Callable[[], Refund]) -> None:
    refund = sold()
    Refund.objects.filter(pk=refund.pk).update(
        state=State.UNKNOWN, sends=4, last_send_at=time.now, outcome="keys_used_up", next_action_at=time.now + timedelta(days=1)
    )
    assert sweep_once(by=SWEEP) == Swept(given_to_people=1)
    assert state_of(refund) == State.REVIEW


def test_a_store_whose_keys_never_work_goes_to_people_after_a_day(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    broker.is_up = False
    refund = sold()
    chain.simulator.rotate_keys(BERGEN)
    for _ in range(3):
        time.move(hours=7)
        sweep_once(by=SWEEP)
        assert state_of(refund) == State.QUEUED
    assert refund.outcome == "unauthorized"
    time.move(hours=3)
    assert sweep_once(by=SWEEP).given_to_people == 1
    assert state_of(refund) == State.REVIEW
    assert posts(chain) == []


def test_an_approved_refund_that_cannot_be_sent_goes_to_people_though_it_keeps_trying(
    chain: Chain, time: Time, broker: Broker, settings: Settings, sold: Callable[[], Refund]
) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 5_000}
    broker.is_up = False
    refund = sold()
    time.move(hours=23)
    approving.approve_refund(refund.pk, asker=chain.mona, by=access.actor_for(chain.mona))
    chain.simulator.rotate_keys(BERGEN)
    for _ in range(3):
        time.move(hours=8)
        sweep_once(by=SWEEP)
        assert state_of(refund) == State.QUEUED
    time.move(hours=2)
    assert sweep_once(by=SWEEP).given_to_people == 1
    assert state_of(refund) == State.REVIEW
