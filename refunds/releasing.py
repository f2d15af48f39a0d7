"""A claimed release after the look: end it by what was seen, or write the intent, call cancel, and record the answer."""

from django.db import transaction

from refunds import gateway, release_deciding, states
from refunds.attempts import keep_answer, write_intent
from refunds.claims import Claim, drop_keys, heed, standing_of, take
from refunds.deciding import Reading
from refunds.gateway import Meaning
from stores import clock
from stores.vipps.session import VippsSession


def go_on(claim: Claim, session: VippsSession, reading: Reading) -> None:
    """The rest of the step that `execution` began, under the same deadline as a refund."""
    standing = standing_of(claim)
    found = release_deciding.resolve(standing, reading, clock.db_now())
    if found is not None:
        take(claim, found)
        return
    shown = release_deciding.shown_by(reading)
    intent = write_intent(
        claim, standing, reading, amount_minor=shown.capturable, before_minor=reading.payment.aggregate.refunded
    )
    if intent is None:
        return
    outcome = gateway.send_release(
        session,
        claim.order,
        authorized_minor=shown.authorized,
        key=intent.attempt.provider_key,
        send_before=intent.written_at + states.SEND_WITHIN_SECONDS,
    )
    if outcome.meaning is Meaning.UNAUTHORIZED:
        drop_keys(claim)
    with transaction.atomic(durable=True):
        keep_answer(intent.attempt, outcome)
        step = release_deciding.after_answer(standing, outcome, intended_at=intent.attempt.intended_at, now=clock.db_now())
        take(claim, step, attempt=intent.attempt.number)
    heed(claim, outcome)
