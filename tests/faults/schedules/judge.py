"""Judges a schedule by Vipps' own log, when all is at rest: the invariants of RELIABILITY 3.1."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from refunds import identity, intake
from refunds.models import ENDS, IN_FLIGHT, Account, EntryKind, Kind, LedgerEntry, OrderAccount, Refund, State
from stores import audit
from stores.models import Entry, Order
from stores.vipps.simulator import Simulator
from stores.vipps.simulator.ledger import EventEntry
from tests.faults.schedules.ground import Ground
from tests.faults.schedules.parts import Wish
from tests.faults.schedules.tally import Violation

_PLACES = {Account.RESERVED: 0, Account.REFUNDED: 1, Account.EXTERNAL: 2, Account.ORPHAN: 2}
"""Where a side of an entry counts: reserved, posted, external."""
_DONE = {Kind.REFUND: "REFUNDED", Kind.RELEASE: "CANCELLED"}
_MAY_FOLLOW_AN_END = ("T7", "T15", "R7", "R15")


@dataclass(kw_only=True)
class Case:
    """One order with everything that is known of it at the end."""

    order: Order
    account: OrderAccount | None
    refunds: list[Refund]
    """Releases too."""
    ledger: list[LedgerEntry]
    events: list[EventEntry]
    """Those that succeeded: money refunded, or a reservation cancelled."""
    keys: dict[str, Refund]

    @property
    def paid(self) -> list[EventEntry]:
        return [event for event in self.events if event.name == _DONE[Kind.REFUND]]

    def done_for(self, refund: Refund) -> list[EventEntry]:
        """What happened at Vipps under the keys of this refund or release, of its own kind."""
        done = [event for event in self.events if self.keys.get(event.key or "") is refund]
        return [event for event in done if event.name == _DONE[Kind(refund.kind)]]


def judge(orders: list[Order], wishes: list[Wish], *, vipps: Simulator, ground: Ground, was_restored: bool) -> list[Violation]:
    """Every invariant that does not hold."""
    cases = _cases(orders, vipps)
    found: list[tuple[str, str]] = list(_wishes_paid_once(wishes, vipps, ground))
    for case in cases:
        found += _over_refunded(case, vipps)
        found += _right_store(case, vipps, ground)
        found += _true_ends(case)
        found += _true_releases(case, vipps)
        found += _balanced(case)
        found += _at_rest(case)
        found += _equal(case)
    found += _trail(cases)
    found += _same_answers(wishes, was_restored=was_restored)
    return [Violation(invariant=name, what=what) for name, what in found]


def _cases(orders: list[Order], vipps: Simulator) -> list[Case]:
    accounts = OrderAccount.objects.in_bulk([order.pk for order in orders])
    refunds, ledger = defaultdict(list), defaultdict(list)
    fresh = {order.pk: order for order in Order.objects.filter(pk__in=[order.pk for order in orders])}
    for refund in Refund.objects.filter(order__in=orders).order_by("number"):
        refunds[refund.order_id].append(refund)
    for entry in LedgerEntry.objects.filter(order__in=orders).order_by("pk"):
        ledger[entry.order_id].append(entry)
    cases = []
    for order in orders:
        events = vipps.payment(order.sales_unit.msn, order.reference).events
        keys = {key: refund for refund in refunds[order.pk] for key in keys_of(order, refund.pk)}
        cases.append(
            Case(
                order=fresh[order.pk],
                account=accounts.get(order.pk),
                refunds=refunds[order.pk],
                ledger=ledger[order.pk],
                events=[event for event in events if event.name in _DONE.values() and event.success],
                keys=keys,
            )
        )
    return cases


def keys_of(order: Order, refund_id: uuid.UUID) -> list[str]:
    """Every key that a refund may ever go out with."""
    unit = order.sales_unit
    return [
        identity.provider_key(
            environment=unit.environment, msn=unit.msn, reference=order.reference, refund=refund_id, generation=generation
        )
        for generation in range(4)
    ]


def _wishes_paid_once(wishes: list[Wish], vipps: Simulator, ground: Ground) -> Iterator[tuple[str, str]]:
    for wish in wishes:
        client = intake.client_of(ground.cashiers[wish.code], ground.stores[wish.code])
        keys = keys_of(wish.order, identity.refund_id(client, wish.key))
        events = vipps.payment(wish.order.sales_unit.msn, wish.order.reference).events
        done = [event for event in events if event.name in _DONE.values() and event.success and event.key in keys]
        if len(done) > 1:
            yield "I1", f"{wish.key} was done {len(done)} times: {[event.name for event in done]}"


def _over_refunded(case: Case, vipps: Simulator) -> Iterator[tuple[str, str]]:
    sums = vipps.payment(case.order.sales_unit.msn, case.order.reference).sums()
    if sums.refunded > sums.captured:
        yield "I2", f"{case.order.reference}: Vipps refunded {sums.refunded} of {sums.captured}"
    capacity = max(case.order.captured_minor or 0, case.order.claimed_minor or 0)
    for number, entry in enumerate(case.ledger):
        taken = sum(_fold(case.ledger[: number + 1]))
        if entry.kind == EntryKind.RESERVE and taken > capacity:
            yield "I2", f"{case.order.reference}: accepted up to {taken} of {capacity}"


def _fold(ledger: list[LedgerEntry]) -> list[int]:
    """Reserved, posted and external as the entries say."""
    sums = [0, 0, 0]
    for entry in ledger:
        for side, sign in ((entry.debit, -1), (entry.credit, 1)):
            place = _PLACES.get(Account(side))
            if place is not None:
                sums[place] += sign * entry.amount_minor
    return sums


def _right_store(case: Case, vipps: Simulator, ground: Ground) -> Iterator[tuple[str, str]]:
    unit = case.order.sales_unit
    for entry in vipps.log(reference=case.order.reference):
        if entry.api != "portal" and (entry.msn != unit.msn or unit.msn not in _signed_in_for(entry.keys)):
            yield "I3", f"{case.order.reference}: a call for {entry.msn} with the keys of {entry.keys}"


def _signed_in_for(keys: str | None) -> tuple[str, ...]:
    if keys is None:
        return ("100001", "100002", "100003")
    return ("100003",) if "partner" in keys else tuple(part for part in keys.split("-") if part.isdecimal())


def _true_ends(case: Case) -> Iterator[tuple[str, str]]:
    for refund in case.refunds:
        if refund.kind == Kind.RELEASE:
            continue
        paid = case.done_for(refund)
        if refund.state == State.REFUNDED and [event.value for event in paid] != [refund.amount_minor]:
            yield "I5", f"{refund.pk} is refunded, Vipps shows {[event.value for event in paid]}"
        if refund.state in ENDS and refund.state != State.REFUNDED and paid:
            yield "I5", f"{refund.pk} is {refund.state}, Vipps refunded {[event.value for event in paid]}"


def _true_releases(case: Case, vipps: Simulator) -> Iterator[tuple[str, str]]:
    """Released is only what Vipps let go wholly; what it let go for us wholly is told so. A release moves no money."""
    sums = vipps.payment(case.order.sales_unit.msn, case.order.reference).sums()
    is_whole = sums.captured == 0 and sums.cancelled == sums.authorized > 0
    for release in (refund for refund in case.refunds if refund.kind == Kind.RELEASE):
        done = case.done_for(release)
        if release.state == State.RELEASED and not is_whole:
            yield "I5", f"{release.pk} is released, Vipps let go {sums.cancelled} of {sums.authorized}, took {sums.captured}"
        if release.state in ENDS and release.state != State.RELEASED and done and is_whole:
            yield "I5", f"{release.pk} is {release.state}, Vipps let all go for it"
        if any(entry.refund_id == release.pk for entry in case.ledger):
            yield "I7", f"{release.pk} is a release and has an entry in the ledger"


def _balanced(case: Case) -> Iterator[tuple[str, str]]:
    sums = _fold(case.ledger)
    account = case.account
    held = [account.reserved_minor, account.posted_minor, account.external_minor] if account else [0, 0, 0]
    if held != sums:
        yield "I7", f"{case.order.reference}: balances {held}, entries {sums}"
    waiting = sum(refund.amount_minor for refund in case.refunds if not refund.has_ended)
    corrected = sum(entry.amount_minor for entry in case.ledger if entry.kind == EntryKind.CORRECTION)
    if not waiting - corrected <= sums[0] <= waiting:
        yield "I7", f"{case.order.reference}: reserved {sums[0]}, waiting {waiting}"


def _at_rest(case: Case) -> Iterator[tuple[str, str]]:
    is_held = case.account is not None and case.account.on_hold
    for refund in case.refunds:
        if not refund.has_ended and refund.state != State.REVIEW and not is_held:
            yield "I11", f"{refund.pk} is left {refund.state} ({refund.outcome or 'no outcome'}, {refund.verdict})"


def _equal(case: Case) -> Iterator[tuple[str, str]]:
    """What is counted was paid; and where nobody has to look any more, what was paid with a key of ours is counted."""
    if case.account is None:
        return
    at_vipps = sum(event.value for event in case.paid)
    counted = case.account.posted_minor + case.account.external_minor
    if counted > at_vipps:
        yield "I12", f"{case.order.reference}: {counted} counted, {at_vipps} at Vipps"
    with_our_keys = sum(event.value for event in case.paid if event.key in case.keys)
    is_settled = all(refund.has_ended for refund in case.refunds) and not case.account.on_hold
    if is_settled and case.account.posted_minor != with_our_keys:
        yield "I12", f"{case.order.reference}: {case.account.posted_minor} posted, {with_our_keys} at Vipps with our keys"


def _trail(cases: list[Case]) -> Iterator[tuple[str, str]]:
    """Each change of state is one entry, and they follow one another; of an order one refund at a time is under way."""
    refunds = {str(refund.pk): refund for case in cases for refund in case.refunds}
    entries = Entry.objects.filter(subject_type="refund", subject_id__in=list(refunds)).order_by("chain", "counter")
    states: dict[str, str] = {}
    under_way: dict[int, set[str]] = defaultdict(set)
    for entry in entries:
        facts = audit.facts_of(entry)
        name = entry.subject_id
        if entry.event in ("refund.accepted", "release.accepted"):
            states[name] = facts["state"]
        if entry.event not in ("refund.moved", "release.moved"):
            continue
        if states.get(name) != facts["before"]:
            yield "I8", f"{name}: {facts['move']} from {facts['before']}, it was {states.get(name)}"
        if facts["before"] in ENDS and facts["move"] not in _MAY_FOLLOW_AN_END:
            yield "I5", f"{name}: {facts['move']} after the end {facts['before']}"
        states[name] = facts["after"]
        flying = under_way[refunds[name].order_id]
        flying.discard(name)
        if facts["after"] in IN_FLIGHT:
            flying.add(name)
        if len(flying) > 1:
            yield "I6", f"{sorted(flying)} are under way at once"
    for name, refund in refunds.items():
        if states.get(name) != refund.state:
            yield "I8", f"{name} is {refund.state}, its trail says {states.get(name)}"


def _same_answers(wishes: list[Wish], *, was_restored: bool) -> Iterator[tuple[str, str]]:
    for wish in wishes:
        if len(set(wish.answers)) > 1:
            yield "I10", f"{wish.key} was answered with {len(set(wish.answers))} refunds"
        if "another wish was accepted under a used key" in wish.refusals and not was_restored:
            yield "I10", f"{wish.key}: another wish was accepted under a used key"
