"""From the filled form to an accepted refund: say once more what will happen, then ask for it once."""

import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from refunds import intake
from refunds.desk import wording
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import RefundForm, new_request_key
from refunds.desk.order_page import order_page
from refunds.models import Reason
from stores import access, settled
from stores.errors import HubError
from stores.models import Order
from stores.money import Money

_CAN_BE_CONFIRMED = ("possible_duplicate", "disputed_capture")


@require_http_methods(["GET", "POST"])
@for_cashiers
def confirm(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """Name the sum, the store that sold and where the money goes; nothing has been asked for yet."""
    if request.method == "GET":
        return redirect("desk:order", order_id)
    order = access.order_for(desk.user, order_id)
    form = RefundForm(request.POST)
    if not form.is_valid():
        return order_page(request, desk, order, form, status=400)
    if "change" in request.POST:
        return order_page(request, desk, order, form)
    try:
        money = Money(amount_minor=form.cleaned_data["amount"], currency=order.currency)
        intake.decide(order, money, refunding_store=desk.store, asker=desk.user)
    except HubError as problem:
        return order_page(request, desk, order, form, problem=problem)
    return _confirmation(request, desk, order, form)


@require_http_methods(["GET", "POST"])
@for_cashiers
def refund(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """Ask for the refund under the page's key, so that a second press meets the first one's refund."""
    if request.method == "GET":
        return redirect("desk:order", order_id)
    order = access.order_for(desk.user, order_id)
    form = RefundForm(request.POST)
    if not form.is_valid():
        return order_page(request, desk, order, form, status=400)
    asked = form.cleaned_data
    try:
        accepted = intake.request_refund(
            order.public_id,
            Money(amount_minor=asked["amount"], currency=order.currency),
            reason=asked["reason"],
            reason_text=asked["reason_text"],
            refunding_store=desk.store,
            client_id=intake.client_of(desk.user, desk.store),
            request_key=asked["request_key"],
            asker=desk.user,
            by=desk.by,
            confirms_duplicate=asked["confirms_duplicate"],
            confirms_dispute=asked["confirms_dispute"],
        )
    except HubError as problem:
        if problem.code in _CAN_BE_CONFIRMED:
            return _confirmation(request, desk, order, form, problem=problem)
        return order_page(request, desk, order, _as_typed(form, problem), problem=problem)
    return redirect("desk:refund", accepted.refund.pk)


def _confirmation(
    request: HttpRequest, desk: Desk, order: Order, form: RefundForm, *, problem: HubError | None = None
) -> HttpResponse:
    asked = form.cleaned_data
    disputed_minor = settled.disputed_minor(order)
    page = {
        "desk": desk,
        "order": order,
        "form": form,
        "problem": problem,
        "earlier": _earlier(order, problem) if problem else "",
        "repeats": problem is not None and problem.code == "possible_duplicate",
        "disputed": wording.money(disputed_minor, order.currency) if disputed_minor else "",
        "paid": wording.day_and_time(order.paid_at),
        "amount": wording.money(asked["amount"], order.currency),
        "reason": Reason(asked["reason"]).label,
        "where_it_goes": wording.where_it_goes(order.sales_unit.market),
        "when_it_arrives": wording.WHEN_IT_ARRIVES,
    }
    return render(request, "desk/confirm.html", page, status=problem.status if problem else 200)


def _earlier(order: Order, problem: HubError) -> str:
    """The refund that this one would repeat: its number, time and store."""
    number, store, accepted_at = (problem.facts.get(name) for name in ("number", "store", "accepted_at"))
    if not isinstance(accepted_at, datetime):
        return ""
    return f"{order.reference} R{number} · {wording.time_of_day(accepted_at)} · {store}"


def _as_typed(form: RefundForm, problem: HubError) -> RefundForm:
    """The same form; with a new key only where the old one already belongs to another refund."""
    if problem.code != "key_reused":
        return form
    return RefundForm({**dict(form.data.items()), "request_key": new_request_key()})
