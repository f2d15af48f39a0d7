"""T15: a refund in review ends by two people, each with the right, on what Vipps showed after it came there.

Nobody is exempt, and nothing here speaks with Vipps: asking again is a row that a worker picks up (`looking`).
"""

import uuid
from functools import partial

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from refunds import evidence, holds, ledger, looking, queries, snapshots, states
from refunds.errors import (
    EvidenceChanged,
    Involved,
    NoProposal,
    NotInReview,
    ProposalOpen,
    ProposerMayNot,
    ReasonNeeded,
    RefundNotFound,
    SecondPersonNeeded,
)
from refunds.events import ReviewEndDecided, ReviewEndProposed, VippsAskedAgain
from refunds.models import ENDINGS, Ending, Kind, LookRequest, Refund, ReviewProposal, State, Verdict
from refunds.notes import clean_note
from refunds.release_moves import R15_RELEASED, row_for
from refunds.snapshots import Snapshot
from stores import access, audit, clock, nudge
from stores.access import Right
from stores.actors import Actor
from stores.audit import Subject
from stores.events import TrailEvent
from stores.models import User

SETTLED_BY_PEOPLE = "settled_by_people"
_MOVES = {
    Ending.REFUNDED: states.T15_REFUNDED,
    Ending.RELEASED: R15_RELEASED,
    Ending.DECLINED: states.T15_DECLINED,
}


def look_again(refund_id: uuid.UUID, *, asker: User, by: Actor) -> LookRequest:
    """Let a worker ask Vipps again; a question that waits already is not asked twice.

    Raises RefundNotFound, Forbidden, NotInReview.
    """
    refund = _visible(refund_id, asker)
    with transaction.atomic(durable=True):
        _lock_in_review(refund)
        waiting = LookRequest.objects.filter(refund=refund, answered_at=None).first()
        if waiting is not None:
            return waiting
        request = LookRequest.objects.create(refund=refund, asked_by=asker, asked_at=clock.db_now())
        # robust: the question stands, whatever becomes of the message
        transaction.on_commit(partial(nudge.publish, looking.TASK, str(request.pk)), robust=True)
        _tell(refund, VippsAskedAgain(refund=str(refund)), by)
    return request


def propose_end(refund_id: uuid.UUID, *, ends_as: str, note: str, asker: User, by: Actor) -> ReviewProposal:
    """The first person: say how it ended and why one thinks so.

    Raises RefundNotFound, Forbidden, Involved, ReasonNeeded, NotInReview, ProposalOpen, LookFirst, Contradicted.
    """
    words, refund = clean_note(note), _visible(refund_id, asker)
    ending = _read_ending(ends_as, refund)
    _refuse_the_involved(refund, asker)
    with transaction.atomic(durable=True):
        _lock_in_review(refund)
        if ReviewProposal.objects.filter(refund=refund, verdict="").exists():
            raise ProposalOpen
        snapshot = snapshots.latest(refund)
        snapshots.refuse_contradiction(refund, ending, snapshot)
        proposal = ReviewProposal.objects.create(
            refund=refund,
            ends_as=ending,
            note=words,
            proposed_by=asker,
            proposed_at=clock.db_now(),
            payment=snapshot.payment,
            log=snapshot.log,
        )
        told = ReviewEndProposed(refund=str(refund), ends_as=ending.value, note=words, log=snapshot.log.digest)
        _tell(refund, told, by)
    return proposal


def confirm_end(proposal_id: int, *, asker: User, by: Actor) -> Refund:
    """The second person: the refund ends, its money is booked, and its order is free again unless something else holds it.

    Everything is looked at anew, under the locks. Raises RefundNotFound, NoProposal, Forbidden, Involved,
    SecondPersonNeeded, ProposerMayNot, NotInReview, LookFirst, EvidenceChanged, Contradicted.
    """
    refund = _refund_of(proposal_id, asker)
    with transaction.atomic(durable=True):
        _lock_in_review(refund)
        proposal = _lock_open(proposal_id)
        _refuse_the_involved(refund, asker)
        if proposal.proposed_by_id == asker.pk:
            raise SecondPersonNeeded
        if not access.may(proposal.proposed_by, Right.SETTLE_REVIEW, store=refund.order.store):
            raise ProposerMayNot
        ending, snapshot = Ending(proposal.ends_as), snapshots.latest(refund)
        if snapshot.digests != (proposal.payment.digest, proposal.log.digest):
            raise EvidenceChanged
        snapshots.refuse_contradiction(refund, ending, snapshot)
        _decide(proposal, Verdict.CONFIRMED, by=asker)
        _end(refund, proposal, ending, snapshot, asker=asker, by=by)
        _tell_decided(refund, proposal, Verdict.CONFIRMED, "", by)
    refund.refresh_from_db()
    return refund


def reject_proposal(proposal_id: int, *, note: str, asker: User, by: Actor) -> ReviewProposal:
    """The second person says no; the refund stays in review. Raises as `confirm_end` without its evidence, and ReasonNeeded."""
    words, refund = clean_note(note), _refund_of(proposal_id, asker)
    with transaction.atomic(durable=True):
        proposal = _lock_open(proposal_id)
        _refuse_the_involved(refund, asker)
        if proposal.proposed_by_id == asker.pk:
            raise SecondPersonNeeded
        _decide(proposal, Verdict.REJECTED, by=asker)
        _tell_decided(refund, proposal, Verdict.REJECTED, words, by)
    return proposal


def withdraw_proposal(proposal_id: int, *, asker: User, by: Actor) -> ReviewProposal:
    """The first person takes it back. Raises RefundNotFound, NoProposal, Forbidden."""
    refund = _refund_of(proposal_id, asker)
    with transaction.atomic(durable=True):
        proposal = _lock_open(proposal_id)
        if proposal.proposed_by_id != asker.pk:
            raise NoProposal
        _decide(proposal, Verdict.WITHDRAWN, by=None)
        _tell_decided(refund, proposal, Verdict.WITHDRAWN, "", by)
    return proposal


def _end(
    refund: Refund, proposal: ReviewProposal, ending: Ending, snapshot: Snapshot, *, asker: User, by: Actor
) -> None:
    found = evidence.found(snapshot.evidence) if ending == Ending.REFUNDED else None
    because = f"two people at headquarters settled it: {proposal.proposed_by} and {asker}: {proposal.note}"
    if not states.move(
        refund,
        row_for(refund.kind, _MOVES[ending]),
        by=by,
        because=because,
        psp_reference=found.claimed if found else "",
        outcome=SETTLED_BY_PEOPLE,
        indeterminate_since=None,
        verdict="",
    ):
        raise NotInReview
    if found is not None and found.signed:
        for reference in found.signed:
            ledger.recognise(refund.order, reference)
        ledger.true_up(refund, found.shown_minor, psp_reference=found.signed[-1])
    holds.release_after_review(refund, by=by)


def _visible(refund_id: uuid.UUID, asker: User) -> Refund:
    """The refund, to somebody who may settle it. Raises RefundNotFound, Forbidden."""
    refund = (
        queries.refunds_visible_to(asker)
        .select_related("order__store", "order__sales_unit", "refunding_store__company")
        .filter(pk=refund_id)
        .first()
    )
    if refund is None:
        raise RefundNotFound
    access.require(asker, Right.SETTLE_REVIEW, store=refund.order.store)
    return refund


def _refund_of(proposal_id: int, asker: User) -> Refund:
    refund_id = ReviewProposal.objects.filter(pk=proposal_id).values_list("refund_id", flat=True).first()
    if refund_id is None:
        raise RefundNotFound
    return _visible(refund_id, asker)


def _lock_in_review(refund: Refund) -> None:
    """Lock the order's account and the refund, and see it as it is now. Raises NotInReview."""
    ledger.locked_account(refund.order_id)
    now = Refund.objects.select_for_update(no_key=True).get(pk=refund.pk)
    if now.state != State.REVIEW:
        raise NotInReview
    refund.state, refund.moved_at, refund.indeterminate_since = now.state, now.moved_at, now.indeterminate_since


def _lock_open(proposal_id: int) -> ReviewProposal:
    proposals = ReviewProposal.objects.select_for_update(of=("self",), no_key=True)
    proposal = proposals.select_related("proposed_by", "payment", "log").filter(pk=proposal_id, verdict="").first()
    if proposal is None:
        raise NoProposal
    return proposal


def _refuse_the_involved(refund: Refund, asker: User) -> None:
    if asker.pk in (refund.requested_by_id, refund.approved_by_id):
        raise Involved


def _read_ending(ends_as: str, refund: Refund) -> Ending:
    if ends_as not in ENDINGS[Kind(refund.kind)]:
        raise ReasonNeeded(_("Say whether it was refunded or not."), field="ends_as")
    return Ending(ends_as)


def _decide(proposal: ReviewProposal, verdict: Verdict, *, by: User | None) -> None:
    proposal.verdict, proposal.decided_by, proposal.decided_at = verdict, by, clock.db_now()
    proposal.save(update_fields=["verdict", "decided_by", "decided_at"])


def _tell_decided(refund: Refund, proposal: ReviewProposal, verdict: Verdict, note: str, by: Actor) -> None:
    told = ReviewEndDecided(
        refund=str(refund),
        ends_as=proposal.ends_as,
        verdict=verdict.value,
        proposed_by=str(proposal.proposed_by),
        note=note,
    )
    _tell(refund, told, by)


def _tell(refund: Refund, event: TrailEvent, by: Actor) -> None:
    audit.record(
        event,
        by=by,
        company=refund.refunding_store.company,
        store=refund.order.store,
        about=Subject(type="refund", id=str(refund.pk)),
        refunding_store=refund.refunding_store,
    )
