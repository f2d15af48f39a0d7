"""Releasing a reservation: say what will happen, ask why, and ask for it once."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from refunds import intake, release_intake
from refunds.desk import wording
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import RefundForm, ReleaseForm, new_request_key
from refunds.desk.order_page import look_at, order_page
from refunds.desk.pressing import pressed
from refunds.judging import Known
from refunds.overview import Overview
from stores.errors import HubError


@require_http_methods(["GET", "POST"])
@for_cashiers
def release(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """The page that confirms, and its press: under the page's key, so that a second one meets the first one's release."""
    seen = look_at(desk, order_id)
    order = seen.order
    if request.method == "GET":
        return _confirmation(request, desk, seen, ReleaseForm(initial={"request_key": new_request_key()}, book=desk.rulebook))
    form = ReleaseForm(request.POST, book=desk.rulebook)
    if not form.is_valid():
        return _confirmation(request, desk, seen, form, status=400)
    asked = form.cleaned_data
    try:
        accepted = release_intake.request_release(
            order.public_id,
            reason=asked["reason"],
            reason_text=asked["reason_text"],
            refunding_store=desk.store,
            client_id=intake.client_of(desk.user, desk.store),
            request_key=asked["request_key"],
            asker=desk.user,
            by=desk.by,
        )
    except HubError as problem:
        return _order_again(request, desk, seen, problem)
    return pressed(request, accepted.refund)


def _confirmation(request: HttpRequest, desk: Desk, seen: Overview, form: ReleaseForm, *, status: int = 200) -> HttpResponse:
    order = seen.order
    try:
        known = Known(left=seen.left, disputed_minor=seen.disputed_minor, now=desk.now, book=desk.rulebook)
        verdict = release_intake.decide(order, refunding_store=desk.store, asker=desk.user, known=known)
    except HubError as problem:
        return _order_again(request, desk, seen, problem)
    page = {
        "desk": desk,
        "order": order,
        "form": form,
        "paid": wording.day_and_time(order.paid_at),
        "amount": wording.money(order.releasable_minor, order.currency),
        "needs_approval": verdict.needs_approval_of is not None,
        "when_it_is_free": wording.WHEN_IT_IS_FREE,
    }
    return render(request, "desk/release.html", page, status=status)


def _order_again(request: HttpRequest, desk: Desk, seen: Overview, problem: HubError) -> HttpResponse:
    """What is not released stands on the order's page, with why."""
    return order_page(request, desk, seen, RefundForm.fresh(desk.rulebook), problem=problem)
