"""Workers that freeze, crash or lose their database between two steps: nothing is lost, nothing is paid twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from refunds import attempts, claims, execution, gateway, states, sweep
from refunds.claims import Claim
from refunds.deciding import Reading, Standing
from refunds.models import Attempt, LedgerEntry, OrderAccount, Refund, State
from stores import audit, clock, nudge, sessions
from stores.actors import hub
from stores.models import Entry, Order
from stores.vipps.exchange import Deadline, Request, Response
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from stores.vipps.wsgi_transport import WsgiTransport
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run

WORKER = hub("worker")
at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    simulator = Simulator(seed=1, switches=Switches(rate_limits=False))
    sessions.forget_all()
    with sessions.use_transport(WsgiTransport(simulator.wsgi)):
        yield simulator
    sessions.forget_all()


@pytest.fixture(autouse=True)
def _nobody_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: True)


def balances(order: Order) -> tuple[int, int]:
    """Posted and reserved."""
    account = OrderAccount.objects.get(order=order)
    return account.posted_minor, account.reserved_minor


def applied(chain: Chain) -> list[int | None]:
    return [entry.amount_minor for entry in chain.simulator.log(operation="refund", applied=True)]


# A worker that is frozen between the answer and its record, while its lease lapses and others go on.


def frozen(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """The next call's answer is kept from its worker until `meanwhile` is done."""
    real = gateway.send_refund

    def slowly(*args: Any, **more: Any) -> gateway.Outcome:
        monkeypatch.setattr(gateway, "send_refund", real)
        outcome = real(*args, **more)
        meanwhile()
        return outcome

    monkeypatch.setattr(gateway, "send_refund", slowly)


def lapse(refund: Refund) -> None:
    """The worker's lease runs out, and the sweep notices (and goes no further)."""
    Refund.objects.filter(pk=refund.pk).update(lease_until=clock.db_now() - timedelta(seconds=1))
    assert sweep._release_lapsed_leases(hub("sweep")) == 1


def test_late_success_counts_though_the_lease_is_gone(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7420", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    frozen(monkeypatch, lambda: lapse(refund))
    assert run(refund).state == State.REFUNDED
    assert balances(order) == (10_000, 0)
    moves = [audit.facts_of(entry)["move"] for entry in Entry.objects.filter(event="refund.moved").order_by("counter")]
    assert moves == ["T5", "T13", "T7"]


def test_late_success_counts_though_another_worker_has_the_claim(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7427", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund

    def another() -> None:
        lapse(refund)
        claim = claims.claim_refund(refund.pk, by=WORKER)
        assert claim is not None
        assert claim.fence == 2

    frozen(monkeypatch, another)
    assert run(refund).state == State.REFUNDED
    assert balances(order) == (10_000, 0)


def test_late_success_after_another_worker_proved_it_counts_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7421", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund

    def another() -> None:
        lapse(refund)
        execution.run(refund.pk, by=WORKER)
        refund.refresh_from_db()
        assert (refund.state, refund.fence) == ("refunded", 2)

    frozen(monkeypatch, another)
    assert run(refund).state == State.REFUNDED
    assert balances(order) == (10_000, 0)
    assert applied(chain) == [10_000]
    assert [entry.kind for entry in LedgerEntry.objects.order_by("pk")] == ["reserve", "post"]


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.THROTTLE, FaultKind.DROP_BEFORE])
def test_late_failure_does_not_count(chain: Chain, monkeypatch: pytest.MonkeyPatch, kind: FaultKind) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7422", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    chain.simulator.arm(Fault(kind=kind, operation="refund", code="6150" if kind is FaultKind.REFUSE else None))
    frozen(monkeypatch, lambda: lapse(refund))
    assert run(refund).state == State.UNKNOWN
    assert (refund.verdict, refund.soft_refusals) == ("", 0)
    assert refund.indeterminate_since is not None
    assert balances(order) == (0, 10_000)
    assert Attempt.objects.get(refund=refund).answer.kind in ("refused", "throttled", "unsure")


def test_late_failure_does_not_undo_what_another_worker_did(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7423", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    chain.simulator.arm(Fault(kind=FaultKind.THROTTLE, operation="refund"))

    def another() -> None:
        lapse(refund)
        execution.run(refund.pk, by=WORKER)

    frozen(monkeypatch, another)
    assert run(refund).state == State.REFUNDED
    assert balances(order) == (10_000, 0)
    assert applied(chain) == [10_000]
    keys = Attempt.objects.filter(refund=refund).values_list("provider_key", flat=True)
    assert (len(keys), len(set(keys))) == (2, 1)


def test_a_worker_whose_claim_was_taken_over_before_its_intent_sends_nothing(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7424", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    real = attempts.write_intent

    def slowly(claim: Claim, standing: Standing, reading: Reading, **sums: int) -> attempts.Intent | None:
        if claim.fence == 1:
            lapse(refund)
            execution.run(refund.pk, by=WORKER)
        return real(claim, standing, reading, **sums)

    monkeypatch.setattr(execution, "write_intent", slowly)
    assert run(refund).state == State.REFUNDED
    assert [attempt.fence for attempt in Attempt.objects.all()] == [2]
    assert applied(chain) == [10_000]


def test_with_too_little_of_the_lease_left_nothing_is_sent(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7425", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    monkeypatch.setattr(states, "LEASE", states.CALL_BUDGET - timedelta(seconds=1))
    assert run(refund).state == State.SENDING
    assert (Attempt.objects.count(), refund.sends, refund.indeterminate_since) == (0, 0, None)
    assert chain.simulator.log(operation="refund") == []


def test_the_sweep_does_not_take_a_claim_that_was_renewed_meanwhile(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7426", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    assert claims.claim_refund(refund.pk, by=WORKER)
    Refund.objects.filter(pk=refund.pk).update(lease_until=clock.db_now() - timedelta(seconds=1))
    real = states.move

    def renewed_first(found: Refund, row: states.Move, **more: Any) -> bool:
        Refund.objects.filter(pk=found.pk).update(fence=2, lease_until=clock.db_now() + timedelta(seconds=60))
        return real(found, row, **more)

    monkeypatch.setattr(states, "move", renewed_first)
    assert sweep._release_lapsed_leases(hub("sweep")) == 0
    refund.refresh_from_db()
    assert (refund.state, refund.fence) == ("sending", 2)


# Crashes between the steps


def test_a_database_that_fails_after_the_200_loses_nothing(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7430", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund

    def fail(*args: object, **more: object) -> bool:
        raise OperationalError("the connection is gone")

    with monkeypatch.context() as broken:
        broken.setattr(states, "settle_as_refunded", fail)
        with pytest.raises(OperationalError):
            execution.run(refund.pk, by=WORKER)
    refund.refresh_from_db()
    assert (refund.state, refund.sends) == ("sending", 1)
    assert not hasattr(Attempt.objects.get(refund=refund), "answer")
    lapse(refund)
    assert run(refund).state == State.REFUNDED
    assert applied(chain) == [10_000]
    assert balances(order) == (10_000, 0)


def test_a_crash_after_the_intent_and_before_the_call_resends_the_same_key(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7431", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund

    def crash(*args: object, **more: object) -> gateway.Outcome:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(gateway, "send_refund", crash)
        with pytest.raises(RuntimeError, match="killed"):
            execution.run(refund.pk, by=WORKER)
    refund.refresh_from_db()
    assert (refund.state, refund.sends) == ("sending", 1)
    assert refund.indeterminate_since is not None
    lapse(refund)
    assert run(refund).state == State.REFUNDED
    assert len(set(Attempt.objects.values_list("provider_key", flat=True))) == 1
    assert applied(chain) == [10_000]


def test_a_claim_that_died_before_its_intent_is_sent_afresh(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7432", 100_000)
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    assert claims.claim_refund(refund.pk, by=WORKER)
    lapse(refund)
    refund.refresh_from_db()
    assert (refund.state, refund.sends, refund.indeterminate_since) == ("unknown", 0, None)
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    assert applied(chain) == [10_000]


@at_once
def test_nobody_is_called_and_nobody_sleeps_while_a_transaction_is_open(chain: Chain, simulator: Simulator) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7433", 100_000)
    inner, called, slept = WsgiTransport(simulator.wsgi), [], []

    class Watching:
        def send(self, request: Request, *, deadline: Deadline) -> Response:
            assert not connection.in_atomic_block
            called.append(request.operation)
            return inner.send(request, deadline=deadline)

    def sleep(seconds: float) -> None:
        assert not connection.in_atomic_block
        slept.append(seconds)
        Refund.objects.update(next_action_at=clock.db_now())

    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    with sessions.use_transport(Watching()), clock.bound(clock.Source(sleep=sleep)):
        execution.run_until_rest(refund.pk, by=WORKER)
    refund.refresh_from_db()
    assert refund.state == State.REFUNDED
    assert called == ["token", "get", "refund", "get", "events"]
    assert len(slept) == 1
    assert 0 < slept[0] <= 1
