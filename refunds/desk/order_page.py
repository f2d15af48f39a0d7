"""The order: what is left of it, and the form that asks for a refund."""

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from refunds import queries
from refunds.desk import rows, wording
from refunds.desk.amounts import parse_amount
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import RefundForm, new_request_key
from stores import access, audit, settled
from stores.errors import HubError
from stores.events import OrderOpened
from stores.models import Order


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """The order with a fresh form; opening another store's order leaves an entry in that store's trail."""
    order = access.order_for(desk.user, order_id)
    _record_opening(order, desk)
    return order_page(request, desk, order, RefundForm(initial={"request_key": new_request_key()}))


@require_GET
@for_cashiers
def check_amount(request: HttpRequest, desk: Desk, order_id: uuid.UUID) -> HttpResponse:
    """What the typed amount would leave, said while it is typed (a fragment)."""
    left = queries.left_of(access.order_for(desk.user, order_id))
    try:
        minor = parse_amount(request.GET.get("amount", ""))
    except ValueError:
        return render(request, "desk/_amount.html", {"hint": "", "is_too_much": False})
    if minor > left.left_minor:
        said = _("More than is left: at most %(left)s.") % {"left": wording.money(left.left_minor, left.currency)}
    else:
        after = wording.money(left.left_minor - minor, left.currency)
        said = _("%(amount)s back to the customer, %(after)s left after that.") % {
            "amount": wording.money(minor, left.currency),
            "after": after,
        }
    return render(request, "desk/_amount.html", {"hint": said, "is_too_much": minor > left.left_minor})


def order_page(
    request: HttpRequest,
    desk: Desk,
    order: Order,
    form: RefundForm,
    *,
    problem: HubError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The order with `form` as she left it, and what was wrong, in place."""
    left = queries.left_of(order)
    disputed_minor = settled.disputed_minor(order)
    page: dict[str, Any] = {
        "desk": desk,
        "order": order,
        "form": form,
        "problem": problem,
        "releasable": wording.money(left.releasable_minor, left.currency) if left.releasable_minor else "",
        "disputed": wording.money(disputed_minor, order.currency) if disputed_minor else "",
        "balance": rows.balance_of(order, left),
        "all_that_is_left": wording.typed_money(left.left_minor),
        "paid": wording.day_and_time(order.paid_at),
        "amount": wording.money(order.amount_minor, order.currency),
        "confirmed": wording.day_and_time(order.confirmed_at) if order.confirmed_at else "",
        "lines": rows.lines_of(order),
        "earlier": rows.refund_rows(list(queries.refunds_of(order).select_related("refunding_store"))),
    }
    return render(request, "desk/order.html", page, status=problem.status if problem else status)


def _record_opening(order: Order, desk: Desk) -> None:
    if order.store_id == desk.store.pk:
        return
    opened = OrderOpened(reference=order.reference, code=order.store.code, from_code=desk.store.code)
    with transaction.atomic():
        audit.record(
            opened,
            by=desk.by,
            company=order.store.company,
            store=order.store,
            about=audit.Subject(type="order", id=str(order.public_id)),
            refunding_store=desk.store,
        )
