"""Her own PIN for tills: chosen by whoever has just proved in full that it is she."""

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from refunds.desk.door import Desk, for_cashiers
from stores import pins
from stores.errors import HubError, Invalid


@require_http_methods(["GET", "POST"])
@for_cashiers
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def choose(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Choose one, typed twice; an earlier one ends with that."""
    if request.method == "GET":
        return _page(request, desk)
    pin = request.POST.get("pin", "")
    try:
        if pin != request.POST.get("again"):
            raise Invalid(_("The two are not the same. Type it once more."), field="again")
        pins.choose(desk.user, pin, by=desk.by)
    except HubError as problem:
        return _page(request, desk, problem=problem)
    return _page(request, desk, is_chosen=True)


def _page(request: HttpRequest, desk: Desk, *, problem: HubError | None = None, is_chosen: bool = False) -> HttpResponse:
    page = {
        "desk": desk,
        "has_one": pins.may_prove(desk.user),
        "is_chosen": is_chosen,
        "problem": problem,
        "shortest": pins.SHORTEST,
        "longest": pins.LONGEST,
    }
    return render(request, "desk/pin.html", page, status=problem.status if problem else 200)
