"""Reviews when many act at once or in any order: one end, by two people, and the money counted once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from refunds import looking, review, states
from refunds.models import LedgerEntry, LookRequest, Refund, ReviewProposal, State, Verdict
from stores import access, audit, clock, nudge
from stores.access import Right
from stores.actors import hub
from stores.errors import HubError
from stores.models import Order, Role, User
from stores.vipps.simulator import Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.proving import balances, key_of, log_event, lose, simulated
from tests.refunds.reviewing import at_hq, at_vipps, confirm, look, propose
from tests.refunds.test_concurrency import together

at_once = pytest.mark.django_db(transaction=True)
TURNS = 60


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """As everywhere, but without rate limits: these tests look more often than Vipps would like."""
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _nobody_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: True)


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    """In review, never sent."""
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    assert states.move(refund, states.T14_UNUSABLE, by=hub("sweep"), because="not sent within 24 hours")
    refund.refresh_from_db()
    return refund


def codes(answers: list[object]) -> set[str]:
    return {answer.code for answer in answers if isinstance(answer, HubError)}


@at_once
def test_eight_people_confirm_at_once_and_it_ends_once(chain: Chain, refund: Refund) -> None:
    look(refund, who=chain.hanne)
    proposal = propose(refund, "declined", who=chain.hanne)
    people = [at_hq(chain, f"finance{number}") for number in range(8)]
    answers: list[object] = list(together(*(partial(confirm, proposal, who=person) for person in people)))
    assert len([answer for answer in answers if isinstance(answer, Refund)]) == 1
    assert codes(answers) <= {"no_proposal", "not_in_review"}
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", flat=True)) == ["reserve", "void"]
    assert balances(refund) == (0, 0, 0, False)
    assert audit.verify().bad is None


@at_once
def test_eight_people_propose_at_once_and_one_proposal_waits(chain: Chain, refund: Refund) -> None:
    look(refund, who=chain.hanne)
    people = [at_hq(chain, f"finance{number}") for number in range(8)]
    answers: list[object] = list(together(*(partial(propose, refund, "declined", who=person) for person in people)))
    assert len([answer for answer in answers if isinstance(answer, ReviewProposal)]) == 1
    assert codes(answers) == {"proposal_open"}
    assert ReviewProposal.objects.count() == 1


@at_once
def test_a_success_that_is_seen_while_two_people_decline_is_never_lost(chain: Chain, order: Order) -> None:
    """Vipps' log knew nothing when they looked; it shows the refund at the very moment of the confirmation."""
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    lose(chain)
    assert run(refund).state == State.UNKNOWN
    late = clock.db_now() - timedelta(hours=25)
    Refund.objects.filter(pk=refund.pk).update(indeterminate_since=late, last_send_at=late)
    assert states.move(refund, states.T14_TOO_OLD, by=hub("sweep"), because="still unknown after 24 hours")
    refund.refresh_from_db()
    finn = at_hq(chain, "finn")
    look(refund, who=chain.hanne)
    proposal = propose(refund, "declined", who=chain.hanne)
    request = review.look_again(refund.pk, asker=finn, by=access.actor_for(finn))
    log_event(chain, refund, 25_000, key_of(refund))
    calls: list[Callable[[], object]] = [
        partial(confirm, proposal, who=finn),
        partial(looking.look, request.pk, by=hub("worker")),
    ]
    answers: list[object] = list(together(*calls))
    assert codes(answers) <= {"not_in_review", "evidence_changed"}
    refund.refresh_from_db()
    assert refund.state in (State.REFUNDED, State.REVIEW, State.DECLINED)
    if refund.state == State.DECLINED:  # the look found nothing in review any more; the next reading of the order tells
        run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund)
        refund.refresh_from_db()
        assert (refund.state, refund.outcome) == (State.REVIEW, "refunded_after_all")
    assert balances(refund)[0] == 25_000
    assert balances(refund)[2] in (0, 5_000)
    assert audit.verify().bad is None


@pytest.mark.parametrize("seed", range(6))
def test_whoever_does_what_in_any_order_two_people_ended_it_or_nobody(chain: Chain, refund: Refund, seed: int) -> None:
    """Sixty turns of people with and without the right, the asker among them; Vipps' log changes under their hands."""
    random = Random(seed)
    finn, frida = at_hq(chain, "finn"), at_hq(chain, "frida")
    people = [chain.hanne, chain.hanne, finn, finn, frida, chain.kari, chain.mona, at_hq(chain, "ola", Role.OPERATOR)]
    ends = ("declined", "declined", "refunded")

    def turn(who: User) -> object:
        by = access.actor_for(who)
        waiting = ReviewProposal.objects.order_by("-pk").first()
        verb = random.choice(("look", "propose", "propose", "confirm", "confirm", "reject", "withdraw", "vipps"))
        if verb == "look":
            return look(refund, who=who)
        if verb == "propose":
            return propose(refund, random.choice(ends), who=who)
        if verb == "vipps" and random.random() < 0.2:
            log_event(chain, refund, random.choice((24_000, 25_000)), None)
        if verb == "vipps" or waiting is None:
            return None
        if verb == "confirm":
            return review.confirm_end(waiting.pk, asker=who, by=by)
        if verb == "reject":
            return review.reject_proposal(waiting.pk, note="no", asker=who, by=by)
        return review.withdraw_proposal(waiting.pk, asker=who, by=by)

    for _ in range(TURNS):
        try:
            turn(random.choice(people))
        except HubError:
            continue
    refund.refresh_from_db()
    confirmed = list(ReviewProposal.objects.filter(verdict=Verdict.CONFIRMED))
    assert (refund.state == State.DECLINED) is (len(confirmed) == 1), "never sent, so it can only be declined"
    assert refund.state in (State.REVIEW, State.DECLINED)
    for proposal in confirmed:
        assert proposal.decided_by is not None
        assert proposal.decided_by != proposal.proposed_by
        assert chain.kari not in (proposal.decided_by, proposal.proposed_by)
        for person in (proposal.decided_by, proposal.proposed_by):
            assert access.may(person, Right.SETTLE_REVIEW)
    assert balances(refund)[0] == 0
    assert balances(refund)[2] == (0 if confirmed else 25_000)
    assert at_vipps(chain, refund.order) >= balances(refund)[1]
    assert LookRequest.objects.filter(answered_at=None).count() == 0
