"""Attempts: the intent, written down before a call that may move money, and the answer, after it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from refunds import deciding, identity, ledger, states
from refunds.claims import Claim, books_of, is_being_checked, take
from refunds.deciding import Reading, Standing
from refunds.events import RefundIntended
from refunds.gateway import Outcome
from refunds.models import Answer, Attempt, Refund, State
from stores import audit, clock
from stores.audit import Subject


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A committed attempt, not yet sent.

    `written_at` is monotonic, and taken before the commit: whoever freezes between the two is too late to send as well.
    """

    attempt: Attempt
    written_at: float


def write_intent(
    claim: Claim, standing: Standing, reading: Reading, *, amount_minor: int, before_minor: int
) -> Intent | None:
    """T6: the attempt, committed before the call. None when it may not be sent (the refund has then been moved).

    `amount_minor` is what the call is about, `before_minor` what Vipps had refunded before it.
    """
    with transaction.atomic(durable=True):
        account = ledger.locked_account(claim.order.pk)
        now = clock.db_now()
        obstacle = deciding.before_sending(
            standing,
            reading,
            books_of(account),
            now,
            recent_sends=_recent_sends(claim, now),
            is_held_back=is_being_checked(claim.order.store.company_id),
        )
        if obstacle is not None:
            take(claim, obstacle)
            return None
        attempt = _insert_attempt(claim, amount_minor=amount_minor, refunded_before_minor=before_minor)
        if attempt is None:
            return None
        written_at = clock.monotonic()
    return Intent(attempt=attempt, written_at=written_at)


def keep_answer(attempt: Attempt, outcome: Outcome) -> None:
    """What came back, in our words and Vipps'."""
    Answer.objects.create(
        attempt=attempt,
        kind=outcome.meaning,
        status=outcome.status,
        code=outcome.code,
        trace_id=outcome.trace_id,
        took_ms=outcome.took_ms,
        answered_at=clock.db_now(),
    )


def _recent_sends(claim: Claim, now: datetime) -> list[datetime]:
    """The last minute's sends of this order, oldest first: Vipps counts them by payment, whoever asked."""
    sent = Attempt.objects.filter(refund__order=claim.order, intended_at__gt=now - deciding.A_MINUTE)
    return list(sent.order_by("intended_at").values_list("intended_at", flat=True))


def _insert_attempt(claim: Claim, *, amount_minor: int, refunded_before_minor: int) -> Attempt | None:
    """The intent and its trail entry, while the claim is still good for a whole call; None when it is not."""
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
        amount_minor=amount_minor,
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
