"""A refund as it goes: honest progress until the end, the paper to hand over, and who may say yes."""

import uuid
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from refunds import allowing, approving, beside, queries
from refunds.desk import approval_words, rows, wording
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import new_request_key, read_id
from refunds.handing_over import kind_of_paper
from refunds.models import Kind, Refund, State
from refunds.progress import progress_of
from stores import pins
from stores.errors import HubError
from stores.events import PinUse

_NEWS = timedelta(seconds=10)
"""So long after its end a refund that was quicker than its page is still announced with a sound."""
_STEPS = {State.AWAITING_APPROVAL: 0, State.QUEUED: 1, State.SENDING: 2, State.UNKNOWN: 2, State.REVIEW: 2}


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk, refund_id: uuid.UUID) -> HttpResponse:
    """The whole page; it can be left and found again, nothing is lost."""
    return _page(request, desk, queries.refund_for(desk.user, refund_id))


@require_GET
@for_cashiers
def progress(request: HttpRequest, desk: Desk, refund_id: uuid.UUID) -> HttpResponse:
    """Where it stands, for a page that looks every second; nothing (204) while nothing has moved."""
    refund = queries.refund_for(desk.user, refund_id)
    if request.GET.get("seen") == _mark(refund):
        return HttpResponse(status=204)
    return render(request, "desk/_progress.html", {**_words(refund, desk), "is_fragment": True})


@require_http_methods(["GET", "POST"])
@for_cashiers
def decide(request: HttpRequest, desk: Desk, refund_id: uuid.UUID) -> HttpResponse:
    """Approve, reject or cancel a refund that waits; a refusal stands on the refund's own page.

    Whoever allows at the till where it was asked for proves once more that she is another person (T2).
    """
    if request.method == "GET":
        return redirect("desk:refund", refund_id)
    refund = queries.refund_for(desk.user, refund_id)
    try:
        match request.POST.get("decision"):
            case "approve":
                if desk.shares_till_with(refund.requested_by):
                    pins.prove(desk.user, request.POST.get("pin", ""), use=PinUse.ALLOW, by=desk.by)
                seen = request.POST.get("seen", "")
                approving.approve_refund(refund.pk, asker=desk.user, by=desk.by, seen=seen, at_most=allowing.AT_THE_DESK)
            case "reject":
                approving.reject_refund(refund.pk, note=request.POST.get("note", ""), asker=desk.user, by=desk.by)
            case "cancel":
                approving.cancel_refund(refund.pk, asker=desk.user, by=desk.by)
    except HubError as problem:
        return _page(request, desk, queries.refund_for(desk.user, refund_id), problem=problem)
    return redirect("desk:refund", refund.pk)


@require_http_methods(["GET", "POST"])
@for_cashiers
def allow_here(request: HttpRequest, desk: Desk, refund_id: uuid.UUID) -> HttpResponse:
    """A manager who stands beside her allows it with her own PIN; a refusal stands on the refund's own page."""
    if request.method == "GET":
        return redirect("desk:refund", refund_id)
    try:
        beside.allow_here(
            refund_id,
            manager_id=read_id(request.POST.get("manager", "")),
            pin=request.POST.get("pin", ""),
            seen=request.POST.get("seen", ""),
            till=beside.Till(cashier=desk.user, store=desk.store, by=desk.by),
        )
    except HubError as problem:
        return _page(request, desk, queries.refund_for(desk.user, refund_id), problem=problem)
    return redirect("desk:refund", refund_id)


@require_GET
@for_cashiers
def today(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What she has refunded today in this store, and what waits for a yes there."""
    mine = queries.refunds_today(desk.user, desk.store, now=desk.now).select_related("order__store")
    waiting = (
        queries.refunds_visible_to(desk.user)
        .filter(refunding_store=desk.store, state=State.AWAITING_APPROVAL)
        .select_related("order__store")
        .order_by("accepted_at")[:50]
    )
    page = {"desk": desk, "mine": rows.refund_rows(list(mine)), "waiting": rows.refund_rows(list(waiting))}
    return render(request, "desk/today.html", page)


def _page(request: HttpRequest, desk: Desk, refund: Refund, *, problem: HubError | None = None) -> HttpResponse:
    page = {**_words(refund, desk), "problem": problem}
    return render(request, "desk/refund.html", page, status=problem.status if problem else 200)


def _words(refund: Refund, desk: Desk) -> dict[str, Any]:
    """What page and fragment show: how it goes, and the paper to hand over."""
    desk.shown_already = refund.pk
    said = progress_of(refund)
    order = refund.order
    is_done = refund.state in (State.REFUNDED, State.RELEASED)
    return {
        "desk": desk,
        "refund": refund,
        "order": order,
        "mark": _mark(refund),
        "progress": said,
        "is_done": is_done,
        "is_release": refund.kind == Kind.RELEASE,
        "step": 3 if is_done else _STEPS.get(State(refund.state), -1),
        "amount": wording.money(refund.shown_minor, refund.currency),
        "accepted": wording.day_and_time(refund.accepted_at),
        "paid": wording.day_and_time(order.paid_at),
        "next_check": wording.time_of_day(said.next_check_at) if said.next_check_at else "",
        "is_news": refund.ended_at is not None and desk.now - refund.ended_at < _NEWS,
        "ended": wording.time_of_day(refund.ended_at) if refund.ended_at else "",
        "where_it_goes": wording.where_it_goes(order.sales_unit.market),
        "when_it_arrives": wording.WHEN_IT_ARRIVES,
        "when_it_is_free": wording.WHEN_IT_IS_FREE,
        "paper": kind_of_paper(refund),
        "press": new_request_key(),
        **_choices(refund, desk),
    }


def _choices(refund: Refund, desk: Desk) -> dict[str, Any]:
    """While it waits for a yes: why, whose, until when, and her own buttons; the verbs behind them check again."""
    if refund.state == State.REJECTED:
        return {"refusal": approval_words.refusal_of(refund)}
    if refund.state != State.AWAITING_APPROVAL:
        return {}
    is_hers = refund.requested_by_id == desk.user.pk
    authority = None if is_hers else allowing.authority(desk.user, refund)
    may_allow = authority is not None and allowing.is_enough(allowing.AT_THE_DESK, refund)
    return {
        "waits": approval_words.waits_of(refund, is_readers=may_allow, now=desk.now),
        "may_allow": may_allow,
        "asked_here": may_allow and desk.shares_till_with(refund.requested_by),
        "may_refuse": authority is not None,
        "may_cancel": is_hers,
    }


def _mark(refund: Refund) -> str:
    return f"{refund.state}-{refund.fence}-{refund.sends}"
