"""A shared till: who signed in at it in full today, who goes on there now, and whether it is locked. Facts of its session.

Nobody is let in here by a PIN alone: it goes on with her own full sign-in at the same till, of no more than a day ago.
"""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from refunds.desk.working_store import STORE_KEY
from stores import access, clock
from stores.models import User

A_DAY = 12 * 3600
"""Seconds that a full sign-in at a till is good for."""
_PEOPLE, _SEEN, _IS_LOCKED = "till_people", "till_seen", "till_is_locked"
_NOTED_EVERY = 60
"""Seconds between two notes that somebody is there; each is a write."""
_LATEST_NOTE = 2 * _NOTED_EVERY
"""So late a note may come: an open page tells at most every minute that somebody types, and not every sign is written down."""
_ASKED_BY_PAGES = frozenset(
    {"desk:progress", "desk:confirmed", "desk:look-up-progress", "desk:approvals-count", "desk:under-way"}
)
"""What open pages ask for by themselves: it shows nobody's presence."""
_BY_ITSELF = "by-itself"
"""In the address of a page that, without JavaScript, opens itself anew."""
_OPEN = frozenset({"desk:lock", "desk:locked", "desk:leave", "account_logout", "set_language", "health-live"})


class LockedTills:
    """Middleware, after allauth's: while a till is locked, or was left alone, its session opens no page at all.

    Only the session of somebody with a store is a till's; headquarters' own end as all sessions do.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """To the page that asks for a PIN, and from there back to the page that this is or is a part of."""
        if not isinstance(request.user, User) or _view_name(request) in _OPEN:
            return None
        if not is_locked(request, request.user):
            _note_presence(request)
            return None
        lock(request)
        address = f"{reverse('desk:locked')}?{urlencode({'next': page_of(request), **undone(request)})}"
        return HttpResponseClientRedirect(address) if request.headers.get("HX-Request") else redirect(address)


@receiver(user_logged_in)
def open_for(*, request: HttpRequest, user: User, **_facts: object) -> None:
    """Who works in a store signs in at a till."""
    if access.stores_of(user).exists():
        _begin(request, user)


def begin(request: HttpRequest, user: User) -> None:
    """Her session is a till's from now on, where she was given her role after she had signed in."""
    if _SEEN not in request.session:
        _begin(request, user)


def _begin(request: HttpRequest, user: User) -> None:
    now = clock.wall_seconds()
    request.session.update({_SEEN: now, _PEOPLE: {**request.session.get(_PEOPLE, {}), str(user.public_id): now}})


def lock(request: HttpRequest) -> None:
    """Until a PIN is given, or somebody signs in in full."""
    request.session[_IS_LOCKED] = True


def people_here(request: HttpRequest, user: User) -> list[User]:
    """Who may go on with her PIN, having signed in in full here within a day: `user` first, then the others by name."""
    ids = [uuid.UUID(public_id) for public_id in _signed_in_here(request)]
    found = User.objects.filter(public_id__in=ids, is_active=True).order_by("first_name", "last_name", "username")
    return sorted(found, key=lambda person: person != user)


def ids_here(request: HttpRequest) -> frozenset[str]:
    """Public ids of all who signed in in full at this till within a day."""
    return frozenset(_signed_in_here(request))


def go_on_as(request: HttpRequest, user: User, *, after: User) -> None:
    """`user`, one of `people_here` who gave her PIN, has the till now; her sign-in lasts no longer than it would have."""
    here, store = _signed_in_here(request), request.session.get(STORE_KEY)
    if user != after:
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        request.session.set_expiry(0)  # with the browser's, as after a password
        request.session.update({_PEOPLE: here, STORE_KEY: store})
    request.session.pop(_IS_LOCKED, None)
    request.session[_SEEN] = clock.wall_seconds()


def leave(request: HttpRequest) -> None:
    """Nobody has the till; who signed in today may go on again once somebody has signed in in full."""
    here = _signed_in_here(request)
    logout(request)
    request.session[_PEOPLE] = here


def is_locked(request: HttpRequest, user: User) -> bool:
    """By hand, because it was left alone, or because her own sign-in is over."""
    if _IS_LOCKED in request.session:
        return True
    seen = request.session.get(_SEEN)
    if seen is None:
        return False
    was_left_alone = clock.wall_seconds() - seen > settings.DESK_LOCKS_AFTER_SECONDS + _LATEST_NOTE
    return was_left_alone or str(user.public_id) not in _signed_in_here(request)


def page_of(request: HttpRequest) -> str:
    """The page that this address is; for what a page sends or asks by itself, the page of its order, refund or question."""
    is_page = request.method == "GET" and not request.headers.get("HX-Request")
    if is_page and _view_name(request) != "desk:locked":
        return request.get_full_path()
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    pages = (("order_id", "desk:order"), ("refund_id", "desk:refund"), ("question_id", "desk:look-up"))
    return next((reverse(name, args=[kwargs[key]]) for key, name in pages if key in kwargs), reverse("desk:find"))


def next_of(request: HttpRequest) -> str:
    """Where to go on: a page of this hub, or the search."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else reverse("desk:find")


def undone(request: HttpRequest) -> dict[str, str]:
    """Told on the page that lets her in again: what was sent here is not done. To lock it nobody has to be let in."""
    return {} if request.method == "GET" or _view_name(request) in _OPEN else {"undone": "1"}


def _note_presence(request: HttpRequest) -> None:
    seen = request.session.get(_SEEN)
    if seen is None or _view_name(request) in _ASKED_BY_PAGES or _BY_ITSELF in request.GET:
        return
    now = clock.wall_seconds()
    if now - seen > _NOTED_EVERY:
        request.session[_SEEN] = now


def _signed_in_here(request: HttpRequest) -> dict[str, float]:
    """Public ids, and when each last signed in in full, within a day."""
    here: dict[str, float] = request.session.get(_PEOPLE, {})
    return {public_id: at for public_id, at in here.items() if clock.wall_seconds() - at < A_DAY}


def _view_name(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""
