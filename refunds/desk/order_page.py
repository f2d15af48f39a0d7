"""The order: what is left of it, and the form that asks for a refund."""

import json
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from refunds import lines, overview
from refunds.desk import confirmation, order_rows, rows, wording
from refunds.desk.amounts import parse_amount
from refunds.desk.confirmation import Confirmation
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import RefundForm, read_goods
from refunds.overview import Overview
from stores.errors import HubError
from stores.orders import record_opening


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """The order with a fresh form; opening another store's order leaves an entry in that store's trail.

    The page does not wait for Vipps, which is asked meanwhile.
    """
    seen = look_at(desk, order_id)
    record_opening(seen.order, store=desk.store, by=desk.by)
    asked = confirmation.ask(seen.order, now=desk.now)
    return order_page(request, desk, seen, RefundForm.fresh(desk.rulebook), asked=asked)


@require_GET
@for_cashiers
def confirmed(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """What Vipps has said since the page opened (a fragment); nothing (204) while it has not answered.

    With the answer comes whatever it changed, and the amount is looked at again. Where that is what the page is for, the page
    is loaded anew.
    """
    seen = look_at(desk, order_id)
    said = confirmation.answer(seen.order, since=request.GET.get("since", ""), now=desk.now)
    if said.is_waiting:
        return HttpResponse(status=204)
    page = {**_facts(desk, seen), "asked": said, "is_fragment": True}
    answer = render(request, "desk/_confirmed.html", page)
    answer.headers["HX-Trigger"] = "balance-changed"
    if request.GET.get("shape", "") != page["shape"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


@require_GET
@for_cashiers
def check_amount(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """What the typed amount or the ticked goods would leave, said while it is typed (a fragment).

    Asked by the goods, it answers as well what they come to, for the amount's field.
    """
    seen = look_at(desk, order_id)
    left = seen.left
    by_goods, typed = request.GET.get("by") == "goods", request.GET.get("amount", "").strip()
    try:
        goods = read_goods(request.GET)
        if by_goods and not goods:
            return _hint(request, "", fills="")
        comes_to = lines.comes_to_minor(seen.lines, goods, left_minor=left.left_minor)
    except ValueError:
        return _hint(request, "")
    try:
        minor = comes_to if by_goods else parse_amount(typed)
    except ValueError:
        return _hint(request, _("Write an amount such as 250 or 250,50.") if typed else "", is_too_much=True)
    fills = wording.typed_money(minor) if by_goods else None
    if minor == 0:
        return _hint(request, _("The amount must be more than zero."), is_too_much=True, fills=fills)
    if minor > left.left_minor:
        most = wording.money(left.left_minor, left.currency)
        return _hint(request, _("More than is left: at most %(left)s.") % {"left": most}, is_too_much=True, fills=fills)
    costs = lines.cost_at_most_minor(seen.lines, goods)
    if goods and minor > costs:
        most = wording.money(costs, left.currency)
        return _hint(request, _("More than these goods cost: at most %(most)s.") % {"most": most}, is_too_much=True)
    said = _("%(amount)s back to the customer, %(after)s left after that.") % {
        "amount": wording.money(minor, left.currency),
        "after": wording.money(left.left_minor - minor, left.currency),
    }
    return _hint(request, said, fills=fills)


def look_at(desk: Desk, order_id: uuid.UUID) -> Overview:
    """The order and all that is said of it; what she has under way is read with it. Raises NotFound."""
    seen = overview.overview_of(desk.user, order_id, store=desk.store, now=desk.now)
    desk.known_under_way = seen.under_way
    return seen


def order_page(
    request: HttpRequest,
    desk: Desk,
    seen: Overview,
    form: RefundForm,
    *,
    asked: Confirmation | None = None,
    problem: HubError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The order with `form` as she left it, and what was wrong, in place."""
    page = {
        **_facts(desk, seen),
        "form": form,
        "problem": problem,
        "goods": order_rows.goods_of(seen.lines, seen.order.currency, _chosen(form)),
        "asked": asked or confirmation.known(seen.order, now=desk.now),
    }
    return render(request, "desk/order.html", page, status=problem.status if problem else status)


def _facts(desk: Desk, seen: Overview) -> dict[str, Any]:
    """What stands on the page and may change under her hands."""
    order, left = seen.order, seen.left
    balance = order_rows.balance_of(order, left, now=desk.now)
    return {
        "desk": desk,
        "order": order,
        "releasable": wording.money(left.releasable_minor, left.currency) if left.releasable_minor else "",
        "disputed": wording.money(seen.disputed_minor, order.currency) if seen.disputed_minor else "",
        "balance": balance,
        "shape": f"{balance.is_open:d}{balance.is_released:d}{left.releasable_minor > 0:d}{seen.disputed_minor > 0:d}",
        "all_that_is_left": wording.typed_money(left.left_minor),
        "paid": wording.day_and_time(order.paid_at),
        "amount": wording.money(order.amount_minor, order.currency),
        "earlier": rows.refund_rows(seen.refunds),
        "outside": order_rows.outside_of(seen.outside, order.currency),
    }


def _chosen(form: RefundForm) -> Any:
    try:
        return read_goods(form.data) if form.is_bound else {}
    except ValueError:
        return {}


def _hint(request: HttpRequest, said: str, *, is_too_much: bool = False, fills: str | None = None) -> HttpResponse:
    answer = render(request, "desk/_amount.html", {"hint": said, "is_too_much": is_too_much})
    if fills is not None:
        answer.headers["HX-Trigger"] = json.dumps({"fill-amount": {"amount": fills}})
    return answer
