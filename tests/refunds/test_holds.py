"""A hold that no review carries: two people lift it, and one alone never does."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from refunds import holds, ledger
from refunds.models import HoldLift, Outbox, Refund, State, Verdict
from stores import access, audit, clock, people
from stores.errors import HubError
from stores.models import Company, Order, Role, User
from stores.vipps.simulator import Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.proving import again, balances, log_event, simulated
from tests.refunds.reviewing import at_hq

ORPHAN = "a refund with a key of this hub has no row here"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)


@pytest.fixture
def held(chain: Chain, order: Order) -> Refund:
    """Vipps' log shows a key of this hub that nobody knows; the refund waits behind the hold."""
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    log_event(chain, refund, 30_000, "rh1-" + "f" * 36)
    assert run(refund).state == State.QUEUED
    assert balances(refund) == (0, 30_000, 25_000, True)
    return refund


@pytest.fixture
def finn(chain: Chain) -> User:
    return at_hq(chain, "finn")


def propose(order: Order, who: User, note: str = "Found in the old till's books") -> HoldLift:
    return holds.propose_lift(order.public_id, note=note, asker=who, by=access.actor_for(who))


def confirm(lift: HoldLift, who: User) -> HoldLift:
    return holds.confirm_lift(lift.pk, asker=who, by=access.actor_for(who))


def reject(lift: HoldLift, who: User, note: str = "no") -> HoldLift:
    return holds.reject_lift(lift.pk, note=note, asker=who, by=access.actor_for(who))


def withdraw(lift: HoldLift, who: User) -> HoldLift:
    return holds.withdraw_lift(lift.pk, asker=who, by=access.actor_for(who))


def refused(code: str, verb: Callable[[], object], refund: Refund) -> None:
    before = balances(refund), list(HoldLift.objects.values_list("verdict", flat=True))
    with pytest.raises(HubError) as refusal:
        verb()
    assert refusal.value.code == code
    assert (balances(refund), list(HoldLift.objects.values_list("verdict", flat=True))) == before


def test_two_people_lift_a_hold_and_what_waited_goes_on(chain: Chain, order: Order, held: Refund, finn: User) -> None:
    lift = propose(order, chain.hanne)
    assert lift.hold_reason == ORPHAN
    assert balances(held)[3] is True
    Outbox.objects.all().delete()
    assert confirm(lift, finn).verdict == Verdict.CONFIRMED
    assert balances(held)[3] is False
    assert list(Outbox.objects.values_list("refund_id", flat=True)) == [held.pk]
    assert again(held).state == State.REFUNDED
    assert balances(held) == (25_000, 30_000, 0, False)
    told = [entry.event for entry in audit.timeline_of("order", str(order.public_id))]
    assert told[-3:] == ["hold.lift_proposed", "hold.lift_decided", "order.released"]
    assert audit.verify().bad is None
    assert not ledger.is_held_by_orphan(order)


def test_a_second_orphan_holds_it_again(chain: Chain, order: Order, held: Refund, finn: User) -> None:
    confirm(propose(order, chain.hanne), finn)
    log_event(chain, held, 10_000, "rh1-" + "e" * 36)
    assert again(held).state == State.QUEUED
    assert balances(held) == (0, 40_000, 25_000, True)
    assert ledger.is_held_by_orphan(order)


def test_one_person_alone_lifts_nothing(chain: Chain, order: Order, held: Refund, finn: User) -> None:
    User.objects.update(is_superuser=True, is_staff=True)
    lift = propose(order, chain.hanne)
    refused("second_person_needed", lambda: confirm(lift, chain.hanne), held)
    refused("second_person_needed", lambda: reject(lift, chain.hanne), held)
    refused("proposal_open", lambda: propose(order, finn), held)
    refused("no_proposal", lambda: withdraw(lift, finn), held)
    with pytest.raises(IntegrityError, match="hold_is_lifted_by_two_people"), transaction.atomic():
        HoldLift.objects.update(verdict="confirmed", decided_by=chain.hanne, decided_at=clock.db_now())


def test_a_proposal_is_rejected_or_withdrawn_and_the_hold_stays(
    chain: Chain, order: Order, held: Refund, finn: User
) -> None:
    assert reject(propose(order, chain.hanne), finn).verdict == Verdict.REJECTED
    lift = propose(order, chain.hanne)
    assert withdraw(lift, chain.hanne).verdict == Verdict.WITHDRAWN
    refused("no_proposal", lambda: confirm(lift, finn), held)
    assert balances(held)[3] is True


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SECURITY, Role.AUDITOR])
def test_a_role_without_the_right_does_neither(chain: Chain, order: Order, held: Refund, role: Role) -> None:
    other = at_hq(chain, "ola", role)
    refused("forbidden", lambda: propose(order, other), held)
    lift = propose(order, chain.hanne)
    for verb in (confirm, reject, withdraw):
        refused("forbidden", verb_of(verb, lift, other), held)


def verb_of(verb: Any, lift: HoldLift, who: User) -> Callable[[], object]:
    return lambda: verb(lift, who)


def test_another_chain_sees_nothing(chain: Chain, order: Order, held: Refund) -> None:
    stranger = User.objects.create(username="stranger")
    people.join_headquarters(stranger, Company.objects.create(name="Other"), role=Role.APPROVER, by=chain.by)
    refused("not_found", lambda: propose(order, stranger), held)
    lift = propose(order, chain.hanne)
    refused("not_found", lambda: confirm(lift, stranger), held)


def test_a_proposer_who_may_no_longer_counts_for_nobody(chain: Chain, order: Order, held: Refund, finn: User) -> None:
    lift = propose(order, finn)
    for membership in finn.memberships.all():
        people.leave_store(membership, reason="left", by=chain.by)
    refused("proposer_may_not", lambda: confirm(lift, chain.hanne), held)


def test_a_review_is_settled_first(chain: Chain, order: Order, held: Refund, finn: User) -> None:
    lift = propose(order, chain.hanne)
    Refund.objects.filter(pk=held.pk).update(state=State.REVIEW)
    refused("in_review", lambda: confirm(lift, finn), held)
    withdraw(lift, chain.hanne)
    refused("in_review", lambda: propose(order, chain.hanne), held)


def test_there_must_be_a_hold_and_a_reason(chain: Chain, order: Order, held: Refund) -> None:
    refused("reason_needed", lambda: propose(order, chain.hanne, " "), held)
    with transaction.atomic():
        ledger.release_hold(order)
    refused("not_held", lambda: propose(order, chain.hanne), held)
