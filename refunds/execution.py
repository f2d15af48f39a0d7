"""The machine's part: claim, look, write the intent, call, record. No transaction is open during a call."""

import uuid

from django.db import transaction

from refunds import deciding, gateway, reconciliation, releasing, states
from refunds.attempts import keep_answer, write_intent
from refunds.claims import Claim, books_of, claim_refund, drop_keys, heed, standing_of, take
from refunds.deciding import Reading, Standing
from refunds.gateway import Meaning, Outcome
from refunds.models import Attempt, Kind, OrderAccount, Refund
from stores import clock, sessions
from stores.actors import Actor
from stores.errors import HubError
from stores.vipps import payments
from stores.vipps.errors import VippsError
from stores.vipps.session import VippsSession

_LOOKS_IN_ONE_GO = 4
_LONGEST_PAUSE_SECONDS = 2.5


def run_until_rest(refund_id: uuid.UUID, *, by: Actor) -> None:
    """Run a refund; while its next step is seconds away, stay with it, so that a cashier need not wait for the sweep."""
    for _ in range(_LOOKS_IN_ONE_GO):
        run(refund_id, by=by)
        waiting = Refund.objects.filter(pk=refund_id, state__in=states.T5_CLAIM.before).values_list("next_action_at")
        next_action = waiting.first()
        if next_action is None:
            return
        pause = (next_action[0] - clock.db_now()).total_seconds()
        if pause > _LONGEST_PAUSE_SECONDS:
            return
        clock.sleep(max(pause, 0))


def run(refund_id: uuid.UUID, *, by: Actor) -> None:
    """One step: whatever can be found out or done about this refund now. Not due or not free: does nothing."""
    claim = claim_refund(refund_id, by=by)
    if claim is None:
        return
    try:
        session = sessions.open_session(claim.order.sales_unit, by=by, why=f"refund {claim.refund}")
    except HubError as error:
        take(claim, deciding.without_keys(standing_of(claim), error.code, clock.db_now()))
        return
    # Of a release the log always: sums may lag, and what a cancel would let go must not be taken already.
    needs_log = claim.refund.sends > 0 or claim.is_after_restore or claim.refund.kind == Kind.RELEASE
    try:
        reading = reconciliation.read_order(session, claim.order, refund=claim.refund, with_events=needs_log, by=by)
    except VippsError as error:
        _give_up_reading(claim, error)
        return
    heed(claim, None)
    if claim.refund.kind == Kind.RELEASE:
        releasing.go_on(claim, session, reading)
        return
    standing = standing_of(claim)
    if reading.events is not None:
        found = deciding.resolve(standing, reading, books_of(OrderAccount.objects.get(order=claim.order)), clock.db_now())
        if found is not None:
            take(claim, found)
            return
    _send(claim, session, standing, reading)


def _send(claim: Claim, session: VippsSession, standing: Standing, reading: Reading) -> None:
    intent = write_intent(
        claim,
        standing,
        reading,
        amount_minor=claim.refund.amount_minor,
        before_minor=deciding.refunded_before(reading, books_of(OrderAccount.objects.get(order=claim.order))),
    )
    if intent is None:
        return
    outcome = gateway.send_refund(
        session,
        claim.order,
        amount_minor=intent.attempt.amount_minor,
        key=intent.attempt.provider_key,
        refunded_before_minor=intent.attempt.refunded_before_minor,
        send_before=intent.written_at + states.SEND_WITHIN_SECONDS,
    )
    if outcome.meaning is Meaning.UNAUTHORIZED:
        drop_keys(claim)
    _record(claim, standing, intent.attempt, outcome)
    heed(claim, outcome)


def _record(claim: Claim, standing: Standing, attempt: Attempt, outcome: Outcome) -> None:
    """Keep the answer, and make the move it stands for; success counts from any worker, all else needs the fence."""
    with transaction.atomic(durable=True):
        keep_answer(attempt, outcome)
        step = deciding.after_answer(standing, outcome, intended_at=attempt.intended_at, now=clock.db_now())
        take(claim, step, attempt=attempt.number)


def _give_up_reading(claim: Claim, error: VippsError) -> None:
    outcome = gateway.outcome_of(error)
    if outcome.meaning is Meaning.UNAUTHORIZED:
        drop_keys(claim)
    is_unknown = payments.is_unknown(error)
    take(claim, deciding.after_failed_reading(standing_of(claim), outcome, is_unknown=is_unknown, now=clock.db_now()))
    heed(claim, outcome, is_unknown=is_unknown)
