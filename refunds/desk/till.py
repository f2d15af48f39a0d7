"""A shared till: who signed in at it in full today, who goes on there now, and whether it is locked. Facts of its session.

Nobody is let in here by a PIN alone: it goes on with her own full sign-in at the same till, of no more than a day ago.
"""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from refunds.desk.working_store import STORE_KEY
from stores import access, clock
from stores.models import User

A_DAY = 12 * 3600
"""Seconds that a full sign-in at a till is good for."""
_PEOPLE, _SEEN, _IS_LOCKED = "till_people", "till_seen", "till_is_locked"
_NOTED_EVERY = 60
"""Seconds between two notes that somebody is there; each is a write."""
_ASKED_BY_PAGES = frozenset({"desk:progress", "desk:confirmed", "desk:look-up-progress", "desk:approvals-count"})
"""What open pages ask for by themselves: it shows nobody's presence."""
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
        if not request.user.is_authenticated or _view_name(request) in _OPEN:
            return None
        if not _is_locked(request):
            _note_presence(request)
            return None
        lock(request)
        address = f"{reverse('desk:locked')}?{urlencode({'next': _page_of(request)})}"
        return HttpResponseClientRedirect(address) if request.headers.get("HX-Request") else redirect(address)


@receiver(user_logged_in)
def open_for(*, request: HttpRequest, user: User, **_facts: object) -> None:
    """Who works in a store signs in at a till."""
    if access.stores_of(user).exists():
        request.session[_SEEN] = clock.wall_seconds()


def lock(request: HttpRequest) -> None:
    """Until a PIN is given, or somebody signs in in full."""
    request.session[_IS_LOCKED] = True


def people_here(request: HttpRequest, user: User) -> list[User]:
    """Who may go on with her PIN: `user`, who is signed in, then by name who else signed in in full here within a day."""
    ids = [uuid.UUID(public_id) for public_id in _signed_in_here(request, user)]
    others = User.objects.filter(public_id__in=ids, is_active=True).exclude(pk=user.pk)
    return [user, *others.order_by("first_name", "last_name", "username")]


def go_on_as(request: HttpRequest, user: User, *, after: User) -> None:
    """`user`, one of `people_here` who gave her PIN, has the till now; her sign-in lasts no longer than it would have."""
    here, store = _signed_in_here(request, after), request.session.get(STORE_KEY)
    if user != after:
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        request.session.set_expiry(max(1, int(here[str(user.public_id)] + A_DAY - clock.wall_seconds())))
        request.session.update({_PEOPLE: here, STORE_KEY: store})
    request.session.pop(_IS_LOCKED, None)
    request.session[_SEEN] = clock.wall_seconds()


def leave(request: HttpRequest, user: User) -> None:
    """Nobody has the till; who signed in today may go on again once somebody has signed in in full."""
    here = _signed_in_here(request, user)
    logout(request)
    request.session[_PEOPLE] = here


def _is_locked(request: HttpRequest) -> bool:
    if _IS_LOCKED in request.session:
        return True
    now = clock.wall_seconds()
    return bool(now - request.session.get(_SEEN, now) > settings.DESK_LOCKS_AFTER_SECONDS)


def _note_presence(request: HttpRequest) -> None:
    seen = request.session.get(_SEEN)
    if seen is None or _view_name(request) in _ASKED_BY_PAGES:
        return
    now = clock.wall_seconds()
    if now - seen > _NOTED_EVERY:
        request.session[_SEEN] = now


def _signed_in_here(request: HttpRequest, user: User) -> dict[str, float]:
    """Public ids, and when each last signed in in full."""
    here: dict[str, float] = dict(request.session.get(_PEOPLE, {}))
    records: list[dict[str, Any]] = get_authentication_records(request, user)
    if records:
        here[str(user.public_id)] = max(record["at"] for record in records)
    return {public_id: at for public_id, at in here.items() if clock.wall_seconds() - at < A_DAY}


def _page_of(request: HttpRequest) -> str:
    """The page that this address is; for what a page sends or asks by itself, the page of its order, refund or question."""
    if request.method == "GET" and not request.headers.get("HX-Request"):
        return request.get_full_path()
    kwargs = request.resolver_match.kwargs if request.resolver_match else {}
    pages = (("order_id", "desk:order"), ("refund_id", "desk:refund"), ("question_id", "desk:look-up"))
    return next((reverse(name, args=[kwargs[key]]) for key, name in pages if key in kwargs), reverse("desk:find"))


def _view_name(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""
