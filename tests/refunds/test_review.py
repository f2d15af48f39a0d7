"""T15: a refund in review ends by two people on what Vipps shows; what they end is booked as it moved."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from refunds import ledger, looking, outbound, review, states
from refunds.errors import NotInReview
from refunds.models import LedgerEntry, LookRequest, Outbox, Refund, ReviewProposal, State, Verdict
from stores import access, audit
from stores.actors import hub
from stores.models import Order, User
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.proving import again, balances, key_of, log_event, lose, posts, simulated
from tests.refunds.reviewing import at_hq, at_vipps, confirm, given_up, look, propose, settle, with_events


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


def kinds(refund: Refund) -> list[str]:
    return list(LedgerEntry.objects.filter(order=refund.order_id).order_by("pk").values_list("kind", flat=True))


def told(refund: Refund) -> list[str]:
    return [entry.event for entry in audit.timeline_of("refund", str(refund.pk))]


def test_two_people_decline_what_never_reached_vipps(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    given_up(chain, refund, travel)
    assert balances(refund) == (0, 0, 25_000, True)
    ended = settle(refund, "declined", first=chain.hanne, second=finn)
    assert (ended.state, ended.outcome, ended.ended_at is not None) == (State.DECLINED, "settled_by_people", True)
    assert balances(refund) == (0, 0, 0, False)
    assert kinds(refund) == ["reserve", "void"]
    proposal = ReviewProposal.objects.get()
    assert (proposal.proposed_by, proposal.decided_by, proposal.verdict) == (chain.hanne, finn, Verdict.CONFIRMED)
    assert (proposal.payment.source, proposal.log.source) == ("payment", "events")
    assert proposal.log.seen_at > refund.moved_at
    steps = ["review.vipps_asked", "review.end_proposed", "refund.moved", "order.released", "review.end_decided"]
    assert [event for event in told(refund) if event in steps][-4:] == [step for step in steps if step != "order.released"]
    assert [entry.event for entry in audit.timeline_of("order", str(refund.order.public_id))][-1] == "order.released"
    assert audit.verify().bad is None
    assert len(posts(chain)) == 1


def test_the_trail_names_both_and_says_why(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    given_up(chain, refund, travel)
    settle(refund, "declined", first=chain.hanne, second=finn)
    moves = [entry for entry in audit.timeline_of("refund", str(refund.pk)) if entry.event == "refund.moved"]
    because = audit.facts_of(list(moves)[-1])["because"]
    assert because == "two people at headquarters settled it: Hanne and Finn: Asked the customer and the shop"


def test_store_systems_hear_of_the_end(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    url = "https://till.example/hook"
    endpoint = outbound.add_endpoint(chain.systems["OSL"], url=url, by=chain.by).endpoint
    given_up(chain, refund, travel)
    settle(refund, "declined", first=chain.hanne, second=finn)
    last = endpoint.deliveries.order_by("-version").first()
    assert last is not None
    assert json.loads(last.body)["data"]["state"] == "declined"


def test_two_people_take_an_event_without_a_key_for_ours_and_it_counts_once(
    chain: Chain, refund: Refund, finn: User, order: Order, travel: Any
) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    lose_keys(chain)
    travel(timedelta(hours=25))
    assert states.move(refund, states.T14_TOO_OLD, by=hub("sweep"), because="still unknown after 24 hours")
    ended = settle(refund, "refunded", first=chain.hanne, second=finn)
    assert ended.state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, False)
    other = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    chain.simulator.portal_refund("100002", order.reference, 5_000)
    lose(chain)
    run(other)
    again(other)
    posted, external, _, on_hold = balances(refund)
    assert (posted + external, on_hold) == (at_vipps(chain, order), False)
    assert external == 5_000, "the portal's refund is counted, the one people took for ours is not counted again"


def lose_keys(chain: Chain) -> None:
    """From now on Vipps' log shows the refunds of this moment without their keys."""
    for payment in chain.simulator.ledger.payments.values():
        payment.events[:] = [event._replace(key=None) for event in payment.events]


@pytest.mark.parametrize(
    ("amounts", "entries", "counted"),
    [
        ([26_000], ["reserve", "post", "orphan"], (25_000, 1_000)),
        ([24_000], ["reserve", "post", "reversal"], (24_000, 0)),
        ([25_000, 25_000], ["reserve", "post", "orphan"], (25_000, 25_000)),
    ],
    ids=["more", "less", "twice"],
)
def test_what_moved_is_counted_whatever_was_asked_for(
    chain: Chain, refund: Refund, finn: User, order: Order, amounts: list[int], entries: list[str], counted: tuple[int, int]
) -> None:
    with_events(chain, refund, *amounts)
    look(refund, who=chain.hanne)
    assert refund.state == State.REVIEW, "that is no plain success"
    assert settle(refund, "refunded", first=chain.hanne, second=finn).state == State.REFUNDED
    assert kinds(refund) == entries
    assert balances(refund) == (*counted, 0, False)
    assert sum(counted) == at_vipps(chain, order)
    chain.simulator.portal_refund("100002", order.reference, 5_000)
    run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
    posted, external, _, _ = balances(refund)
    assert posted + external == at_vipps(chain, order), "and the portal's refund is adopted as ever"


def test_a_refund_that_vipps_took_back_is_declined(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    with_events_taken_back(chain, refund)
    travel(timedelta(hours=13))
    assert look(refund, who=chain.hanne).state == State.REVIEW
    assert settle(refund, "declined", first=chain.hanne, second=finn).state == State.DECLINED
    assert balances(refund) == (0, 0, 0, False)


def with_events_taken_back(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    log_event(chain, refund, 25_000, key_of(refund))
    log_event(chain, refund, 25_000, key_of(refund), success=False)
    make_due(refund)
    assert run(refund).state == State.REVIEW


def refunded_after_all(chain: Chain, refund: Refund, order: Order) -> None:
    """Declined, and yet paid: back in review with a correction and without a reservation."""
    lose(chain, FaultKind.REFUSE, code="6150")
    assert run(refund).state == State.DECLINED
    log_event(chain, refund, 25_000, key_of(refund))
    run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund)
    refund.refresh_from_db()
    assert refund.state == State.REVIEW


def test_what_counts_already_is_not_posted_again(chain: Chain, refund: Refund, finn: User, order: Order) -> None:
    refunded_after_all(chain, refund, order)
    assert settle(refund, "refunded", first=chain.hanne, second=finn).state == State.REFUNDED
    own = LedgerEntry.objects.filter(refund=refund).order_by("pk").values_list("kind", flat=True)
    assert list(own) == ["reserve", "void", "correction"]
    assert balances(refund) == (25_000, 0, 5_000, False)


def test_what_counts_already_and_was_taken_back_is_uncounted(
    chain: Chain, refund: Refund, finn: User, order: Order, travel: Any
) -> None:
    refunded_after_all(chain, refund, order)
    log_event(chain, refund, 25_000, key_of(refund), success=False)
    travel(timedelta(hours=13))
    assert settle(refund, "declined", first=chain.hanne, second=finn).state == State.DECLINED
    own = LedgerEntry.objects.filter(refund=refund).order_by("pk").values_list("kind", flat=True)
    assert list(own) == ["reserve", "void", "correction", "reversal"]
    assert balances(refund) == (0, 0, 5_000, False)
    assert not ledger.is_corrected(refund)


def test_the_end_wakes_what_waited_behind_the_hold(
    chain: Chain, refund: Refund, finn: User, order: Order, travel: Any
) -> None:
    waiting = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    given_up(chain, refund, travel)
    assert run(waiting).state == State.QUEUED, "the order is on hold"
    Outbox.objects.all().delete()
    settle(refund, "declined", first=chain.hanne, second=finn)
    assert list(Outbox.objects.values_list("refund_id", flat=True)) == [waiting.pk]
    assert again(waiting).state == State.REFUNDED


def test_another_review_keeps_the_hold(chain: Chain, refund: Refund, finn: User, order: Order, travel: Any) -> None:
    other = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    given_up(chain, refund, travel)
    Refund.objects.filter(pk=other.pk).update(state=State.REVIEW)
    settle(refund, "declined", first=chain.hanne, second=finn)
    assert balances(refund) == (0, 0, 10_000, True)


def test_an_orphan_keeps_the_hold(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    given_up(chain, refund, travel)
    log_event(chain, refund, 30_000, "rh1-" + "f" * 36)
    assert settle(refund, "declined", first=chain.hanne, second=finn).state == State.DECLINED
    assert balances(refund) == (0, 30_000, 0, True)


def test_asking_again_settles_what_the_log_shows_plainly(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    given_up(chain, refund, travel)
    look(refund, who=chain.hanne)
    proposal = propose(refund, "declined", who=chain.hanne)
    log_event(chain, refund, 25_000, key_of(refund))
    assert look(refund, who=finn).state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, True)
    with pytest.raises(NotInReview):
        confirm(proposal, who=finn)


def test_a_question_that_waits_is_not_asked_twice(chain: Chain, refund: Refund, finn: User, travel: Any) -> None:
    given_up(chain, refund, travel)
    first = review.look_again(refund.pk, asker=chain.hanne, by=access.actor_for(chain.hanne))
    assert review.look_again(refund.pk, asker=finn, by=access.actor_for(finn)) == first
    assert told(refund).count("review.vipps_asked") == 1
    looking.look(first.pk, by=hub("worker"))
    assert review.look_again(refund.pk, asker=finn, by=access.actor_for(finn)) != first


@pytest.mark.parametrize(
    ("kind", "problem"), [(FaultKind.DROP_BEFORE, "unsure"), (FaultKind.UNAUTHORIZED, "unauthorized")]
)
def test_a_look_that_fails_says_so_and_can_be_asked_again(
    chain: Chain, refund: Refund, travel: Any, kind: FaultKind, problem: str
) -> None:
    given_up(chain, refund, travel)
    chain.simulator.arm(Fault(kind=kind, operation="get", times=None))
    look(refund, who=chain.hanne)
    assert LookRequest.objects.get().problem == problem
    chain.simulator.disarm()
    look(refund, who=chain.hanne)
    assert LookRequest.objects.latest("pk").problem == ""


def test_a_look_without_keys_says_so(chain: Chain, refund: Refund, travel: Any) -> None:
    given_up(chain, refund, travel)
    unit = chain.units["BGO"]
    unit.key_set = None
    unit.save()
    look(refund, who=chain.hanne)
    assert LookRequest.objects.get().problem == "no_keys"


def test_the_sweep_asks_where_no_worker_hears(chain: Chain, refund: Refund, travel: Any, monkeypatch: Any) -> None:
    given_up(chain, refund, travel)
    request = review.look_again(refund.pk, asker=chain.hanne, by=access.actor_for(chain.hanne))
    monkeypatch.setattr("stores.nudge.publish", lambda *_: False)
    assert looking.ring_due(by=hub("sweep")) == 0, "it may still be on its way to a worker"
    travel(timedelta(seconds=5))
    assert looking.ring_due(by=hub("sweep")) == 1
    request.refresh_from_db()
    assert request.answered_at is not None
    assert looking.ring_due(by=hub("sweep")) == 0


def test_a_message_that_is_lost_is_made_good_by_the_sweep(
    chain: Chain, refund: Refund, travel: Any, monkeypatch: Any
) -> None:
    given_up(chain, refund, travel)
    request = review.look_again(refund.pk, asker=chain.hanne, by=access.actor_for(chain.hanne))
    rung: list[str] = []

    def taken(_task: str, row: str) -> bool:
        rung.append(row)
        return True

    monkeypatch.setattr("stores.nudge.publish", taken)
    for seconds in (5, 5, 31, 31):
        travel(timedelta(seconds=seconds))
        looking.ring_due(by=hub("sweep"))
    request.refresh_from_db()
    assert rung == [str(request.pk), str(request.pk)]
    assert request.answered_at is not None, "after a minute the sweep asks itself"
