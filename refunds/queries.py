"""Reading refunds: what is left of an order, whose refunds one may see, and how it is going in plain words."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from refunds.errors import RefundNotFound
from refunds.models import ENDS, OrderAccount, Refund, State
from stores import access, clock
from stores.access import Asker, Right
from stores.models import Order, Store, StoreSystem, User

_WITH = ("order__store", "order__sales_unit", "refunding_store", "requested_by", "requested_by_system")


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """Money on its way back, anywhere in the chain. Minor units."""

    refund_id: uuid.UUID
    amount_minor: int
    store_name: str
    state: State


@dataclass(frozen=True, kw_only=True)
class Left:
    """What can still be refunded of one order, minor units of `currency`.

    `captured_minor` is Vipps' figure where `is_confirmed`, else the store's claim.
    """

    captured_minor: int
    posted_minor: int
    external_minor: int
    reserved_minor: int
    left_minor: int
    currency: str
    on_hold: bool
    is_confirmed: bool
    in_flight: tuple[InFlight, ...] = ()


Tone = Literal["waiting", "done", "no", "unsure"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a refund is going, for people: a word, a sentence, and when the hub looks again."""

    headline: str | Promise
    explanation: str | Promise
    is_final: bool
    tone: Tone
    next_check_at: datetime | None = None


def left_of(order: Order) -> Left:
    """What is left of one order, with what is in flight."""
    return lefts_of([order])[order.pk]


def lefts_of(orders: Iterable[Order]) -> dict[int, Left]:
    """What is left of each order, by the order's primary key; two queries however many orders."""
    by_id = {order.pk: order for order in orders}
    accounts = OrderAccount.objects.in_bulk(by_id)
    flights: dict[int, list[InFlight]] = {}
    moving = Refund.objects.filter(order__in=by_id).exclude(state__in=ENDS).select_related("refunding_store")
    for refund in moving.order_by("accepted_at"):
        flights.setdefault(refund.order_id, []).append(
            InFlight(
                refund_id=refund.pk,
                amount_minor=refund.amount_minor,
                store_name=refund.refunding_store.name,
                state=State(refund.state),
            )
        )
    return {pk: _left(order, accounts.get(pk), tuple(flights.get(pk, ()))) for pk, order in by_id.items()}


def _left(order: Order, account: OrderAccount | None, in_flight: tuple[InFlight, ...]) -> Left:
    posted, external, reserved = (
        (account.posted_minor, account.external_minor, account.reserved_minor) if account else (0, 0, 0)
    )
    return Left(
        captured_minor=order.amount_minor,
        posted_minor=posted,
        external_minor=external,
        reserved_minor=reserved,
        left_minor=max(0, order.amount_minor - posted - external - reserved),
        currency=order.currency,
        on_hold=account.on_hold if account else False,
        is_confirmed=order.captured_minor is not None,
        in_flight=in_flight,
    )


def refunds_visible_to(asker: Asker) -> QuerySet[Refund]:
    """A store sees what it refunded and what was refunded of its own sales; headquarters sees its chain."""
    refunds = Refund.objects.select_related(*_WITH)
    if isinstance(asker, StoreSystem):
        if not access.may(asker, Right.SEE_STORE_REFUNDS) and not access.may(asker, Right.REQUEST_REFUND):
            return refunds.none()
        return refunds.filter(refunding_store=asker.store_id)
    if isinstance(asker, User):
        places = Q(refunding_store__in=access.stores_of(asker)) | Q(order__store__in=access.stores_of(asker))
        if access.may(asker, Right.SEE_HQ):
            places |= Q(refunding_store__company=access.company_of(asker))
        return refunds.filter(places)
    assert_never(asker)


def refund_for(asker: Asker, refund_id: uuid.UUID) -> Refund:
    """One refund the asker may see. Raises RefundNotFound, the same for absent and forbidden."""
    refund = refunds_visible_to(asker).filter(pk=refund_id).first()
    if refund is None:
        raise RefundNotFound
    return refund


def refund_by_key(system: StoreSystem, request_key: str) -> Refund:
    """The refund that this store system asked for under that request key. Raises RefundNotFound."""
    refund = refunds_visible_to(system).filter(client_id=str(system.public_id), client_key=request_key).first()
    if refund is None:
        raise RefundNotFound
    return refund


def refunds_of(order: Order) -> QuerySet[Refund]:
    """Every refund of an order, newest first."""
    return order.refunds.select_related(*_WITH).order_by("-accepted_at")


def refunds_today(user: User, store: Store) -> QuerySet[Refund]:
    """What she has refunded in this store since midnight there, newest first."""
    midnight = clock.db_now().astimezone(ZoneInfo(store.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Refund.objects.select_related(*_WITH).filter(requested_by=user, refunding_store=store)
    return mine.filter(accepted_at__gte=midnight).order_by("-accepted_at")


def progress_of(refund: Refund) -> Progress:
    """The straight answer, for each state."""
    state = State(refund.state)
    match state:
        case State.AWAITING_APPROVAL:
            return _waiting(_("Waits for approval"), _("A manager or headquarters has to allow this refund."), None)
        case State.QUEUED:
            return _waiting(_("Queued"), _why_queued(refund), refund.next_action_at)
        case State.SENDING:
            return _waiting(_("On its way to Vipps"), _("The refund is being sent."), refund.lease_until)
        case State.UNKNOWN:
            return Progress(
                headline=_("We are finding out"),
                explanation=_why_unknown(refund),
                is_final=False,
                tone="unsure",
                next_check_at=refund.next_action_at,
            )
        case State.REVIEW:
            return Progress(
                headline=_("With headquarters"),
                explanation=_("Do not repeat it. Two people at headquarters are looking into it and will settle it."),
                is_final=False,
                tone="unsure",
            )
        case State.REFUNDED:
            return Progress(
                headline=_("Refunded"),
                explanation=_("Vipps has confirmed the refund."),
                is_final=True,
                tone="done",
            )
        case State.DECLINED:
            return _no(_("Vipps said no"), _DECLINED.get(refund.outcome, _DECLINED_OTHERWISE))
        case State.REJECTED:
            return _no(_("Not approved"), _("Nothing was refunded. Ask the person who decided."))
        case State.CANCELLED:
            return _no(_("Cancelled"), _("Nothing was sent to Vipps and nothing was refunded."))
        case _:
            assert_never(state)


def _waiting(headline: Promise, explanation: Promise, next_check_at: datetime | None) -> Progress:
    return Progress(
        headline=headline, explanation=explanation, is_final=False, tone="waiting", next_check_at=next_check_at
    )


def _no(headline: Promise, explanation: Promise) -> Progress:
    return Progress(headline=headline, explanation=explanation, is_final=True, tone="no")


def _why_queued(refund: Refund) -> Promise:
    return _QUEUED.get(refund.outcome, _("The refund is accepted and the money is set aside. It goes out in a moment."))


def _why_unknown(refund: Refund) -> Promise:
    if refund.verdict == "reject":
        return _(
            "Not refunded so far, still being confirmed. Do not repeat it: the amount stays set aside until it is certain."
        )
    return _("Vipps did not answer. Do not repeat it: the hub asks Vipps until it knows, and the customer gets it once.")


_NO_KEYS = _("Accepted, but the selling store's Vipps keys do not work now. Headquarters has to mend them; it then goes out.")
_BUSY = _("Vipps is busy with this payment. The refund is accepted and goes out in a moment.")
_UNREACHABLE = _("Vipps cannot be reached now. The refund is accepted and goes out as soon as it can.")
_QUEUED: dict[str, Promise] = {
    "no_keys": _NO_KEYS,
    "keys_unreadable": _NO_KEYS,
    "unauthorized": _NO_KEYS,
    "locked": _BUSY,
    "throttled": _BUSY,
    "paced": _BUSY,
    "vipps_6160": _BUSY,
    "vipps_VippsError 94": _BUSY,
    "not_sent": _UNREACHABLE,
    "unsure": _UNREACHABLE,
}

_DECLINED_OTHERWISE = _("Vipps refused the refund and nothing was refunded. Headquarters can see Vipps' own code.")
_ALREADY = _("The order was already refunded outside the hub. Nothing was refunded now; look in the store's own records.")
_MORE_THAN_LEFT = _("Less is left of the payment at Vipps than you asked for. Nothing was refunded; try a smaller amount.")
_ONLY_RESERVED = _("The money was never taken, only reserved. Nothing to refund; the selling store must release it.")
_IN_ANOTHER_STATE = _("The payment is in a state in which Vipps does not refund it. Nothing was refunded; ask headquarters.")
_OLDER_THAN_A_YEAR = _("The payment is older than 365 days. Vipps no longer refunds it; settle with the customer otherwise.")
_DECLINED: dict[str, Promise] = {
    "refunded_elsewhere": _ALREADY,
    "vipps_6180": _ALREADY,
    "exceeds_captured": _MORE_THAN_LEFT,
    "vipps_6150": _MORE_THAN_LEFT,
    "vipps_Payment 71": _MORE_THAN_LEFT,
    "not_captured": _ONLY_RESERVED,
    "vipps_6020": _ONLY_RESERVED,
    "vipps_Payment 72": _ONLY_RESERVED,
    "vipps_6210": _IN_ANOTHER_STATE,
    "vipps_Payment 73": _IN_ANOTHER_STATE,
    "vipps_6220": _OLDER_THAN_A_YEAR,
    "vipps_Payment 95": _OLDER_THAN_A_YEAR,
    "payment_not_found": _("Vipps does not know this payment. Nothing was refunded; check the number on the receipt."),
    "store_misconfigured": _("Vipps does not let the hub act for the selling store. Nothing was refunded; ask headquarters."),
    "other_currency": _("The payment is in another currency at Vipps. Nothing was refunded; ask headquarters."),
}
