"""The strip on every page: her refunds that have no end yet, so that the next customer can be served meanwhile."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from refunds.desk.door import Desk, for_cashiers
from refunds.desk.forms import read_id


@require_GET
@for_cashiers
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The strip again (a fragment); nothing (204) while nothing has moved. `but` is the refund whose own page asks.

    An open list of refunds then looks again.
    """
    desk.shown_already = read_id(request.GET.get("but", ""))
    if request.GET.get("seen") == desk.under_way.mark:
        return HttpResponse(status=204)
    answer = render(request, "desk/_under_way.html", {"desk": desk})
    answer.headers["HX-Trigger"] = "under-way-changed"
    return answer
