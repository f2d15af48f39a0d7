"""What every desk page has in common: who asks, in which store, in which time zone, and how a refusal looks."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRefresh

from refunds import allowing, elsewhere, overview, rulebooks, shifts
from refunds.desk import till
from refunds.desk.rows import UnderWay, under_way_of
from refunds.desk.working_store import working_store
from refunds.models import Refund
from refunds.rulebooks import Rulebook
from stores import access, clock
from stores.actors import Actor
from stores.errors import HubError
from stores.models import Role, Store, User

P = ParamSpec("P")


@dataclass(kw_only=True)
class Desk:
    """The asker, where she stands, and when. `stores` are all she works in; `store` the one she works in now.

    `now` is the database's clock as the page began, `ids_here` the public ids of all who share her till today. What she has
    under way is read once, by the page or by its strip, which leaves out the refund that the page itself is about.
    """

    user: User
    store: Store
    stores: tuple[Store, ...]
    by: Actor
    now: datetime
    ids_here: frozenset[str]
    known_under_way: Sequence[Refund] | None = None
    shown_already: uuid.UUID | None = None

    @cached_property
    def under_way(self) -> UnderWay:
        """Her refunds that have no end yet, for the strip on every page."""
        if self.known_under_way is None:
            self.known_under_way = list(overview.under_way(self.user, store=self.store, now=self.now))
        return under_way_of([refund for refund in self.known_under_way if refund.pk != self.shown_already])

    def shares_till_with(self, person: User | None) -> bool:
        """Whether that person has worked at this till today."""
        return person is not None and str(person.public_id) in self.ids_here

    @property
    def locks_after(self) -> int:
        """Seconds that this till may be left alone."""
        return int(settings.DESK_LOCKS_AFTER_SECONDS)

    @property
    def rulebook(self) -> Rulebook:
        """The limits and reasons in force in her chain."""
        return rulebooks.of_version(vars(self.store)["policy_id"])

    @property
    def is_manager(self) -> bool:
        """Whether she may allow what breaks a rule here."""
        return bool(vars(self.store)["her_role"] == Role.MANAGER)

    @property
    def waiting(self) -> int:
        """How many wishes of this store's wait for her yes; nothing waits for a cashier's."""
        return vars(self.store)["waiting"] if self.is_manager else 0

    @property
    def untaken_notes(self) -> int:
        """How many notes of the last shift nobody has taken over."""
        return int(vars(self.store)["untaken"])

    @cached_property
    def unseen_elsewhere(self) -> int:
        """How many refunds of this store's sales by other stores are news to her; asked once a page."""
        return elsewhere.count_unseen(self.user, self.store)


DeskView = Callable[Concatenate[HttpRequest, Desk, P], HttpResponse]


def for_people(
    view: Callable[Concatenate[HttpRequest, User, tuple[Store, ...], P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let people with a role in at least one open store in; nobody's page is ever cached."""

    @never_cache
    @wraps(view)
    def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            # a fragment that became the sign-in page would stand in the middle of the page that asked for it
            return HttpResponseClientRefresh() if _is_fragment(request) else _sign_in(request)
        hers = access.stores_of(user).select_related("company").annotate(
            read_at=clock.sql_now(),
            policy_id=rulebooks.id_in_force(OuterRef("company"), now=clock.sql_now()),
            her_role=access.role_in_outer_store(user),
            waiting=allowing.count_waiting_for(user, store=OuterRef("pk")),
            untaken=shifts.count_untaken(user, store=OuterRef("pk")),
        )
        stores: tuple[Store, ...] = tuple(hers.order_by("name", "code"))
        if not stores:
            return render(request, "desk/no_role.html", status=403)
        till.begin(request, user)
        return view(request, user, stores, *args, **kwargs)

    return door


def for_cashiers(view: DeskView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let cashiers and managers in, in the store they work in now; a HubError becomes a page with its own status."""

    @for_people
    @wraps(view)
    def door(request: HttpRequest, user: User, stores: tuple[Store, ...], /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        store = working_store(request, stores)
        if store is None:
            return redirect(f"{reverse('desk:stores')}?{urlencode({'next': till.page_of(request)})}")
        by = actor_at(request, user, store=store)
        now, ids_here = vars(store)["read_at"], till.ids_here(request)
        desk = Desk(user=user, store=store, stores=stores, by=by, now=now, ids_here=ids_here)
        with timezone.override(ZoneInfo(store.time_zone)):
            try:
                return view(request, desk, *args, **kwargs)
            except HubError as problem:
                return render(request, "desk/problem.html", {"desk": desk, "problem": problem}, status=problem.status)

    return door


def _sign_in(request: HttpRequest) -> HttpResponse:
    said = urlencode(till.undone(request))
    return redirect_to_login(till.page_of(request), f"{reverse('account_login')}?{said}")


def _is_fragment(request: HttpRequest) -> bool:
    return request.method == "GET" and bool(request.headers.get("HX-Request"))


def actor_at(request: HttpRequest, user: User, *, store: Store | None = None) -> Actor:
    """Who is signed in at this till, as the trail names her."""
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    return access.actor_for(user, store=store, address=get_adapter(request).get_client_ip(request), request_id=request_id)
