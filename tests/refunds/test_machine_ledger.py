"""The ledger by itself: balances are the fold of the entries, none is negative, and nothing is booked twice."""

from collections import Counter

import pytest
from django.db import IntegrityError, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from refunds import ledger, states
from refunds.models import ENDS, Account, EntryKind, LedgerEntry, OrderAccount, Refund, State
from stores import audit
from stores.actors import hub
from stores.errors import HubError
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.examples import begin, explore
from tests.refunds.truths import check_ledger, check_trail

SOLD = 100_000
AMOUNTS = st.sampled_from([1, 9_999, 20_000, 40_000, SOLD])
SOME = st.integers(min_value=0, max_value=4)
PSP = st.sampled_from(["psp-1", "psp-2", "psp-3", "p" * 81, "p" * 82])
PATHS = st.sampled_from(
    [
        (states.T3_CANCEL,),
        (states.T5_CLAIM,),
        (states.T5_CLAIM, states.T10_PREFLIGHT),
        (states.T14_UNUSABLE,),
    ]
)


class LedgerMachine(RuleBasedStateMachine):
    """One order of 1 000,00 kr: wishes, ends of every kind, late successes, and money that moves outside."""

    def __init__(self, chain: Chain, reached: Counter[str]) -> None:
        super().__init__()
        self.reached = reached
        self.example = begin(chain)
        self.chain = self.example.chain
        self.entries: dict[int, tuple[object, ...]] = {}
        self.outside: dict[str, int] = {}

    @initialize()
    def sell(self) -> None:
        self.order = self.chain.sold(self.chain.bergen, "BGO-20261101-9201", SOLD)
        for amount in (20_000, 9_999):
            self.reserve(amount)

    def teardown(self) -> None:
        self.example.end()

    @rule(amount=AMOUNTS)
    def reserve(self, amount: int) -> None:
        ledger.open_account(self.order)
        before = self._account()
        left = SOLD - before.posted_minor - before.external_minor - before.reserved_minor
        try:
            ask(self.order, amount, who=self.chain.kari, store=self.chain.oslo, confirms_duplicate=True)
        except HubError:
            assert amount > left or before.on_hold
            return
        assert amount <= left
        assert not before.on_hold

    @rule(some=SOME, path=PATHS)
    def move(self, some: int, path: tuple[states.Move, ...]) -> None:
        refund = self._one(some)
        what = ""
        try:
            for row in path:
                with transaction.atomic():
                    states.move(refund, row, by=hub("test"), because="withdrawn", fence=refund.fence)
        except IntegrityError as error:
            what = str(error)
        # the refund's money was corrected already, or another one is in flight: all of the move is undone
        assert not what or "one_in_flight" in what or refund.pk in self._corrected()

    @rule(some=SOME, psp=PSP)
    def succeed(self, some: int, psp: str) -> None:
        """Success evidence, in whatever state; once it has counted, it never counts again."""
        refund = self._one(some)
        counted = refund.state == State.REFUNDED or refund.pk in self._corrected()
        posted = self._account().posted_minor
        states.settle_as_refunded(refund, by=hub("test"), because="Vipps confirmed our amount", psp_reference=psp)
        assert self._account().posted_minor == posted + (0 if counted else refund.amount_minor)
        self.reached["corrected"] += refund.pk in self._corrected()

    @rule(amount=AMOUNTS, psp=PSP, is_ours=st.booleans())
    def see_outside(self, amount: int, psp: str, is_ours: bool) -> None:
        with transaction.atomic():
            ledger.locked_account(self.order.pk)
            if not ledger.is_booked(self.order, psp):
                ledger.book(self.order, EntryKind.ORPHAN if is_ours else EntryKind.EXTERNAL, amount, psp_reference=psp)
                assert psp not in self.outside
                self.outside[psp] = amount

    @rule()
    def lift(self) -> None:
        OrderAccount.objects.filter(order=self.order).update(on_hold=False)

    @rule(kind=st.sampled_from([EntryKind.EXTERNAL, EntryKind.ORPHAN]), psp=PSP)
    def book_again(self, kind: EntryKind, psp: str) -> None:
        """Even a verb that forgot to look cannot count an outside refund twice."""
        if psp in self.outside:
            before = self._account()
            with pytest.raises(IntegrityError), transaction.atomic():
                ledger.book(self.order, kind, 1, psp_reference=psp)
            assert self._account().external_minor == before.external_minor

    @invariant()
    def balances_are_the_fold_of_the_entries(self) -> None:
        refunds = list(Refund.objects.filter(order=self.order))
        check_ledger(self.order, refunds)
        for refund in refunds:
            self.reached[refund.state] += 1
            check_trail(refund)
            self._check_kinds(refund)

    @invariant()
    def what_was_written_stays(self) -> None:
        now = {entry.pk: self._as_told(entry) for entry in LedgerEntry.objects.filter(order=self.order)}
        assert self.entries.items() <= now.items()
        self.entries = now

    def _check_kinds(self, refund: Refund) -> None:
        """Set aside once; then given free once or paid once; paid after it was given free only by a correction."""
        kinds = sorted(LedgerEntry.objects.filter(refund=refund).values_list("kind", flat=True))
        if refund.state == State.REFUNDED:
            assert kinds in (["post", "reserve"], ["correction", "reserve", "void"])
        elif refund.state in ENDS:
            assert kinds == ["reserve", "void"]
        else:
            assert kinds in (["reserve"], ["correction", "reserve", "void"])

    def _as_told(self, entry: LedgerEntry) -> tuple[object, ...]:
        assert {entry.debit, entry.credit} <= set(Account.values)
        return entry.kind, entry.debit, entry.credit, entry.amount_minor, entry.refund_id, entry.psp_reference

    def _account(self) -> OrderAccount:
        return OrderAccount.objects.get(order=self.order)

    def _corrected(self) -> set[object]:
        return set(LedgerEntry.objects.filter(kind=EntryKind.CORRECTION).values_list("refund", flat=True))

    def _one(self, some: int) -> Refund:
        refunds = list(Refund.objects.filter(order=self.order).order_by("number"))
        return refunds[some % len(refunds)]


def test_balances_are_the_fold_of_what_was_booked(chain: Chain) -> None:
    reached: Counter[str] = Counter()
    explore(lambda: LedgerMachine(chain, reached), examples=25)
    assert audit.verify().bad is None
    assert {State.REFUNDED, State.CANCELLED, State.DECLINED, State.REVIEW} <= set(reached)
    assert reached["corrected"]
