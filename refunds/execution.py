"""The machine's part: claim, look, write the intent, call, record. No transaction is open during a call."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from refunds import gateway, identity, ledger, reconciliation, states
from refunds.claims import Claim, claim_refund, next_look
from refunds.events import RefundIntended
from refunds.gateway import Meaning, Outcome
from refunds.models import Answer, Attempt, Refund, State
from refunds.reconciliation import Reading, Resolution
from stores import audit, clock, sessions
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import HubError
from stores.vipps import payments
from stores.vipps.errors import VippsError
from stores.vipps.session import VippsSession

_LOOKS_IN_ONE_GO = 4
_LONGEST_PAUSE_SECONDS = 2.5


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A committed attempt, not yet sent. `committed_at` is monotonic; `unresolved_before` as it was before this send."""

    attempt: Attempt
    committed_at: float
    unresolved_before: datetime | None


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
        _step_back(claim, f"the store's keys cannot be used: {error.code}", outcome=error.code)
        return
    was_sent = claim.refund.sends > 0
    try:
        reading = reconciliation.read_order(
            session, claim.order, refund=claim.refund, with_events=was_sent, by=by
        )
    except VippsError as error:
        _give_up_reading(claim, error)
        return
    if was_sent and reconciliation.resolve(claim, reading) is Resolution.SETTLED:
        return
    _send(claim, session, reading)


def _send(claim: Claim, session: VippsSession, reading: Reading) -> None:
    intent = _write_intent(claim, reading)
    if intent is None:
        return
    outcome = gateway.send_refund(
        session,
        claim.order,
        amount_minor=intent.attempt.amount_minor,
        key=intent.attempt.provider_key,
        refunded_before_minor=intent.attempt.refunded_before_minor,
        send_before=intent.committed_at + states.SEND_WITHIN_SECONDS,
    )
    if outcome.meaning is Meaning.UNAUTHORIZED:
        _drop_keys(claim)
    _record(claim, intent, outcome)


def _write_intent(claim: Claim, reading: Reading) -> Intent | None:
    """T6: the attempt, committed before the call. None when it may not be sent (the refund has then been moved)."""
    order, refund, aggregate = claim.order, claim.refund, reading.payment.aggregate
    with transaction.atomic(durable=True):
        account = ledger.locked_account(order.pk)
        committed = account.posted_minor + account.external_minor + account.reserved_minor
        refusal = ""
        if account.on_hold:
            states.move(refund, claim.step_back, by=claim.by, because="the order is on hold", fence=claim.fence)
            return None
        if aggregate.captured == 0:
            refusal = "not_captured"
        elif committed > aggregate.captured or aggregate.refunded + refund.amount_minor > aggregate.captured:
            refusal = "refunded_elsewhere" if aggregate.refunded > account.posted_minor else "exceeds_captured"
        elif aggregate.currency != refund.currency:
            refusal = "other_currency"
        if refusal:
            _refuse_to_send(claim, refusal)
            return None
        attempt = _insert_attempt(claim, refunded_before_minor=aggregate.refunded)
        if attempt is None:
            return None
    return Intent(attempt=attempt, committed_at=clock.monotonic(), unresolved_before=claim.unresolved_since)


def _refuse_to_send(claim: Claim, refusal: str) -> None:
    because = f"Vipps' own figures do not allow it: {refusal}"
    refund = claim.refund
    if refund.sends == 0 or (claim.unresolved_since is None and refund.generation == 0):
        # Never sent, or only ever to be told "not now": nothing of ours can be in those figures.
        row = states.T10_PREFLIGHT if refund.sends == 0 else states.T10_REFUSED
        states.move(refund, row, by=claim.by, because=because, fence=claim.fence, outcome=refusal)
        return
    # It may be our own earlier send that shows in the sum: only the event log may end this.
    states.move(
        claim.refund,
        states.T12_LOOK_AGAIN,
        by=claim.by,
        because=because,
        fence=claim.fence,
        next_action_at=next_look(claim),
    )


def _insert_attempt(claim: Claim, *, refunded_before_minor: int) -> Attempt | None:
    order, refund, now = claim.order, claim.refund, clock.db_now()
    is_ours = Refund.objects.filter(
        pk=refund.pk, fence=claim.fence, state=State.SENDING, lease_until__gt=now + states.CALL_BUDGET
    ).update(sends=F("sends") + 1, indeterminate_since=now, last_send_at=now)
    if not is_ours:
        return None
    unit, key_set = order.sales_unit, order.sales_unit.key_set
    if key_set is None:
        raise RuntimeError("a session was opened without a key set")
    attempt = Attempt.objects.create(
        refund=refund,
        number=refund.sends + 1,
        generation=refund.generation,
        provider_key=identity.provider_key(
            environment=unit.environment,
            msn=unit.msn,
            reference=order.reference,
            refund=refund.pk,
            generation=refund.generation,
        ),
        fence=claim.fence,
        key_set=key_set,
        key_version=key_set.version,
        msn=unit.msn,
        amount_minor=refund.amount_minor,
        refunded_before_minor=refunded_before_minor,
        intended_at=now,
    )
    audit.record(
        RefundIntended(
            refund=str(refund),
            attempt=attempt.number,
            generation=attempt.generation,
            provider_key=attempt.provider_key,
            msn=attempt.msn,
            key_set=str(key_set),
            key_version=attempt.key_version,
        ),
        by=claim.by,
        company=refund.refunding_store.company,
        store=order.store,
        about=Subject(type="refund", id=str(refund.pk)),
        refunding_store=refund.refunding_store,
    )
    return attempt


def _record(claim: Claim, intent: Intent, outcome: Outcome) -> None:
    """Keep the answer, and make the move it stands for; success counts from any worker, all else needs the fence."""
    consequence = gateway.CONSEQUENCES[outcome.meaning]
    attempt = intent.attempt
    with transaction.atomic(durable=True):
        Answer.objects.create(
            attempt=attempt,
            kind=outcome.meaning,
            status=outcome.status,
            code=outcome.code,
            trace_id=outcome.trace_id,
            took_ms=outcome.took_ms,
            answered_at=clock.db_now(),
        )
        if outcome.meaning is Meaning.SUCCESS:
            because = "Vipps confirmed our amount"
            states.settle_as_refunded(
                claim.refund, by=claim.by, because=because, attempt=attempt.number, trace_id=outcome.trace_id
            )
            return
        was_unresolved = intent.unresolved_before is not None
        states.move(
            claim.refund,
            consequence.unresolved if was_unresolved else consequence.resolved,
            by=claim.by,
            because=_in_words(outcome),
            fence=claim.fence,
            attempt=attempt.number,
            outcome=outcome.meaning.value if not outcome.code else f"vipps_{outcome.code}",
            provider_code=outcome.code,
            trace_id=outcome.trace_id,
            verdict=consequence.verdict or claim.refund.verdict,
            indeterminate_since=attempt.intended_at if consequence.leaves_doubt else intent.unresolved_before,
            soft_refusals=claim.refund.soft_refusals + int(consequence.counts_as_soft),
            next_action_at=next_look(
                claim, at_least=outcome.retry_after, soft=consequence.resolved is states.T11_SOFT
            ),
        )


def _in_words(outcome: Outcome) -> str:
    facts = [f"HTTP {outcome.status}"] if outcome.status else []
    if outcome.code:
        facts.append(f"Vipps' code {outcome.code}")
    if outcome.detail:
        facts.append(outcome.detail)
    return f"{outcome.meaning.value} ({', '.join(facts)})" if facts else outcome.meaning.value


def _give_up_reading(claim: Claim, error: VippsError) -> None:
    """The payment could not be read, so nothing was sent under this claim."""
    meaning = gateway.meaning_of(error)
    if meaning is Meaning.UNAUTHORIZED:
        _drop_keys(claim)
    if meaning is Meaning.MISCONFIGURED and claim.refund.sends == 0:
        outcome = "payment_not_found" if payments.is_unknown(error) else "store_misconfigured"
        states.move(
            claim.refund,
            states.T10_PREFLIGHT,
            by=claim.by,
            because=f"Vipps does not give this payment to its own store: {error.code or error.status}",
            fence=claim.fence,
            outcome=outcome,
            provider_code=error.code or "",
            trace_id=gateway.trace_of(error),
        )
        return
    _step_back(
        claim,
        f"the payment could not be read: {meaning.value}",
        outcome=meaning.value,
        retry_after=error.retry_after,
        soft=meaning in (Meaning.THROTTLED, Meaning.LOCKED),
    )


def _step_back(
    claim: Claim, because: str, *, outcome: str, retry_after: float | None = None, soft: bool = False
) -> None:
    states.move(
        claim.refund,
        claim.step_back,
        by=claim.by,
        because=because,
        fence=claim.fence,
        outcome=outcome,
        next_action_at=next_look(claim, at_least=retry_after, soft=soft),
    )


def _drop_keys(claim: Claim) -> None:
    """Vipps refused the keys: the next claim opens them anew, as they then are."""
    if claim.order.sales_unit.key_set_id is not None:
        sessions.forget(claim.order.sales_unit.key_set_id)
