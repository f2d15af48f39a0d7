"""What the tests of reviews share: more people at headquarters, ways into review, and looks at Vipps by a worker."""

from datetime import timedelta
from typing import Any

from refunds import looking, review, states
from refunds.models import LedgerEntry, Refund, ReviewProposal, State
from stores import access, people
from stores.actors import hub
from stores.models import Order, Role, User
from tests.conftest import Chain
from tests.refunds.asking import run
from tests.refunds.proving import balances, key_of, log_event, lose

NOTE = "Asked the customer and the shop"


def at_hq(chain: Chain, username: str, role: Role = Role.FINANCE) -> User:
    """Somebody else at headquarters."""
    user = User.objects.create(username=username, first_name=username.title())
    people.join_headquarters(user, chain.company, role=role, by=chain.by)
    return user


def given_up(chain: Chain, refund: Refund, travel: Any) -> Refund:
    """Sent once, never answered, and unknown for a day: in review by T14."""
    lose(chain)
    assert run(refund).state == State.UNKNOWN
    travel(timedelta(hours=25))
    assert states.move(refund, states.T14_TOO_OLD, by=hub("sweep"), because="still unknown after 24 hours")
    refund.refresh_from_db()
    return refund


def with_events(chain: Chain, refund: Refund, *amounts: int) -> Refund:
    """Vipps' log shows such successes under our key, which a look takes for no plain yes: in review by T12."""
    lose(chain)
    run(refund)
    for amount in amounts:
        log_event(chain, refund, amount, key_of(refund))
    Refund.objects.filter(pk=refund.pk).update(next_action_at=refund.accepted_at)
    assert run(refund).state == State.REVIEW
    return refund


def look(refund: Refund, *, who: User) -> Refund:
    """She asks again, and a worker does it."""
    request = review.look_again(refund.pk, asker=who, by=access.actor_for(who))
    looking.look(request.pk, by=hub("worker"))
    refund.refresh_from_db()
    return refund


def propose(refund: Refund, ends_as: str, *, who: User, note: str = NOTE) -> ReviewProposal:
    return review.propose_end(refund.pk, ends_as=ends_as, note=note, asker=who, by=access.actor_for(who))


def confirm(proposal: ReviewProposal, *, who: User) -> Refund:
    return review.confirm_end(proposal.pk, asker=who, by=access.actor_for(who))


def settle(refund: Refund, ends_as: str, *, first: User, second: User) -> Refund:
    """Look, propose, confirm."""
    look(refund, who=first)
    return confirm(propose(refund, ends_as, who=first), who=second)


def snapshot(refund: Refund) -> tuple[Any, ...]:
    """All that a refusal must leave alone."""
    refund.refresh_from_db()
    entries = LedgerEntry.objects.filter(order=refund.order_id).count()
    verdicts = tuple(ReviewProposal.objects.filter(refund=refund).order_by("pk").values_list("verdict", flat=True))
    return refund.state, refund.moved_at, balances(refund), entries, verdicts


def at_vipps(chain: Chain, order: Order) -> int:
    """What Vipps itself has refunded of the order."""
    return chain.simulator.payment(order.sales_unit.msn, order.reference).sums().refunded
