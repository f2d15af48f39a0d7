"""A wish for a refund comes in here: it is judged, and reserved with the same stroke. Nothing here speaks with Vipps."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils.translation import gettext_lazy as _

from refunds import identity, judging, ledger, lines, nudges, policy, queries, wishes
from refunds.errors import Denied, DisputedCapture, KeyReused, PossibleDuplicate
from refunds.events import KeyReused as KeyReusedEvent
from refunds.events import RefundAccepted
from refunds.judging import Asked, Judged, Known
from refunds.lines import Wanted
from refunds.models import FAILED, Kind, Refund, State
from stores import access, audit, clock
from stores.access import Asker, Right
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Forbidden, HubError, NotFound
from stores.models import Order, Store, StoreSystem, User
from stores.money import Money

DUPLICATE_WINDOW = timedelta(minutes=10)
client_of = judging.client_of
_IS_RELEASED = Q(kind=Kind.RELEASE) & ~Q(state__in=FAILED)


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The refund, and whether this request made it or repeated an earlier one."""

    refund: Refund
    is_new: bool


def request_refund(
    order_id: uuid.UUID,
    money: Money,
    *,
    reason: str,
    reason_text: str = "",
    refunding_store: Store,
    client_id: str,
    request_key: str,
    asker: Asker,
    by: Actor,
    goods: Wanted | None = None,
    has_receipt: bool = True,
    confirms_duplicate: bool = False,
    confirms_dispute: bool = False,
) -> Accepted:
    """Accept a refund of the order with that public id, or return the one the same request made before.

    `goods` says how much of which line goes back, where the till sent lines; without them only money does.
    Raises Forbidden, NotFound, ReasonNeeded, Denied (its code says which rule), Invalid (unknown_line, invalid_quantity),
    DisputedCapture, PossibleDuplicate, KeyReused. Nothing is written unless it is accepted; the money is reserved, and the
    goods are taken, in the same transaction.
    """
    order = order_of_wish(order_id, refunding_store=refunding_store, asker=asker)
    words = wishes.clean_words(reason, reason_text)
    wishes.check_request_key(request_key)
    refund_id = identity.refund_id(client_id, request_key)
    wish = identity.fingerprint(
        {
            "order": str(order.public_id),
            "amount_minor": money.amount_minor,
            "currency": money.currency,
            "reason": reason,
            "reason_text": words,
            **({"goods": lines.as_wish(goods)} if goods else {}),
            **({} if has_receipt else {"has_receipt": False}),  # left out as before there was one: a retry stays the same
        }
    )

    def accept() -> Refund:
        known = judging.known_of(order)
        wishes.check_reason(reason, words, book=known.book)  # after the replay: a reason may have gone since it was accepted
        asked = Asked(
            order=order,
            refunding_store=refunding_store,
            asker=asker,
            cashier=by.cashier,
            reason=reason,
            has_receipt=has_receipt,
        )
        judged = judging.judge_refund(asked, money, known=known)
        if judged.allowed.disputed_minor and not confirms_dispute:
            raise DisputedCapture(disputed_minor=judged.allowed.disputed_minor)
        refund = Refund(
            id=refund_id,
            order=order,
            amount_minor=money.amount_minor,
            currency=money.currency,
            reason=reason,
            reason_text=words,
            has_receipt=has_receipt,
            refunding_store=refunding_store,
            **asked_by(asker, by=by),
            client_id=client_id,
            client_key=request_key,
            fingerprint=wish,
        )
        _accept(refund, money, goods or {}, asked, judged, confirms_duplicate=confirms_duplicate, by=by)
        return refund

    return once(refund_id, wish, accept, by=by)


def order_of_wish(order_id: uuid.UUID, *, refunding_store: Store, asker: Asker) -> Order:
    """The order with that public id, of which the asker may wish something in that store. Raises Forbidden, NotFound."""
    access.require(asker, Right.REQUEST_REFUND, store=refunding_store)
    if not refunding_store.is_open:
        raise Forbidden(_("This store is closed in the hub."))
    order = access.order_for(asker, order_id)
    if order.store.company_id != refunding_store.company_id:
        raise NotFound(_("There is no such order."))  # whoever works for two chains still keeps them apart
    return order


def asked_by(asker: Asker, *, by: Actor) -> dict[str, Any]:
    """Who wishes it, as a refund's columns."""
    return {
        "requested_by": asker if isinstance(asker, User) else None,
        "requested_by_system": asker if isinstance(asker, StoreSystem) else None,
        "cashier": by.cashier,
    }


def once(refund_id: uuid.UUID, wish: str, accept: Callable[[], Refund], *, by: Actor) -> Accepted:
    """What this very request made before, or else what `accept` makes of it now. Raises KeyReused, and what `accept` raises.

    Of two of it at once the slower one may be refused because of the other (its money is gone, its amount was asked for a
    moment ago): that is its own refund, and no refusal.
    """
    earlier = replayed(refund_id, wish, by=by)
    if earlier is not None:
        return Accepted(refund=earlier, is_new=False)
    try:
        return Accepted(refund=accept(), is_new=True)
    except (IntegrityError, HubError):
        earlier = replayed(refund_id, wish, by=by)
        if earlier is None:
            raise
        return Accepted(refund=earlier, is_new=False)


def _accept(
    refund: Refund,
    money: Money,
    goods: Wanted,
    asked: Asked,
    judged: Judged,
    *,
    confirms_duplicate: bool,
    by: Actor,
) -> None:
    """T1, one durable transaction: reservation, refund, its lines, ledger entry, trail entry, outbox row.

    The account's lock comes first, so that of two equal wishes at once one sees the other; where sums of a day are limited
    their locks are next, and the wish is judged anew, so that of two within a limit one sees the other too.
    """
    order, store = refund.order, refund.refunding_store
    with transaction.atomic(durable=True):
        ledger.open_account(order)
        ledger.locked_account(order.pk)
        if Refund.objects.filter(pk=refund.pk).exists():
            raise IntegrityError("the same request was first")
        if not confirms_duplicate and (question := possible_duplicate(order, money)) is not None:
            raise question
        earlier = Refund.objects.filter(order=order).aggregate(last=Max("number"), releases=Count("pk", filter=_IS_RELEASED))
        if earlier["releases"]:
            raise Denied(policy.RELEASED.sentence, code=policy.RELEASED.code, left_minor=0)
        sold = lines.left_of_lines(order) if goods else []
        lines.check(sold, goods, amount_minor=money.amount_minor)
        if judging.lock_sums(asked, money, book=judged.rulebook):
            judged = judging.judge_refund(asked, money, known=judging.known_of(order, book=judged.rulebook))
        note_verdict(refund, judged)
        refund.number = (earlier["last"] or 0) + 1
        refund.accepted_at = refund.moved_at = refund.next_action_at = clock.db_now()
        refund.save(force_insert=True)
        lines.keep(refund, sold, goods)
        if not ledger.reserve(refund):
            left = queries.left_of(order)
            code = "on_hold" if left.on_hold else "exceeds_left"
            sentence = _("Somebody else was quicker: less is left of the order now than a moment ago.")
            raise Denied(sentence, code=code, field="amount", left_minor=left.left_minor)
        if refund.state == State.QUEUED:
            nudges.announce(refund.pk)
        audit.record(
            RefundAccepted(
                refund=str(refund),
                reference=order.reference,
                amount=str(money),
                amount_minor=money.amount_minor,
                currency=money.currency,
                refunding=str(store),
                reason=f"{refund.reason}: {refund.reason_text}" if refund.reason_text else refund.reason,
                reason_label=label_of(refund, judged),
                state=refund.state,
                policy=judged.rulebook.number,
                needs_approval_of=refund.needs_approval_of,
                breaches=refund.breaches,
            ),
            by=by,
            company=store.company,
            store=order.store,
            about=Subject(type="refund", id=str(refund.pk)),
            refunding_store=store,
        )


def decide(
    order: Order,
    money: Money,
    *,
    refunding_store: Store,
    asker: Asker,
    cashier: str = "",
    reason: str = "",
    has_receipt: bool = True,
    known: Known | None = None,
) -> policy.Allowed:
    """What policy says at this moment; changes nothing. `known` is what the page has read already.

    Raises Denied, and ReasonNeeded for a reason that is none.
    """
    known = known or judging.known_of(order)
    if reason and known.book.reason(reason) is None:
        wishes.check_reason(reason, "", book=known.book)
    asked = Asked(
        order=order,
        refunding_store=refunding_store,
        asker=asker,
        cashier=cashier,
        reason=reason,
        has_receipt=has_receipt,
    )
    return judging.judge_refund(asked, money, known=known).allowed


def note_verdict(new: Refund, judged: Judged) -> None:
    """Say on a row that is not written yet what judged it and whose yes it needs; with none it is queued."""
    tier = judged.allowed.needs_approval_of
    new.policy_version_id = judged.rulebook.version_id
    new.breaches = [breach.as_facts() for breach in judged.allowed.breaches]
    new.needs_approval_of = tier or ""
    new.state = State.AWAITING_APPROVAL if tier else State.QUEUED


def label_of(refund: Refund, judged: Judged) -> str:
    """The reason in English, for readers of the trail long after it may be chosen no longer."""
    reason = judged.rulebook.reason(refund.reason)
    return reason.labels["en"] if reason else refund.reason


def replayed(refund_id: uuid.UUID, wish: str, *, by: Actor) -> Refund | None:
    """The refund this very request made before. Raises KeyReused when the key belongs to another wish (and records it)."""
    found = Refund.objects.select_related("order__store", "refunding_store__company").filter(pk=refund_id).first()
    if found is None or found.fingerprint == wish:
        return found
    with transaction.atomic():
        audit.record(
            KeyReusedEvent(refund=str(found)),
            by=by,
            company=found.refunding_store.company,
            store=found.order.store,
            about=Subject(type="refund", id=str(found.pk)),
            refunding_store=found.refunding_store,
        )
    raise KeyReused


def possible_duplicate(order: Order, money: Money) -> PossibleDuplicate | None:
    """The question whether this is another return, where the same amount of the order was asked for minutes ago."""
    now = clock.db_now()
    recent = Refund.objects.filter(order=order, amount_minor=money.amount_minor, accepted_at__gte=now - DUPLICATE_WINDOW)
    named = recent.select_related("refunding_store", "requested_by", "requested_by_system__store")
    return duplicate_among(named, money, now=now)


def duplicate_among(refunds: Iterable[Refund], money: Money, *, now: datetime) -> PossibleDuplicate | None:
    """The same, of an order whose refunds are read already, with who asked for them."""
    alike = [
        refund
        for refund in refunds
        if refund.amount_minor == money.amount_minor
        and refund.accepted_at >= now - DUPLICATE_WINDOW
        and refund.state not in FAILED
    ]
    if not alike:
        return None
    recent = max(alike, key=lambda refund: refund.accepted_at)
    return PossibleDuplicate(
        _("The same amount of this order was refunded a few minutes ago. Is this another return?"),
        refund_id=recent.pk,
        number=recent.number,
        store=recent.refunding_store.name,
        asked_by=recent.cashier or str(recent.requested_by or recent.requested_by_system),
        accepted_at=recent.accepted_at,
        state=recent.state,
    )
