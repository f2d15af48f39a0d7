"""From the filled form to an accepted refund: say once more what will happen, then ask for it once."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from refunds import intake, lines, queries
from refunds.desk import approval_words, order_rows, wording
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import RefundForm, new_request_key
from refunds.desk.order_page import look_at, order_page
from refunds.desk.pressing import pressed
from refunds.errors import DisputedCapture, PossibleDuplicate
from refunds.judging import Known
from refunds.models import Refund, State
from refunds.overview import Overview
from refunds.policy import Allowed
from stores.errors import HubError
from stores.money import Money


@require_http_methods(["GET", "POST"])
@for_cashiers
def confirm(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """Name the sum, the goods, the store that sold and where the money goes; nothing has been asked for yet."""
    if request.method == "GET":
        return redirect("desk:order", order_id)
    seen = look_at(desk, order_id)
    form = RefundForm(request.POST, book=desk.rulebook)
    if not form.is_valid():
        return order_page(request, desk, seen, form, status=400)
    if "change" in request.POST:
        return order_page(request, desk, seen, form)
    try:
        money = _checked(seen, form)
        known = Known(left=seen.left, disputed_minor=seen.disputed_minor, now=desk.now, book=desk.rulebook)
        allowed = intake.decide(
            seen.order,
            money,
            refunding_store=desk.store,
            asker=desk.user,
            reason=form.cleaned_data["reason"],
            has_receipt=not form.cleaned_data["without_receipt"],
            known=known,
        )
    except HubError as problem:
        return order_page(request, desk, seen, form, problem=problem)
    twin = intake.duplicate_among(seen.refunds, money, now=desk.now)
    return _confirmation(request, desk, seen, form, twin=twin, allowed=allowed)


@require_http_methods(["GET", "POST"])
@for_cashiers
def refund(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """Ask for the refund under the page's key, so that a second press meets the first one's refund."""
    if request.method == "GET":
        return redirect("desk:order", order_id)
    seen = look_at(desk, order_id)
    form = RefundForm(request.POST, book=desk.rulebook)
    if not form.is_valid():
        return order_page(request, desk, seen, form, status=400)
    asked = form.cleaned_data
    try:
        accepted = intake.request_refund(
            seen.order.public_id,
            _checked(seen, form),
            reason=asked["reason"],
            reason_text=asked["reason_text"],
            refunding_store=desk.store,
            client_id=intake.client_of(desk.user, desk.store),
            request_key=asked["request_key"],
            asker=desk.user,
            by=desk.by,
            goods=asked["goods"],
            has_receipt=not asked["without_receipt"],
            confirms_duplicate=asked["confirms_duplicate"],
            confirms_dispute=asked["confirms_dispute"],
        )
    except HubError as problem:
        if isinstance(problem, PossibleDuplicate):
            return _confirmation(request, desk, seen, form, twin=problem, status=problem.status)
        if isinstance(problem, DisputedCapture):
            return _confirmation(request, desk, seen, form, status=problem.status)
        return order_page(request, desk, seen, _as_typed(request, form, problem), problem=problem)
    return pressed(request, accepted.refund)


def _checked(seen: Overview, form: RefundForm) -> Money:
    """The sum of goods that can go back so. Raises as `lines.check`."""
    money = _money(seen, form)
    lines.check(seen.lines, form.cleaned_data["goods"], amount_minor=money.amount_minor)
    return money


def _money(seen: Overview, form: RefundForm) -> Money:
    """The amount, or what the goods come to where she wrote none."""
    asked = form.cleaned_data
    if asked["amount"] is not None:
        return Money(amount_minor=asked["amount"], currency=seen.order.currency)
    comes_to = lines.comes_to_minor(seen.lines, asked["goods"], left_minor=seen.left.left_minor)
    return Money(amount_minor=comes_to, currency=seen.order.currency)


def _confirmation(
    request: HttpRequest,
    desk: Desk,
    seen: Overview,
    form: RefundForm,
    *,
    twin: PossibleDuplicate | None = None,
    allowed: Allowed | None = None,
    status: int = 200,
) -> HttpResponse:
    """`twin` is the refund that this one would repeat: then the page asks first, and nothing is asked for by a slip.

    `allowed` says which limits it breaks: the page then names who may allow it.
    """
    asked, order, money = form.cleaned_data, seen.order, _money(seen, form)
    amount = wording.money(money.amount_minor, money.currency)
    page: dict[str, Any] = {
        "desk": desk,
        "order": order,
        "form": form,
        "typed": wording.typed_money(money.amount_minor),
        "goods": order_rows.chosen_goods(seen.lines, asked["goods"]),
        "chosen": [(number, f"{quantity.normalize():f}") for number, quantity in asked["goods"].items()],
        "twin": _in_words(twin, desk, seen, amount) if twin else None,
        "disputed": wording.money(seen.disputed_minor, order.currency) if seen.disputed_minor else "",
        "paid": wording.day_and_time(order.paid_at),
        "amount": amount,
        "reason": next(reason.label for reason in form.reasons if reason.code == asked["reason"]),
        "where_it_goes": wording.where_it_goes(order.sales_unit.market),
        "when_it_arrives": wording.WHEN_IT_ARRIVES,
    }
    if allowed is not None:
        page |= approval_words.needs_of(allowed, order, store=desk.store, asker=desk.user, reason=page["reason"])
    return render(request, "desk/confirm.html", page, status=status)


def _in_words(twin: PossibleDuplicate, desk: Desk, seen: Overview, amount: str) -> dict[str, Any]:
    """The earlier refund: who asked for it, when, in which store and how it goes; its page where she may see it."""
    facts: dict[str, Any] = twin.facts
    said = {
        "who": facts["asked_by"],
        "amount": amount,
        "time": wording.time_of_day(facts["accepted_at"]),
        "store": facts["store"],
        "number": facts["number"],
        "state": State(facts["state"]).label,
    }
    return {
        "sentence": _("%(who)s asked for %(amount)s of this order at %(time)s in %(store)s (R%(number)s: %(state)s).") % said,
        "refund": _hers_to_see(facts["refund_id"], desk, seen),
    }


def _hers_to_see(refund_id: uuid.UUID, desk: Desk, seen: Overview) -> Refund | None:
    """Asked of the database only where what is read already does not say so."""
    hers = {store.pk for store in desk.stores}
    for known in seen.refunds:
        if known.pk == refund_id and hers & {known.refunding_store_id, seen.order.store_id}:
            return known
    return queries.refunds_visible_to(desk.user).filter(pk=refund_id).first()


def _as_typed(request: HttpRequest, form: RefundForm, problem: HubError) -> RefundForm:
    """The same form; with a new key only where the old one already belongs to another refund."""
    if problem.code != "key_reused":
        return form
    typed = request.POST.copy()
    typed["request_key"] = new_request_key()
    return RefundForm(typed, book=form.book)
