"""A refund's life against Vipps under faults: whatever happens in whatever order, nothing is paid twice and nothing lost."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pytest_django import Settings

from refunds import approving, doorbell, execution, gateway
from refunds.models import ENDS, OrderAccount, Refund, State
from refunds.sweep import sweep_once
from stores import access, audit
from stores.actors import hub
from stores.errors import HubError
from stores.models import Notice, Order
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.examples import Example, begin, explore
from tests.refunds.truths import check_order, paid
from tests.vipps_notices import Sender, body_of, registered

WORKER, SWEEP = hub("worker"), hub("sweep")
AMOUNTS = (1, 10_000, 25_000, 50_001)
ON_REFUND = sorted(
    set(FaultKind)
    - {FaultKind.DOUBLED, FaultKind.LATE, FaultKind.OUT_OF_ORDER, FaultKind.LOST, FaultKind.BADLY_SIGNED}
    - {FaultKind.STALE_EVENTS, FaultKind.NULL_KEYS, FaultKind.HUGE}
)
ON_READING = (
    *(FaultKind.DROP_BEFORE, FaultKind.ERROR_BEFORE, FaultKind.THROTTLE, FaultKind.UNAUTHORIZED, FaultKind.FORBIDDEN),
    *(FaultKind.MALFORMED, FaultKind.WRONG_AMOUNT, FaultKind.LAGGING_AGGREGATE, FaultKind.SLOW),
)
FAULTS = st.one_of(
    st.builds(Fault, kind=st.sampled_from(ON_REFUND), operation=st.just("refund"), code=st.just("6150")),
    st.builds(Fault, kind=st.sampled_from(ON_READING), operation=st.sampled_from(["get", "events"])),
    st.builds(Fault, kind=st.sampled_from([FaultKind.STALE_EVENTS, FaultKind.NULL_KEYS]), operation=st.just("events")),
)
PERHAPS = st.one_of(st.none(), FAULTS)
SECONDS = st.sampled_from([3, 13, 47, 71, 400, 4_000, 13 * 3_600, 25 * 3_600])
SOME = st.integers(min_value=0, max_value=4)


class Died(BaseException):
    """A worker is killed."""


class RefundMachine(RuleBasedStateMachine):
    """Two orders that Bergen sold; Kari and Mona refund them in Oslo, and everything else happens."""

    def __init__(self, chain: Chain, reached: Counter[str]) -> None:
        super().__init__()
        self.reached = reached
        self.example: Example = begin(chain)
        self.chain = self.example.chain
        self.orders: list[Order] = []
        self.ended: dict[Any, str] = {}

    @initialize()
    def sell(self) -> None:
        self.orders = [
            self.chain.sold(self.chain.bergen, "BGO-20261101-9001", 100_000),
            self.chain.sold(self.chain.bergen, "BGO-20261101-9002", 30_000),
        ]
        self.registration = registered(self.chain.units["BGO"])
        for order in self.orders:
            ask(order, 20_000, who=self.chain.kari, store=self.chain.oslo)

    def teardown(self) -> None:
        try:
            self.reached.update({f"fault {kind}": count for kind, count in self.chain.simulator.faults.fired.items()})
            if sys.exc_info()[0] is None:
                self.calm()
                self.every_order_is_sound()
                self.what_has_ended_stays_ended()
                assert audit.verify().bad is None
        finally:
            self.example.end()

    # People

    @rule(which=st.sampled_from([0, 0, 0, 1]), amount=st.sampled_from(AMOUNTS), who=st.sampled_from(["kari", "mona"]), key=SOME)
    def ask(self, which: int, amount: int, who: str, key: int) -> None:
        order, person = self.orders[which], getattr(self.chain, who)
        key_of_page = f"page-{key}-{amount}"
        try:
            accepted = ask(order, amount, who=person, store=self.chain.oslo, key=key_of_page, confirms_duplicate=True)
        except HubError:
            return
        account = OrderAccount.objects.get(order=order)
        order.refresh_from_db()
        committed = account.posted_minor + account.external_minor + account.reserved_minor
        assert not accepted.is_new or committed <= order.amount_minor

    @rule(some=SOME, who=st.sampled_from(["kari", "mona", "hanne"]), verb=st.sampled_from(["approve", "reject", "cancel"]))
    def decide(self, some: int, who: str, verb: str) -> None:
        person = getattr(self.chain, who)
        by = access.actor_for(person)
        verbs: dict[str, Callable[[Any], object]] = {
            "approve": lambda pk: approving.approve_refund(pk, asker=person, by=by),
            "reject": lambda pk: approving.reject_refund(pk, note="no", asker=person, by=by),
            "cancel": lambda pk: approving.cancel_refund(pk, asker=person, by=by),
        }
        try:
            verbs[verb](self._one(some).pk)
        except HubError:
            return

    # The machinery

    @rule(some=SOME, faults=st.lists(FAULTS, max_size=2), stays=st.booleans())
    def work(self, some: int, faults: list[Fault], stays: bool) -> None:
        self._spoil(*faults)
        run = execution.run_until_rest if stays else execution.run
        run(self._one(some).pk, by=WORKER)

    @rule(some=SOME, fault=PERHAPS, is_sent=st.booleans())
    def die(self, some: int, fault: Fault | None, is_sent: bool) -> None:
        """A worker is killed just before its call, or with the answer in its hands."""
        self._spoil(fault)
        real = gateway.send_refund

        def killed(*told: Any, **more: Any) -> gateway.Outcome:
            if is_sent:
                real(*told, **more)
            raise Died

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(gateway, "send_refund", killed)
            try:
                execution.run(self._one(some).pk, by=WORKER)
            except Died:
                self.reached["died"] += 1

    @rule(some=SOME, fault=PERHAPS, seconds=SECONDS, is_sent=st.booleans())
    def freeze(self, some: int, fault: Fault | None, seconds: float, is_sent: bool) -> None:
        """A worker stands still just before its call, or with the answer in its hands, while others go on."""
        self._spoil(fault)
        real, pk = gateway.send_refund, self._one(some).pk
        with pytest.MonkeyPatch.context() as patched:

            def frozen(*told: Any, **more: Any) -> gateway.Outcome:
                patched.undo()
                outcome = real(*told, **more) if is_sent else None
                self.example.travel(seconds=seconds)
                sweep_once(by=SWEEP)
                self.example.travel(seconds=3)
                execution.run(pk, by=WORKER)
                self.reached["frozen"] += 1
                return outcome or real(*told, **more)

            patched.setattr(gateway, "send_refund", frozen)
            execution.run(pk, by=WORKER)

    @rule(seconds=SECONDS, is_up=st.booleans())
    def later(self, seconds: float, is_up: bool) -> None:
        self.example.travel(seconds=seconds)
        self.example.broker.is_up = is_up
        sweep_once(by=SWEEP)

    # Vipps

    @rule(which=st.sampled_from([0, 1]), amount=st.sampled_from(AMOUNTS))
    def refund_in_the_portal(self, which: int, amount: int) -> None:
        try:
            self.chain.simulator.portal_refund("100002", self.orders[which].reference, amount)
        except ValueError:
            return

    @rule(which=st.sampled_from([0, 1]), event=SOME)
    def tell(self, which: int, event: int) -> None:
        """Vipps sends a notice of something that happened, or happened before, or never did."""
        sender = Sender(late=timedelta(seconds=-self.example.time.elapsed))
        body = body_of("100002", self.orders[which].reference, psp_reference=f"psp-{event}")
        sender.send(self.registration.url, body)
        doorbell.answer(Notice.objects.latest("pk").pk)

    @rule(fault=PERHAPS)
    def stick(self, fault: Fault | None) -> None:
        """A fault that stays until another step mends everything (with None)."""
        if fault is None:
            self.chain.simulator.disarm()
            self.chain.simulator.wsgi.arrive_late()
        else:
            self._spoil(replace(fault, times=None))

    # What must hold

    def calm(self) -> None:
        """Once faults stop, everything ends or is with people, and both sides' sums are equal (I11, I12)."""
        self.chain.simulator.disarm()
        self.chain.simulator.wsgi.arrive_late()
        self.example.broker.is_up = False
        for seconds in (3, 60, 60, 900, 900, *[13 * 3_600, 60] * 4):
            self.example.travel(seconds=seconds)
            sweep_once(by=SWEEP)
        for order in self.orders:
            account = OrderAccount.objects.get(order=order)
            is_open = [refund for refund in self._refunds(order) if refund.state not in ENDS]
            assert all(refund.state == State.REVIEW or account.on_hold for refund in is_open), is_open
            assert account.posted_minor + account.external_minor <= paid(self.chain.simulator, order).total()

    @invariant()
    def every_order_is_sound(self) -> None:
        for order in self.orders:
            check_order(self.chain.simulator, order)

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        """But for money that left although the hub had given up: people look at that."""
        for refund in self._refunds():
            self.reached[refund.state] += 1
            before = self.ended.get(refund.pk)
            assert before is None or refund.state == before or (before != State.REFUNDED and refund.state == State.REVIEW)
            if refund.state in ENDS:
                self.ended[refund.pk] = refund.state

    def _spoil(self, *faults: Fault | None) -> None:
        for fault in faults:
            if fault is not None:
                self.chain.simulator.arm(fault)

    def _refunds(self, order: Order | None = None) -> list[Refund]:
        found = Refund.objects.filter(order=order) if order else Refund.objects.all()
        return list(found.order_by("accepted_at", "order", "number"))

    def _one(self, some: int) -> Refund:
        """One of those that have not ended, the oldest first, or of all."""
        refunds = self._refunds()
        found = [refund for refund in refunds if refund.state not in ENDS] or refunds
        return found[some % len(found)]


def test_whatever_happens_nothing_is_paid_twice_and_nothing_is_lost(chain: Chain, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 50_000}
    reached: Counter[str] = Counter()
    explore(lambda: RefundMachine(chain, reached), examples=40)
    assert set(State) - {State.REJECTED, State.RELEASED} <= set(reached)
    assert len([name for name in reached if name.startswith("fault ")]) >= 8, reached
    assert min(reached["died"], reached["frozen"]) > 1, reached
