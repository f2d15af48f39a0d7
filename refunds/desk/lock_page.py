"""The locked till: the same person goes on with her PIN, a colleague who signed in here today takes over with hers."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from refunds.desk import till
from refunds.desk.door import actor_at, for_people
from stores import access, pins
from stores.errors import HubError, NotFound
from stores.events import PinUse
from stores.models import Store, User


@require_http_methods(["GET", "POST"])
@for_people
def lock(request: HttpRequest, user: User, stores: tuple[Store, ...]) -> HttpResponse:
    """Lock it, and show who may go on."""
    if request.method == "GET":
        return redirect(till.next_of(request))
    till.lock(request)
    return redirect(f"{reverse('desk:locked')}?{urlencode({'next': till.next_of(request)})}")


@require_GET
@for_people
def here(request: HttpRequest, user: User, stores: tuple[Store, ...]) -> HttpResponse:
    """Somebody types or touches on a page that asks nothing else; it counts as her presence."""
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@for_people
def locked(request: HttpRequest, user: User, stores: tuple[Store, ...]) -> HttpResponse:
    """Who may go on here; with her PIN she does: where she was if it is still she, else at her own search."""
    if request.method == "GET":
        return _page(request, user)
    here = till.people_here(request, user)
    wanted = request.POST.get("who", str(user.public_id))
    person = next((one for one in here if str(one.public_id) == wanted), None)
    try:
        if person is None:
            raise NotFound(_("Choose who goes on here."))
        access.require(person, access.Right.REQUEST_REFUND)
        pins.prove(person, request.POST.get("pin", ""), use=PinUse.GO_ON, by=actor_at(request, user))
    except HubError as problem:
        return _page(request, user, chosen=person, problem=problem)
    till.go_on_as(request, person, after=user)
    return redirect(till.next_of(request) if person == user else "desk:find")


@require_http_methods(["GET", "POST"])
@for_people
def leave(request: HttpRequest, user: User, stores: tuple[Store, ...]) -> HttpResponse:
    """Make room for somebody who has to sign in in full."""
    if request.method == "GET":
        return redirect(till.next_of(request))
    till.leave(request)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': till.next_of(request)})}")


def _page(request: HttpRequest, user: User, *, chosen: User | None = None, problem: HubError | None = None) -> HttpResponse:
    here = till.people_here(request, user)
    with_pin = pins.who_may_prove(here)
    page = {
        "here": [(person, person.pk in with_pin) for person in here],
        "chosen": chosen or next((person for person in here if person.pk in with_pin), None),
        "can_go_on": bool(with_pin),
        "is_over": user not in here,
        "is_undone": "undone" in request.GET,
        "next": till.next_of(request),
        "problem": problem,
    }
    return render(request, "desk/locked.html", page, status=problem.status if problem else 200)
