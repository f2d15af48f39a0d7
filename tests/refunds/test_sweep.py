"""The sweep finds whatever is due, with or without a broker, and one bad row never keeps the rest waiting."""

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection

from refunds import execution, nudges, outbound, states, sweep
from refunds.models import Heartbeat, OrderAccount, Outbox, Refund, State
from refunds.sweep import ANNOUNCED_LATELY, RUNNING_SECONDS, Swept, sweep_once
from stores import audit, nudge
from stores.actors import hub
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import run
from tests.refunds.proving import posts, simulated
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


def test_what_was_asked_for_this_moment_is_left_to_who_announces_it(
    time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    refund = sold()
    assert sweep_once(by=SWEEP) == Swept()
    time.move(seconds=2.1)
    assert sweep_once(by=SWEEP) == Swept(announced=1)
    assert broker.took == [str(refund.pk)]


def test_a_lost_message_is_sent_again_and_if_that_is_lost_too_the_sweep_runs_it_itself(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    refund = sold()
    assert nudges.publish(Outbox.objects.get(refund=refund))
    for _ in range(3):
        time.move(seconds=5)
        sweep_once(by=SWEEP)
    assert (state_of(refund), broker.took) == ("queued", [str(refund.pk)] * 2)
    for _ in range(3):
        time.move(seconds=5)
        sweep_once(by=SWEEP)
    assert state_of(refund) == State.REFUNDED
    assert broker.took == [str(refund.pk)] * 2
    assert len(posts(chain)) == 1


def test_a_message_is_not_repeated_while_one_is_on_its_way(time: Time, broker: Broker, sold: Callable[[], Refund]) -> None:
    sold()
    time.move(seconds=3)
    assert sweep_once(by=SWEEP).announced == 1
    time.move(seconds=ANNOUNCED_LATELY.total_seconds() - 1)
    assert sweep_once(by=SWEEP) == Swept()
    assert len(broker.took) == 1


def test_in_a_long_queue_a_row_has_at_most_two_messages_and_the_sweep_helps(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    refunds = [sold() for _ in range(5)]
    for refund in refunds:
        assert nudges.publish(Outbox.objects.get(refund=refund))
    for _ in range(20):
        time.move(seconds=5)
        sweep_once(by=SWEEP)
    assert sorted(broker.took) == sorted(str(refund.pk) for refund in refunds for _ in range(2))
    assert {state_of(refund) for refund in refunds} == {"refunded"}
    for refund_id in broker.took:
        execution.run_until_rest(uuid.UUID(refund_id), by=hub("worker"))
    assert len(posts(chain)) == 5


def test_a_crowd_that_nobody_follows_does_not_keep_others_from_being_announced(
    time: Time, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    crowd = [sold() for _ in range(3)]
    for refund in crowd * 2:
        assert nudges.publish(Outbox.objects.filter(refund=refund).latest("pk"))
        Outbox.objects.create(refund=refund)
    time.move(seconds=11)
    lost = sold()
    time.move(seconds=3)
    monkeypatch.setattr(execution, "run_until_rest", lambda refund_id, **more: None)
    sweep_once(by=SWEEP)
    assert broker.took[-1] == str(lost.pk)


def test_messages_that_came_while_it_had_to_wait_were_not_in_vain(
    time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    refund = sold()
    for _ in range(3):
        time.move(seconds=1)
        assert nudges.publish(Outbox.objects.create(refund=refund))
    time.move(seconds=30)
    Refund.objects.filter(pk=refund.pk).update(next_action_at=time.now)
    time.move(seconds=1)
    assert sweep_once(by=SWEEP).announced == 1


def test_of_two_sweeps_at_once_one_announces(
    time: Time, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    refunds = [sold() for _ in range(2)]
    time.move(seconds=3)

    def publish_while_another_sweeps(task: str, row_id: str) -> bool:
        monkeypatch.setattr(nudge, "publish", broker.publish)
        assert sweep_once(by=SWEEP).announced == 2
        return broker.publish(task, row_id)

    monkeypatch.setattr(nudge, "publish", publish_while_another_sweeps)
    assert sweep_once(by=SWEEP).announced == 1
    assert sorted(set(broker.took)) == sorted(str(refund.pk) for refund in refunds)
    assert len(broker.took) == 3


def test_what_can_be_announced_does_not_wait_for_what_the_sweep_runs_itself(
    time: Time, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, fresh = sold(), sold()
    for _ in range(2):
        assert nudges.publish(Outbox.objects.filter(refund=stuck).latest("pk"))
        Outbox.objects.create(refund=stuck)
    time.move(seconds=11)
    done: list[tuple[str, str]] = []

    def publish(task: str, row_id: str) -> bool:
        done.append(("told", row_id))
        return True

    monkeypatch.setattr(nudge, "publish", publish)
    monkeypatch.setattr(execution, "run_until_rest", lambda refund_id, **more: done.append(("ran", str(refund_id))))
    sweep_once(by=SWEEP)
    assert done == [("told", str(fresh.pk)), ("ran", str(stuck.pk))]


def test_a_broker_that_refused_is_not_asked_again_in_the_same_pass(
    chain: Chain, time: Time, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(task: str, row_id: str) -> bool:
        if task == nudges.TASK:
            asked.append(row_id)
        return False

    monkeypatch.setattr(nudge, "publish", refuse)
    for _ in range(3):
        sold()
    time.move(seconds=3)
    assert sweep_once(by=SWEEP).run == 3
    assert len(asked) == 1
    assert len(posts(chain)) == 3


def test_with_the_broker_down_the_sweep_runs_it_itself(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    broker.is_up = False
    refund = sold()
    assert not nudges.publish(Outbox.objects.get(refund=refund))
    time.move(seconds=3)
    assert sweep_once(by=SWEEP) == Swept(run=1)
    assert state_of(refund) == State.REFUNDED
    assert len(posts(chain)) == 1


def test_with_the_broker_down_a_lost_answer_is_proved_in_the_same_pass(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    broker.is_up = False
    chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    refund = sold()
    time.move(seconds=3)
    sweep_once(by=SWEEP)
    assert state_of(refund) == State.REFUNDED
    assert len(posts(chain)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [None, RuntimeError("an odd failure"), DatabaseError("gone")])
def test_a_click_is_accepted_whatever_the_broker_does(
    chain: Chain, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def fail(task: str, row_id: str) -> bool:
        if error is not None:
            raise error
        return False

    monkeypatch.setattr(nudge, "publish", fail)
    refund = sold()
    assert state_of(refund) == State.QUEUED
    assert Outbox.objects.get(refund=refund).published_at is None
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: False)
    Refund.objects.update(moved_at=refund.moved_at - timedelta(seconds=3))
    assert sweep_once(by=SWEEP).run == 1
    assert state_of(refund) == State.REFUNDED


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_sweep_runs_several_side_by_side(
    chain: Chain, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.is_up = False
    refunds = [sold() for _ in range(3)]
    Refund.objects.update(moved_at=refunds[0].moved_at - timedelta(seconds=3))
    real, all_here = execution.run_until_rest, threading.Barrier(3)

    def run_until_rest(refund_id: uuid.UUID, **more: Any) -> None:
        all_here.wait(10)
        real(refund_id, **more)

    monkeypatch.setattr(execution, "run_until_rest", run_until_rest)
    assert sweep_once(by=SWEEP, at_once=3).run == 3
    assert [state_of(refund) for refund in refunds] == ["refunded"] * 3
    assert len(posts(chain)) == 3


def test_one_bad_row_does_not_keep_the_rest_waiting(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.is_up = False
    refunds = sorted((sold() for _ in range(3)), key=lambda refund: refund.pk)
    real = execution.run_until_rest

    def run_until_rest(refund_id: uuid.UUID, **more: Any) -> None:
        if refund_id == refunds[0].pk:
            raise DatabaseError("a row nobody can read")
        real(refund_id, **more)

    monkeypatch.setattr(execution, "run_until_rest", run_until_rest)
    time.move(seconds=3)
    sweep_once(by=SWEEP)
    assert [state_of(refund) for refund in refunds] == ["queued", "refunded", "refunded"]
    assert Heartbeat.objects.get(name="sweep").at == time.now


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_dies_in_a_pass_costs_one_row(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.is_up = False
    refunds = sorted((sold() for _ in range(3)), key=lambda refund: refund.pk)
    Refund.objects.update(next_action_at=time.now)
    real, ran = execution.run_until_rest, 0

    def run_until_rest(refund_id: uuid.UUID, **more: Any) -> None:
        nonlocal ran
        ran += 1
        if ran == 1:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        real(refund_id, **more)

    monkeypatch.setattr(execution, "run_until_rest", run_until_rest)
    time.move(seconds=3)
    sweep_once(by=SWEEP)
    assert sorted(state_of(refund) for refund in refunds) == ["queued", "refunded", "refunded"]
    assert Heartbeat.objects.get(name="sweep").at == time.now


def test_one_bad_move_does_not_keep_the_rest_waiting(
    time: Time, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refunds = sorted((sold() for _ in range(3)), key=lambda refund: refund.pk)
    Refund.objects.update(state=State.SENDING, lease_until=time.now - timedelta(seconds=1))
    real = states.move

    def move(refund: Refund, row: states.Move, **more: Any) -> bool:
        if refund.pk == refunds[0].pk:
            raise DatabaseError("a lock that does not come")
        return real(refund, row, **more)

    monkeypatch.setattr(states, "move", move)
    assert sweep_once(by=SWEEP).lapsed == 2
    assert [state_of(refund) for refund in refunds] == ["sending", "unknown", "unknown"]
    assert f"sweep went on without {refunds[0].pk}" in caplog.text


def test_deliveries_that_cannot_be_rung_do_not_stop_the_heart(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise DatabaseError("gone")

    monkeypatch.setattr(outbound, "ring_due", fail)
    assert sweep_once(by=SWEEP) == Swept()
    assert Heartbeat.objects.get(name="sweep").at == time.now


def test_a_slow_vipps_does_not_keep_the_pass_from_its_end(
    time: Time, broker: Broker, sold: Callable[[], Refund], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.is_up = False
    for _ in range(4):
        sold()
    ran: list[uuid.UUID] = []

    def slow(refund_id: uuid.UUID, **more: Any) -> None:
        ran.append(refund_id)
        time.move(seconds=RUNNING_SECONDS - 1)

    monkeypatch.setattr(execution, "run_until_rest", slow)
    time.move(seconds=3)
    assert sweep_once(by=SWEEP).run == 2
    assert len(ran) == 2
    assert Heartbeat.objects.get(name="sweep").at == time.now


def test_what_waits_or_is_on_hold_or_over_is_left_alone(
    chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund]
) -> None:
    waits, held, over = sold(), sold(), sold()
    Refund.objects.filter(pk=waits.pk).update(next_action_at=time.now + timedelta(hours=1))
    OrderAccount.objects.filter(order=held.order).update(on_hold=True)
    run(over)
    calls = chain.simulator.calls.total()
    time.move(minutes=5)
    assert sweep_once(by=SWEEP) == Swept()
    assert broker.took == []
    assert chain.simulator.calls.total() == calls


def test_two_sweeps_in_a_row_do_nothing_twice(chain: Chain, time: Time, broker: Broker, sold: Callable[[], Refund]) -> None:
    broker.is_up = False
    refund = sold()
    time.move(seconds=3)
    assert sweep_once(by=SWEEP) == Swept(run=1)
    assert sweep_once(by=SWEEP) == Swept()
    assert len(posts(chain)) == 1
    moves = [audit.facts_of(entry).get("move") for entry in audit.timeline_of("refund", str(refund.pk))]
    assert moves == [None, "T5", None, "T7"]


def test_old_nudges_are_forgotten_after_a_week_and_young_ones_kept(time: Time, sold: Callable[[], Refund]) -> None:
    refund = run(sold())
    assert Outbox.objects.filter(refund=refund).count() == 1
    time.move(days=6.9)
    sweep_once(by=SWEEP)
    assert Outbox.objects.filter(refund=refund).count() == 1
    time.move(days=0.2)
    sweep_once(by=SWEEP)
    assert Outbox.objects.filter(refund=refund).count() == 0
