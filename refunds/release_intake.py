"""People ask here for a reservation to be released; approving, rejecting and withdrawing are the refunds' own (`approving`)."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Max

from refunds import identity, intake, judging, ledger, nudges, pausing, policy, release_policy, wishes
from refunds.events import ReleaseAccepted
from refunds.intake import Accepted
from refunds.judging import Asked, Judged, Known
from refunds.models import Kind, Refund, State
from stores import audit, clock
from stores.access import Asker
from stores.actors import Actor
from stores.audit import Subject
from stores.models import Order, Store, User
from stores.money import Money


def request_release(
    order_id: uuid.UUID,
    *,
    reason: str,
    reason_text: str = "",
    refunding_store: Store,
    client_id: str,
    request_key: str,
    asker: Asker,
    by: Actor,
) -> Accepted:
    """Accept the release of all that is reserved for the order with that public id, or return the one asked for before.

    Raises Forbidden, NotFound, ReasonNeeded, Denied (its code says which rule), KeyReused. It sets no money aside: no other
    refund of the order is accepted while it is open, nor it while one is.
    """
    order = intake.order_of_wish(order_id, refunding_store=refunding_store, asker=asker)
    words = wishes.clean_words(reason, reason_text)
    wishes.check_request_key(request_key)
    refund_id = identity.refund_id(client_id, request_key)
    wish = _fingerprint(order, reason, words)

    def accept() -> Refund:
        judged = _judge(order, refunding_store=refunding_store, asker=asker, reason=reason)
        wishes.check_reason(reason, words, book=judged.rulebook)
        release = Refund(
            id=refund_id,
            order=order,
            kind=Kind.RELEASE,
            amount_minor=0,
            uncaptured_minor=order.releasable_minor,
            currency=order.currency,
            reason=reason,
            reason_text=words,
            refunding_store=refunding_store,
            **intake.asked_by(asker, by=by),
            client_id=client_id,
            client_key=request_key,
            fingerprint=wish,
        )
        intake.note_verdict(release, judged)
        _accept(release, judged, asker=asker, by=by)
        return release

    return intake.once(refund_id, wish, accept, by=by)


def decide(order: Order, *, refunding_store: Store, asker: Asker, known: Known | None = None) -> policy.Allowed:
    """What policy says of a release at this moment; changes nothing. Raises Denied."""
    return _judge(order, refunding_store=refunding_store, asker=asker, known=known).allowed


def _judge(
    order: Order, *, refunding_store: Store, asker: Asker, reason: str = "", known: Known | None = None
) -> Judged:
    known = known or judging.known_of(order)
    left, book, key_set = known.left, known.book, order.sales_unit.key_set
    asked = Asked(order=order, refunding_store=refunding_store, asker=asker, reason=reason)
    verdict = release_policy.decide(
        release_policy.ReleaseFacts(
            reference=order.reference,
            currency=order.currency,
            captured_minor=order.captured_minor,
            uncaptured_minor=order.releasable_minor,
            is_released=left.is_released or left.is_being_released,
            has_refund_in_flight=bool(left.in_flight),
            is_paused=pausing.is_paused(
                order, refunding_store=refunding_store, person=asker if isinstance(asker, User) else None
            ),
            is_on_hold=left.on_hold,
            has_keys=key_set is not None and key_set.has_keys,
            breaches=judging.breaches_of_release(asked, order.releasable_minor, order.currency, book=book, now=known.now),
        )
    )
    return Judged(allowed=judging.allowed(verdict, left_minor=left.left_minor), rulebook=book)


def _fingerprint(order: Order, reason: str, words: str) -> str:
    wish = {"kind": Kind.RELEASE.value, "order": str(order.public_id), "reason": reason, "reason_text": words}
    return identity.fingerprint(wish)


def _accept(release: Refund, judged: Judged, *, asker: Asker, by: Actor) -> None:
    """R1, one durable transaction. Under the account's lock policy is asked again: a refund may have been quicker."""
    order, store = release.order, release.refunding_store
    with transaction.atomic(durable=True):
        ledger.open_account(order)
        ledger.locked_account(order.pk)
        if Refund.objects.filter(pk=release.pk).exists():
            raise IntegrityError("the same request was first")
        decide(order, refunding_store=store, asker=asker)
        release.number = (Refund.objects.filter(order=order).aggregate(last=Max("number"))["last"] or 0) + 1
        release.accepted_at = release.moved_at = release.next_action_at = clock.db_now()
        release.save(force_insert=True)
        if release.state == State.QUEUED:
            nudges.announce(release.pk)
        reserved = Money(amount_minor=release.shown_minor, currency=release.currency)
        audit.record(
            ReleaseAccepted(
                refund=str(release),
                reference=order.reference,
                amount=str(reserved),
                amount_minor=reserved.amount_minor,
                currency=reserved.currency,
                refunding=str(store),
                reason=f"{release.reason}: {release.reason_text}" if release.reason_text else release.reason,
                reason_label=intake.label_of(release, judged),
                state=release.state,
                policy=judged.rulebook.number,
                needs_approval_of=release.needs_approval_of,
                breaches=release.breaches,
            ),
            by=by,
            company=store.company,
            store=order.store,
            about=Subject(type="refund", id=str(release.pk)),
            refunding_store=store,
        )
