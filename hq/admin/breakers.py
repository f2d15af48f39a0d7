"""Circuit breakers: whom the hub leaves alone after failures in a row, since when, and a button that tries again."""

from typing import Any

from django.contrib.admin import ModelAdmin, register
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of, company_of
from hq.admin.base import HqAdmin
from hq.admin.filters import BreakerFilter
from hq.admin.showing import NOTHING, link_to
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from refunds import breakers, telling
from refunds.models import Breaker
from stores.access import Right


@register(Breaker, site=site)
class BreakerAdmin(HqAdmin):
    """Refunds behind an open one wait and lose nothing."""

    list_display = ("what", "is_open_label", "since", "failures", "last_problem", "open_until", "changed_at")
    list_filter = (BreakerFilter,)
    list_select_related = ("sales_unit",)
    ordering = ("-opened_at", "-changed_at")
    sortable_by = ()
    fields = readonly_fields = (
        *("what", "unit", "stands", "since", "failures", "last_problem", "opened_at", "open_until", "changed_at"),
    )
    actions_detail = ("ask_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The chain's own sales units, and Vipps itself, which everybody shares."""
        rows: QuerySet[Any] = ModelAdmin.get_queryset(self, request)
        return rows.filter(Q(sales_unit=None) | Q(sales_unit__company=company_of(request)))

    def has_ask_again_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if object_id is None or not self.may(request, Right.PAUSE_REFUNDS):
            return object_id is None and self.may(request, Right.PAUSE_REFUNDS)
        breaker = self.get_object(request, object_id)
        return isinstance(breaker, Breaker) and breaker.is_open

    @display(description=_("whom"))
    def what(self, breaker: Breaker) -> str:
        return str(breaker)

    @display(description=_("sales unit"))
    def unit(self, breaker: Breaker) -> Any:
        return link_to(breaker.sales_unit)

    @display(description=_("now"))
    def stands(self, breaker: Breaker) -> Any:
        return _("left alone") if breaker.is_open else _("asked as usual")

    @display(description=_("now"), label={"open": "danger", "closed": "success"})
    def is_open_label(self, breaker: Breaker) -> tuple[str, Any]:
        return "open" if breaker.is_open else "closed", self.stands(breaker)

    @display(description=pgettext_lazy("how long", "for"))
    def since(self, breaker: Breaker) -> str:
        return timesince(breaker.opened_at) if breaker.opened_at else NOTHING

    @display(description=_("what went wrong last"))
    def last_problem(self, breaker: Breaker) -> str:
        return telling.because_in_words(breaker.problem) or NOTHING

    @action(description=_("Ask again now"), permissions=["ask_again"], icon="restart_alt", variant=ActionVariant.PRIMARY)
    def ask_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        breaker: Breaker = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            breakers.close_by_hand(breaker, asker=asker_of(request), by=actor_of(request))
            return _("%(whom)s is asked again; what waited goes on now.") % {"whom": breaker}

        page = VerbPage(
            title=_("Ask %(whom)s again") % {"whom": breaker},
            explanation=_("What waited behind it is tried at once. If it fails again as often, it is left alone again."),
            button=_("Ask again now"),
            back=reverse("admin:refunds_breaker_changelist"),
            facts=[
                (_("Left alone for"), self.since(breaker)),
                (_("Failures in a row"), str(breaker.failures)),
                (_("What went wrong last"), self.last_problem(breaker)),
            ],
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)
