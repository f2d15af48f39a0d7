"""The machine's part: claim, look, write the intent, call, record. No transaction is open during a call."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from refunds import deciding, gateway, identity, ledger, reconciliation, states
from refunds.claims import Claim, claim_refund, standing_of, take
from refunds.deciding import Books, Reading, Standing
from refunds.events import RefundIntended
from refunds.gateway import Meaning, Outcome
from refunds.models import Answer, Attempt, OrderAccount, Refund, State
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
    """A committed attempt, not yet sent; `committed_at` is monotonic."""

    attempt: Attempt
    committed_at: float


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
    was_sent = claim.refund.sends > 0
    try:
        reading = reconciliation.read_order(
            session, claim.order, refund=claim.refund, with_events=was_sent, by=by
        )
    except VippsError as error:
        _give_up_reading(claim, error)
        return
    standing = standing_of(claim)
    if reading.events is not None:
        found = deciding.resolve(standing, reading, books_of(OrderAccount.objects.get(order=claim.order)), clock.db_now())
        if found is not None:
            take(claim, found)
            return
    _send(claim, session, standing, reading)


def books_of(account: OrderAccount) -> Books:
    """The order's balances, as the decisions take them."""
    return Books(
        posted_minor=account.posted_minor,
        external_minor=account.external_minor,
        reserved_minor=account.reserved_minor,
        on_hold=account.on_hold,
    )


def _send(claim: Claim, session: VippsSession, standing: Standing, reading: Reading) -> None:
    intent = _write_intent(claim, standing, reading)
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
    _record(claim, standing, intent.attempt, outcome)


def _write_intent(claim: Claim, standing: Standing, reading: Reading) -> Intent | None:
    """T6: the attempt, committed before the call. None when it may not be sent (the refund has then been moved)."""
    with transaction.atomic(durable=True):
        account = ledger.locked_account(claim.order.pk)
        now = clock.db_now()
        obstacle = deciding.before_sending(
            standing, reading, books_of(account), now, recent_sends=_recent_sends(claim, now)
        )
        if obstacle is not None:
            take(claim, obstacle)
            return None
        attempt = _insert_attempt(claim, refunded_before_minor=reading.payment.aggregate.refunded)
        if attempt is None:
            return None
    return Intent(attempt=attempt, committed_at=clock.monotonic())


def _recent_sends(claim: Claim, now: datetime) -> list[datetime]:
    """The last minute's sends of this order, oldest first: Vipps counts them by payment, whoever asked."""
    sent = Attempt.objects.filter(refund__order=claim.order, intended_at__gt=now - deciding.A_MINUTE)
    return list(sent.order_by("intended_at").values_list("intended_at", flat=True))


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


def _record(claim: Claim, standing: Standing, attempt: Attempt, outcome: Outcome) -> None:
    """Keep the answer, and make the move it stands for; success counts from any worker, all else needs the fence."""
    with transaction.atomic(durable=True):
        now = clock.db_now()
        Answer.objects.create(
            attempt=attempt,
            kind=outcome.meaning,
            status=outcome.status,
            code=outcome.code,
            trace_id=outcome.trace_id,
            took_ms=outcome.took_ms,
            answered_at=now,
        )
        step = deciding.after_answer(standing, outcome, intended_at=attempt.intended_at, now=now)
        take(claim, step, attempt=attempt.number)


def _give_up_reading(claim: Claim, error: VippsError) -> None:
    outcome = gateway.outcome_of(error)
    if outcome.meaning is Meaning.UNAUTHORIZED:
        _drop_keys(claim)
    is_unknown = payments.is_unknown(error)
    take(claim, deciding.after_failed_reading(standing_of(claim), outcome, is_unknown=is_unknown, now=clock.db_now()))


def _drop_keys(claim: Claim) -> None:
    """Vipps refused the keys: the next claim opens them anew, as they then are."""
    if claim.order.sales_unit.key_set_id is not None:
        sessions.forget(claim.order.sales_unit.key_set_id)
