"""Approvals in any order: nobody lets her own wish go, what was agreed to is what is sent, and a wish that waits expires."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pytest_django import Settings

from refunds import approving, execution, states
from refunds.models import Attempt, Refund, State
from refunds.sweep import sweep_once
from stores import access, people
from stores.actors import hub
from stores.errors import HubError
from stores.models import Membership, Order, Role, User
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.examples import begin, explore
from tests.refunds.truths import check_order

LIMIT = 50_000
AMOUNTS = st.sampled_from([100, LIMIT, LIMIT + 1, LIMIT + 2, 60_000])
ANYBODY = st.sampled_from(["kari", "mona", "hanne", "per", "ida"])
JUDGES = st.sampled_from(["mona", "ida", "hanne", "mona", "ida", "hanne", "kari", "per"])
SOME = st.integers(min_value=0, max_value=4)


class ApprovalMachine(RuleBasedStateMachine):
    """Kari, and the managers Mona and Ida, ask in Oslo; whoever likes to says yes or no; people come and go."""

    def __init__(self, chain: Chain, reached: Counter[str]) -> None:
        super().__init__()
        self.reached = reached
        self.example = begin(chain)
        self.chain = self.example.chain
        self.orders: list[Order] = []
        self.people: dict[str, User] = {name: getattr(chain, name) for name in ("kari", "mona", "hanne", "per")}
        self.asked: dict[Any, tuple[User, int, datetime]] = {}
        self.agreed: dict[Any, User] = {}

    @initialize()
    def sell(self) -> None:
        self.people["ida"] = User.objects.create(username="ida", first_name="Ida")
        people.join_store(self.people["ida"], self.chain.oslo, role=Role.MANAGER, by=self.chain.by)
        references = ("BGO-20261101-9101", "BGO-20261101-9102")
        self.orders = [self.chain.sold(self.chain.bergen, reference, 100_000) for reference in references]
        for which, who in ((0, "kari"), (1, "mona")):
            self.ask(which, LIMIT + 1, who, 0)

    def teardown(self) -> None:
        self.example.end()

    @rule(which=st.sampled_from([0, 1]), amount=AMOUNTS, who=ANYBODY, key=SOME)
    def ask(self, which: int, amount: int, who: str, key: int) -> None:
        person, order = self.people[who], self.orders[which]
        try:
            accepted = ask(
                order, amount, who=person, store=self.chain.oslo, key=f"page-{which}-{amount}-{key}", confirms_duplicate=True
            )
        except HubError:
            return
        assert access.may(person, access.Right.REQUEST_REFUND, store=self.chain.oslo)
        if accepted.is_new:
            self.asked[accepted.refund.pk] = (person, amount, self.example.time.now)
            assert accepted.refund.state == (State.AWAITING_APPROVAL if amount > LIMIT else State.QUEUED)

    @rule(some=SOME, who=JUDGES, says_yes=st.booleans())
    def judge(self, some: int, who: str, says_yes: bool) -> None:
        refund, person = self._one(some), self.people[who]
        if refund is None:
            return
        by = access.actor_for(person)
        is_free = refund.state == State.AWAITING_APPROVAL and person != self.asked[refund.pk][0]
        is_let = is_free and access.may(person, access.Right.APPROVE_REFUND, store=self.chain.oslo)
        if says_yes and refund.pk in self.asked:
            asker = self.asked[refund.pk][0]
            is_let = is_let and access.may(asker, access.Right.REQUEST_REFUND, store=self.chain.oslo)
        code = ""
        try:
            if says_yes:
                approving.approve_refund(refund.pk, asker=person, by=by)
                self.agreed[refund.pk] = person
            else:
                approving.reject_refund(refund.pk, note="No receipt", asker=person, by=by)
        except HubError as error:
            code = error.code
        assert is_let is not bool(code), code
        if code:
            return
        self.reached["agreed" if says_yes else "refused"] += 1

    @rule(some=SOME, who=ANYBODY)
    def withdraw(self, some: int, who: str) -> None:
        refund, person = self._one(some), self.people[who]
        if refund is None:
            return
        try:
            approving.cancel_refund(refund.pk, asker=person, by=access.actor_for(person))
        except HubError:
            return
        assert access.may(person, access.Right.REQUEST_REFUND, store=self.chain.oslo)
        assert refund.sends == 0

    @rule(who=st.sampled_from(["mona", "ida", "hanne"]), stays=st.booleans())
    def come_and_go(self, who: str, stays: bool) -> None:
        """Her roles end, or her account is shut and opened again."""
        person = self.people[who]
        if stays:
            User.objects.filter(pk=person.pk).update(is_active=not person.is_active)
            person.refresh_from_db()
        else:
            Membership.objects.filter(user=person, ended_at=None).update(ended_at=self.example.time.now)

    @rule(some=SOME)
    def work(self, some: int) -> None:
        refund = self._one(some)
        if refund is not None:
            execution.run(refund.pk, by=hub("worker"))

    @rule(hours=st.sampled_from([0.1, 5, 11, 23.9, 24.1]))
    def wait(self, hours: float) -> None:
        self.example.travel(hours=hours)
        sweep_once(by=hub("sweep"))
        old = self.example.time.now - states.APPROVAL_EXPIRES_AFTER
        assert not Refund.objects.filter(state=State.AWAITING_APPROVAL, accepted_at__lt=old).exists()

    @invariant()
    def nothing_is_sent_that_nobody_agreed_to(self) -> None:
        for refund in Refund.objects.filter(pk__in=self.asked):
            asker, amount, at = self.asked[refund.pk]
            self.reached[refund.state] += 1
            assert (refund.requested_by, refund.amount_minor) == (asker, amount)
            assert refund.approved_by != asker
            assert refund.approved_by == self.agreed.get(refund.pk)
            sent = list(Attempt.objects.filter(refund=refund).values_list("amount_minor", flat=True))
            assert set(sent) <= {amount}
            if amount > LIMIT and refund.pk not in self.agreed:
                assert refund.state in (State.AWAITING_APPROVAL, State.REJECTED, State.CANCELLED)
                assert not sent
            if refund.outcome == "expired":
                assert refund.ended_at is not None
                assert refund.ended_at - at > timedelta(hours=24)

    @invariant()
    def every_order_is_sound(self) -> None:
        for order in self.orders:
            check_order(self.chain.simulator, order)

    def _one(self, some: int) -> Refund | None:
        """One of those that wait for somebody, or of all."""
        refunds = list(Refund.objects.filter(pk__in=self.asked).order_by("accepted_at", "order", "number"))
        found = [refund for refund in refunds if refund.state == State.AWAITING_APPROVAL] or refunds
        return found[some % len(found)] if found else None


def test_no_order_of_events_lets_a_wish_go_that_nobody_else_agreed_to(chain: Chain, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": LIMIT}
    reached: Counter[str] = Counter()
    explore(lambda: ApprovalMachine(chain, reached), examples=40)
    assert {"agreed", "refused", State.REFUNDED, State.REJECTED, State.CANCELLED, State.AWAITING_APPROVAL} <= set(reached)
