"""Her own PIN for tills: chosen by whoever has just proved in full that it is she."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from refunds.desk.door import Desk, for_cashiers
from stores import pins
from stores.errors import HubError, Invalid


@require_http_methods(["GET", "POST"])
@for_cashiers
def choose(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Choose one, typed twice; an earlier one ends with that.

    What is sent too late is dropped, never kept to be resumed: a session is a database row, and who resumes it may be another.
    """
    if not did_recently_reauthenticate(request):
        method, *_others = get_adapter().get_reauthentication_methods(desk.user)
        return redirect_to_login(request.path, method["url"])
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
