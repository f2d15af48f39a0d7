"""Our sales refunded elsewhere: what other stores gave back of this store's sales, day by day, and what is news of it."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods

from refunds import elsewhere
from refunds.desk import rows, wording
from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import DayForm
from refunds.models import Refund

MOST_SHOWN = 200


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The last thirty days, or one day, with sums; whoever works in the store may see it, as its refunds are."""
    form = DayForm(request.GET)
    day = form.cleaned_data["day"] if form.is_valid() else None
    found = elsewhere.refunded(desk.store, day=day, now=desk.now)
    shown = list(found[: MOST_SHOWN + 1])
    mark = elsewhere.seen_until(desk.user, desk.store, now=desk.now)
    page: dict[str, Any] = {
        "desk": desk,
        "form": form,
        "day": wording.day(day) if day else "",
        "totals": _totals(found, shown),
        "refunds": [_row(row, mark) for row in rows.refund_rows(shown[:MOST_SHOWN])],
        "most": MOST_SHOWN if len(shown) > MOST_SHOWN else 0,
        **({} if day else _on_its_way(desk)),
        "until": desk.now.isoformat(),
    }
    return render(request, "desk/elsewhere.html", page, status=200 if form.is_valid() else 400)


@require_http_methods(["GET", "POST"])
@for_cashiers
def seen(request: HttpRequest, desk: Desk) -> HttpResponse:
    """She has seen what the page showed; what came in since stays news."""
    if request.method == "GET":
        return redirect("desk:elsewhere")
    until = parse_datetime(request.POST.get("until", "")) if len(request.POST.get("until", "")) < 40 else None
    if until is not None and until.tzinfo is not None:
        elsewhere.mark_seen(desk.user, desk.store, until=until)
    return redirect("desk:elsewhere")


def _on_its_way(desk: Desk) -> dict[str, Any]:
    coming = elsewhere.on_its_way(desk.store)
    shown = list(coming[: MOST_SHOWN + 1])
    return {
        "coming": _totals(coming, shown),
        "on_its_way": [_row(row, None) for row in rows.refund_rows(shown[:MOST_SHOWN])],
    }


def _totals(found: QuerySet[Refund], shown: list[Refund]) -> list[dict[str, Any]]:
    """The sums of all that was found; where all of it is shown the database need not be asked again."""
    is_all = len(shown) <= MOST_SHOWN
    return [_in_words(total) for total in (elsewhere.totals_of(shown) if is_all else elsewhere.totals(found))]


def _row(row: rows.RefundRow, mark: datetime | None) -> dict[str, Any]:
    refund = row.refund
    ended = refund.ended_at
    return {
        "row": row,
        "when": wording.day_and_time(ended or refund.accepted_at),
        "is_new": mark is not None and ended is not None and ended > mark,
    }


def _in_words(total: elsewhere.Total) -> dict[str, Any]:
    return {"amount": wording.money(total.amount_minor, total.currency), "count": total.count}
