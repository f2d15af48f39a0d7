"""The strip on every page: her refunds that have no end yet, so that the next customer can be served meanwhile."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from refunds.desk.door import Desk, for_cashiers


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The strip again (a fragment); nothing (204) while nothing has moved. `but` is the refund whose own page asks."""
    desk.shown_already = _read(request.GET.get("but", ""))
    if request.GET.get("seen") == desk.under_way.mark:
        return HttpResponse(status=204)
    return render(request, "desk/_under_way.html", {"desk": desk})


def _read(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
