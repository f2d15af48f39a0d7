"""Headquarters' own admin site: one sign-in flow, a proven second factor, a role at headquarters."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import auth
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from hq.admin import second_factor
from hq.admin.asking import may
from stores.access import Right
from stores.models import User

POLICY = {
    "default-src": [NONE],
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}
"""Unfold runs on Alpine, which evaluates the expressions in its attributes; still nothing from another host."""


class HqAdminSite(UnfoldAdminSite):
    """The admin without a door of its own: neither `is_staff` nor `is_superuser` opens it, only a role does."""

    site_title = _("Refund Hub")
    site_header = _("Refund Hub")
    index_title = _("Work to do")
    index_template = "admin/first_screen.html"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._pages: list[URLPattern] = []

    def add_page(self, route: str, view: Callable[[HttpRequest], HttpResponse], *, name: str) -> None:
        """A page of its own, of no table, as guarded as all others: `admin:<name>`."""
        self._pages.append(path(route, self.admin_view(view), name=name))

    def get_urls(self) -> list[Any]:
        return [*self._pages, *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        return holds_a_role(request) and second_factor.is_proven(request)

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        guarded: Any = csp_replace(POLICY)(super().admin_view(view, cacheable))
        return cast(Callable[..., HttpResponse], guarded)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sends on to what is missing: the sign-in, the second factor, or a role that nobody gives here."""
        then = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(then, allowed_hosts=None):
            then = reverse("admin:index")
        if not request.user.is_authenticated:
            return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': then})}")
        if not holds_a_role(request):
            raise PermissionDenied(_("You hold no role at headquarters."))
        if not second_factor.is_proven(request):
            return second_factor.to_prove_it(request, then=then)
        return HttpResponseRedirect(then)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            auth.logout(request)
            return HttpResponseRedirect(reverse("account_login"))
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_change_password"))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "is_demo": settings.DEMO}


def holds_a_role(request: HttpRequest) -> bool:
    """Whether the asker is somebody at headquarters; superusers get no exception."""
    user = request.user
    return isinstance(user, User) and user.is_active and may(request, Right.SEE_HQ)


site = HqAdminSite(name="admin")
