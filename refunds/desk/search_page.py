"""Find the order: whatever the customer has in hand, to one order or to a choice by store."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from refunds import following, overview, queries
from refunds.desk import rows
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import AskVippsForm, SearchForm
from stores import access, search
from stores.discovery import questions
from stores.errors import HubError
from stores.models import Order
from stores.search import Found

NEWEST = 3
SOLD = 6


@require_GET
@for_cashiers
def find(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The search field, and the answer when something was asked; one hit for what was typed opens at once."""
    form = SearchForm(request.GET, company=desk.store.company)
    page: dict[str, Any] = {"desk": desk, "form": form, "typed": request.GET.get("q", "")}
    if not (page["typed"].strip() or form.has_filters):
        return render(request, "desk/search.html", {**page, **_nothing_asked(desk)})
    if (on_paper := _on_paper(desk, page["typed"])) is not None:
        return on_paper
    if not form.is_valid():
        return render(request, "desk/search.html", page, status=400)
    try:
        found = _found(desk, form.cleaned_data)
    except HubError as problem:
        return render(request, "desk/search.html", {**page, "problem": problem}, status=problem.status)
    orders = [hit.order for hit in found.hits]
    is_certain = len(orders) == 1 and not found.is_alike
    if is_certain and page["typed"].strip() and not form.cleaned_data["cursor"]:
        return redirect("desk:order", orders[0].public_id)
    page |= {**_answer(desk, found, orders), "more": _more(request, found)}
    return render(request, "desk/search.html", {**page, "asking": _asking(desk, form, found)})


def _asking(desk: Desk, form: SearchForm, found: Found) -> AskVippsForm | None:
    """A form to ask Vipps with, where nothing is written as it was typed and that may be a whole reference."""
    if found.hits and not found.is_alike:
        return None
    store = form.cleaned_data["store"]
    typed = (text for text in search.references_in(form.cleaned_data["q"]) if questions.is_whole_reference(text, store=store))
    reference = next(typed, "")
    if not reference:
        return None
    initial = {"reference": reference, "store": store.name if store else ""}
    return AskVippsForm(initial=initial, company=desk.store.company)


@require_GET
@for_cashiers
def store_names(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The chain's stores, for the field to offer while one types (a fragment, fetched when the field is entered)."""
    names = desk.store.company.stores.order_by("name", "code").values_list("name", flat=True)
    return render(request, "desk/_store_names.html", {"names": list(names)})


def _nothing_asked(desk: Desk) -> dict[str, Any]:
    """What most of today's customers come with: what she has just done, and what her store has just sold."""
    hers = overview.hers_lately(desk.user, store=desk.store, now=desk.now)
    desk.known_under_way = [
        refund for refund in hers if overview.is_hers_under_way(refund, desk.user, store=desk.store, now=desk.now)
    ]
    since = queries.midnight_in(desk.store, desk.now)
    newest = [refund for refund in hers if refund.accepted_at >= since][:NEWEST]
    sold = queries.bought_today(desk.store, now=desk.now, most=SOLD)
    return {
        "newest": rows.refund_rows(newest),
        "sold": rows.hits_of(sold, now=desk.now),
        "day": timezone.localdate(desk.now).isoformat(),
    }


def _on_paper(desk: Desk, typed: str) -> HttpResponse | None:
    """To what the hub's own paper is about: the refund, or its order where the refund is between two other stores."""
    refund = following.refund_on_paper(typed.strip())
    if refund is None:
        return None
    if queries.refunds_visible_to(desk.user).filter(pk=refund.pk).exists():
        return redirect("desk:refund", refund.pk)
    order = access.visible_orders(desk.user).filter(pk=refund.order_id).first()
    return redirect("desk:order", order.public_id) if order is not None else None


def _found(desk: Desk, asked: dict[str, Any]) -> Found:
    return search.find_orders(
        asked["q"],
        asker=desk.user,
        store=asked["store"],
        amount_minor=asked["amount"],
        day=asked["day"],
        cursor=asked["cursor"],
    )


def _answer(desk: Desk, found: Found, orders: list[Order]) -> dict[str, Any]:
    is_one_reference = len({order.ref_key for order in orders}) == 1
    return {
        "found": found,
        "hits": rows.hits_of(orders, now=desk.now),
        "is_choice_of_store": is_one_reference and len({order.store_id for order in orders}) == len(orders) > 1,
    }


def _more(request: HttpRequest, found: Found) -> str:
    """The query string of the next page, or nothing."""
    if not found.next_cursor:
        return ""
    asked = request.GET.copy()
    asked["cursor"] = found.next_cursor
    return asked.urlencode()
