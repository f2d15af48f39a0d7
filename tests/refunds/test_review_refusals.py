"""Who may not end a review, and when: on every refusal nothing moves, and nobody is exempt."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, transaction

from refunds import review, states
from refunds.errors import NoProposal
from refunds.models import Refund, ReviewProposal, State, Verdict
from stores import access, clock, people
from stores.actors import hub
from stores.errors import HubError
from stores.models import Company, Order, Role, User
from stores.vipps.simulator import FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.proving import key_of, log_event, lose, simulated
from tests.refunds.reviewing import at_hq, confirm, given_up, look, propose, snapshot, with_events

REFUNDS = Path(states.__file__).parent


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """As everywhere, but without rate limits: these tests look more often than Vipps would like."""
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 25_000, who=chain.kari, store=chain.oslo).refund


@pytest.fixture
def finn(chain: Chain) -> User:
    """Finance at headquarters, the second person."""
    return at_hq(chain, "finn")


@pytest.fixture
def lost(chain: Chain, refund: Refund, travel: Any) -> Refund:
    """In review, and looked at since: it never reached Vipps."""
    return look(given_up(chain, refund, travel), who=chain.hanne)


def refused(code: str, verb: Callable[[], object], refund: Refund) -> None:
    """The verb refuses with that code, and all is as it was."""
    before = snapshot(refund)
    with pytest.raises(HubError) as refusal:
        verb()
    assert refusal.value.code == code
    assert snapshot(refund) == before


def test_no_look_no_proposal(chain: Chain, refund: Refund, travel: Any) -> None:
    given_up(chain, refund, travel)
    refused("look_first", lambda: propose(refund, "declined", who=chain.hanne), refund)


def test_what_was_read_before_the_review_is_no_evidence(chain: Chain, refund: Refund) -> None:
    with_events(chain, refund, 26_000)
    refused("look_first", lambda: propose(refund, "refunded", who=chain.hanne), refund)
    look(refund, who=chain.hanne)
    propose(refund, "refunded", who=chain.hanne)


def test_old_evidence_is_none(chain: Chain, lost: Refund, finn: User, travel: Any) -> None:
    proposal = propose(lost, "declined", who=chain.hanne)
    travel(timedelta(hours=25))
    refused("look_first", lambda: confirm(proposal, who=finn), lost)
    look(lost, who=finn)
    assert confirm(proposal, who=finn).state == State.DECLINED


def test_the_log_is_not_overruled(chain: Chain, refund: Refund, lost: Refund) -> None:
    refused("log_shows_no_refund", lambda: propose(lost, "refunded", who=chain.hanne), lost)


def test_a_success_in_the_log_is_not_declined(chain: Chain, refund: Refund) -> None:
    with_events(chain, refund, 25_000, 25_000)
    look(refund, who=chain.hanne)
    refused("log_shows_our_refund", lambda: propose(refund, "declined", who=chain.hanne), refund)


def test_a_call_that_may_still_arrive_is_not_declined(chain: Chain, refund: Refund, travel: Any) -> None:
    lose(chain)
    run(refund)
    assert states.move(refund, states.T14_TOO_OLD, by=hub("sweep"), because="still unknown after 24 hours")
    look(refund, who=chain.hanne)
    refused("call_may_still_arrive", lambda: propose(refund, "declined", who=chain.hanne), refund)
    travel(timedelta(hours=13))
    refused("call_may_still_arrive", lambda: propose(refund, "declined", who=chain.hanne), refund)
    look(refund, who=chain.hanne)
    propose(refund, "declined", who=chain.hanne)


def test_the_proposer_does_not_confirm_or_reject(chain: Chain, lost: Refund) -> None:
    proposal = propose(lost, "declined", who=chain.hanne)
    refused("second_person_needed", lambda: confirm(proposal, who=chain.hanne), lost)
    refused("second_person_needed", lambda: reject(proposal, chain.hanne), lost)


def reject(proposal: ReviewProposal, who: User, note: str = "no") -> ReviewProposal:
    return review.reject_proposal(proposal.pk, note=note, asker=who, by=access.actor_for(who))


def withdraw(proposal: ReviewProposal, who: User) -> ReviewProposal:
    return review.withdraw_proposal(proposal.pk, asker=who, by=access.actor_for(who))


def test_a_superuser_is_no_exception(chain: Chain, lost: Refund, finn: User) -> None:
    User.objects.update(is_superuser=True, is_staff=True)
    chain.hanne.refresh_from_db()
    proposal = propose(lost, "declined", who=chain.hanne)
    refused("second_person_needed", lambda: confirm(proposal, who=chain.hanne), lost)
    root = User.objects.create(username="root", is_superuser=True, is_staff=True)
    refused("not_found", lambda: confirm(proposal, who=root), lost)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SECURITY, Role.AUDITOR])
def test_a_role_without_the_right_does_neither(chain: Chain, lost: Refund, role: Role) -> None:
    other = at_hq(chain, "ola", role)
    refused("forbidden", lambda: propose(lost, "declined", who=other), lost)
    proposal = propose(lost, "declined", who=chain.hanne)
    for verb in (confirm_as(proposal, other), lambda: reject(proposal, other), lambda: withdraw(proposal, other)):
        refused("forbidden", verb, lost)
    refused("forbidden", lambda: look(lost, who=other), lost)


def confirm_as(proposal: ReviewProposal, who: User) -> Callable[[], object]:
    return lambda: confirm(proposal, who=who)


def test_people_of_stores_do_neither(chain: Chain, lost: Refund) -> None:
    proposal = propose(lost, "declined", who=chain.hanne)
    for person, code in ((chain.kari, "forbidden"), (chain.mona, "forbidden"), (chain.per, "not_found")):
        refused(code, confirm_as(proposal, person), lost)


def test_another_chain_sees_nothing(chain: Chain, lost: Refund) -> None:
    stranger = User.objects.create(username="stranger")
    people.join_headquarters(stranger, Company.objects.create(name="Other"), role=Role.APPROVER, by=chain.by)
    proposal = propose(lost, "declined", who=chain.hanne)
    refused("not_found", confirm_as(proposal, stranger), lost)
    refused("not_found", lambda: propose(lost, "declined", who=stranger), lost)


def test_who_asked_for_it_is_no_judge(chain: Chain, order: Order, finn: User, travel: Any) -> None:
    people.join_headquarters(chain.kari, chain.company, role=Role.APPROVER, by=chain.by)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    look(given_up(chain, refund, travel), who=finn)
    refused("involved", lambda: propose(refund, "declined", who=chain.kari), refund)
    proposal = propose(refund, "declined", who=finn)
    refused("involved", confirm_as(proposal, chain.kari), refund)
    refused("involved", lambda: reject(proposal, chain.kari), refund)


def test_who_approved_it_is_no_judge(chain: Chain, lost: Refund, finn: User) -> None:
    Refund.objects.filter(pk=lost.pk).update(approved_by=chain.hanne)
    refused("involved", lambda: propose(lost, "declined", who=chain.hanne), lost)
    proposal = propose(lost, "declined", who=finn)
    refused("involved", confirm_as(proposal, chain.hanne), lost)


def test_a_proposer_who_may_no_longer_counts_for_nobody(chain: Chain, lost: Refund, finn: User) -> None:
    proposal = propose(lost, "declined", who=finn)
    for held in finn.memberships.all():
        people.leave_store(held, reason="left", by=chain.by)
    refused("proposer_may_not", confirm_as(proposal, chain.hanne), lost)
    assert reject(proposal, chain.hanne).verdict == Verdict.REJECTED
    assert confirm(propose(lost, "declined", who=chain.hanne), who=at_hq(chain, "frida")).state == State.DECLINED


@pytest.mark.parametrize(
    ("ends_as", "note", "code"),
    [
        ("declined", "  ", "reason_needed"),
        ("declined", "n" * 501, "reason_needed"),
        ("declined", "a\x00b", "reason_needed"),
        ("cancelled", "because", "reason_needed"),
        ("", "because", "reason_needed"),
    ],
)
def test_an_end_needs_words_and_a_name(chain: Chain, lost: Refund, ends_as: str, note: str, code: str) -> None:
    refused(code, lambda: propose(lost, ends_as, who=chain.hanne, note=note), lost)


def test_one_proposal_at_a_time(chain: Chain, lost: Refund, finn: User) -> None:
    first = propose(lost, "declined", who=chain.hanne)
    refused("proposal_open", lambda: propose(lost, "declined", who=finn), lost)
    refused("no_proposal", lambda: withdraw(first, finn), lost)
    assert withdraw(first, chain.hanne).verdict == Verdict.WITHDRAWN
    refused("no_proposal", confirm_as(first, finn), lost)
    second = propose(lost, "declined", who=finn)
    assert reject(second, chain.hanne).verdict == Verdict.REJECTED
    refused("no_proposal", lambda: reject(second, chain.hanne), lost)
    third = propose(lost, "declined", who=chain.hanne)
    assert confirm(third, who=finn).state == State.DECLINED
    refused("no_proposal", lambda: withdraw(third, chain.hanne), lost)


def test_what_vipps_shows_may_not_have_changed_since(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    given_up(chain, refund, travel)
    look(refund, who=chain.hanne)
    proposal = propose(refund, "declined", who=chain.hanne)
    log_event(chain, refund, 26_000, key_of(refund))
    assert look(refund, who=finn).state == State.REVIEW
    refused("evidence_changed", confirm_as(proposal, finn), refund)


def test_only_what_is_in_review_is_reviewed(chain: Chain, refund: Refund, finn: User) -> None:
    for state in (State.QUEUED, State.UNKNOWN, State.REFUNDED):
        Refund.objects.filter(pk=refund.pk).update(state=state)
        refused("not_in_review", lambda: propose(refund, "declined", who=chain.hanne), refund)
        refused("not_in_review", lambda: look(refund, who=chain.hanne), refund)


def test_nobody_knows_a_proposal_that_is_not_there(chain: Chain, lost: Refund) -> None:
    with pytest.raises(HubError, match="no such refund"):
        review.confirm_end(4711, asker=chain.hanne, by=access.actor_for(chain.hanne))


def test_two_confirmations_at_once_end_it_once(chain: Chain, lost: Refund, finn: User) -> None:
    proposal = propose(lost, "declined", who=chain.hanne)
    assert confirm(proposal, who=finn).state == State.DECLINED
    with pytest.raises(HubError) as late:
        confirm(proposal, who=at_hq(chain, "frida"))
    assert late.value.code in (NoProposal.code, "not_in_review")


class TestTheDatabaseItself:
    """What no line of code gets past."""

    @pytest.fixture
    def proposal(self, chain: Chain, lost: Refund) -> ReviewProposal:
        return propose(lost, "declined", who=chain.hanne)

    def test_takes_no_verdict_of_the_proposer(self, chain: Chain, proposal: ReviewProposal) -> None:
        for verdict in (Verdict.CONFIRMED, Verdict.REJECTED, Verdict.WITHDRAWN):
            with pytest.raises(IntegrityError, match="review_ends_by_two_people"), transaction.atomic():
                ReviewProposal.objects.filter(pk=proposal.pk).update(
                    verdict=verdict, decided_by=chain.hanne, decided_at=clock.db_now()
                )

    def test_takes_no_verdict_of_nobody(self, proposal: ReviewProposal) -> None:
        with pytest.raises(IntegrityError, match="review_ends_by_two_people"), transaction.atomic():
            ReviewProposal.objects.filter(pk=proposal.pk).update(verdict=Verdict.CONFIRMED, decided_at=clock.db_now())

    def test_takes_no_second_open_proposal(self, chain: Chain, proposal: ReviewProposal) -> None:
        proposal.pk = None
        with pytest.raises(IntegrityError, match="one_open_proposal_per_refund"), transaction.atomic():
            proposal.save(force_insert=True)

    @pytest.mark.parametrize("change", [{"ends_as": "refunded"}, {"note": "x"}, {"proposed_at": None}])
    def test_changes_no_proposal(self, proposal: ReviewProposal, change: dict[str, Any]) -> None:
        with pytest.raises((ProgrammingError, InternalError, IntegrityError)), transaction.atomic():
            ReviewProposal.objects.filter(pk=proposal.pk).update(**change)

    def test_changes_no_verdict(self, proposal: ReviewProposal, finn: User) -> None:
        confirm(proposal, who=finn)
        with pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
            ReviewProposal.objects.filter(pk=proposal.pk).update(verdict="", decided_by=None, decided_at=None)

    def test_declines_no_review_by_one(self, proposal: ReviewProposal, lost: Refund) -> None:
        with pytest.raises((ProgrammingError, InternalError), match="two people"), transaction.atomic():
            Refund.objects.filter(pk=lost.pk).update(state=State.DECLINED)


def test_no_other_line_of_the_hub_ends_a_review() -> None:
    """The moves of T15 are named where they are defined and where two people make them, and nowhere else."""
    named = {
        path.relative_to(REFUNDS).as_posix()
        for path in REFUNDS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if re.search(r"\b[TR]15_", f"{getattr(node, 'attr', '')} {getattr(node, 'id', '')}")
    }
    assert named == {"states.py", "release_moves.py", "review.py"}


def test_drop_after_is_found_not_declined(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    """The case that would pay twice: it was paid, the answer was lost, and somebody wants to be rid of the row."""
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    travel(timedelta(hours=25))
    assert states.move(refund, states.T14_TOO_OLD, by=hub("sweep"), because="still unknown after 24 hours")
    refused("look_first", lambda: propose(refund, "declined", who=chain.hanne), refund)
    assert look(refund, who=chain.hanne).state == State.REFUNDED
