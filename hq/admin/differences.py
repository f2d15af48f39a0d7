"""Differences: where the hub's ledger, Vipps' event log and the settlement disagree, whose work it is, and how it ended."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import LongListAdmin
from hq.admin.filters import DaysFilter
from hq.admin.showing import NOTHING, link_to, money, mono, page_of
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from refunds import differences
from refunds.models import Difference, DifferenceKind
from stores import clock
from stores.access import Right

COLOURS = {
    DifferenceKind.EVENT_LOG: "danger",
    DifferenceKind.TAKEN_BACK: "danger",
    DifferenceKind.PAID_TWICE: "danger",
    DifferenceKind.SETTLEMENT: "warning",
    DifferenceKind.PAYMENT_SUM: "warning",
}


class ExplanationForm(VerbForm):
    """What it was."""

    note = forms.CharField(
        label=_("What it was"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text=_("It is written in the trail beside your name."),
    )


class StandingFilter(DropdownFilter):
    """Open, open and nobody's, mine, closed."""

    title = _("standing")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("open")), ("nobodys", _("open, nobody's")), ("mine", _("open, mine")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                return queryset.filter(closed_at=None)
            case "nobodys":
                return queryset.filter(closed_at=None, owner=None)
            case "mine":
                return queryset.filter(closed_at=None, owner=asker_of(request))
            case "closed":
                return queryset.filter(closed_at__isnull=False)
        return queryset


@register(Difference, site=site)
class DifferenceAdmin(LongListAdmin):
    """The oldest first; one is closed by a later look at Vipps, or by a person with her words."""

    company_path = "order__store__company"
    list_display = ("kind_label", "order_link", "hub", "event_log", "settlement", "age", "owner", "ended")
    list_display_links = ("kind_label",)
    list_filter = (
        StandingFilter,
        ("kind", ChoicesDropdownFilter),
        ("order__store", AutocompleteSelectFilter),
        ("found_at", DaysFilter),
    )
    list_select_related = ("order__store", "owner", "closed_by")
    search_fields = ("=order__reference",)
    search_help_text = _("A whole reference.")
    ordering = ("found_at", "id")
    sortable_by = ()
    fields = readonly_fields = (
        *("kind", "order_link", "store", "hub", "event_log", "vipps_sum", "settlement", "details"),
        *("found_at", "last_seen_at", "owner", "closed_at", "closing", "closed_by", "note"),
    )
    actions_detail = ("take", "explain")

    def has_settle_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the buttons are shown; the verbs decide again."""
        if not self.may(request, Right.RECONCILE):
            return False
        difference = self.get_object(request, object_id) if object_id else None
        return object_id is None or (difference is not None and difference.closed_at is None)

    @display(description=_("what differs"), label=dict(COLOURS))
    def kind_label(self, difference: Difference) -> tuple[str, str]:
        return difference.kind, difference.get_kind_display()

    @display(description=_("order"))
    def order_link(self, difference: Difference) -> Any:
        return format_html('<span class="whitespace-nowrap">{}</span>', link_to(difference.order))

    @display(description=_("store"))
    def store(self, difference: Difference) -> str:
        return difference.order.store.code

    @display(description=_("the hub"))
    def hub(self, difference: Difference) -> str:
        return money(difference.hub_minor, difference.order.currency)

    @display(description=_("Vipps' event log"))
    def event_log(self, difference: Difference) -> str:
        return money(difference.events_minor, difference.order.currency)

    @display(description=_("Vipps' sum"))
    def vipps_sum(self, difference: Difference) -> str:
        return money(difference.payment_minor, difference.order.currency)

    @display(description=_("settlement"))
    def settlement(self, difference: Difference) -> str:
        return money(difference.settled_minor, difference.order.currency)

    @display(description=_("detail"))
    def details(self, difference: Difference) -> Any:
        return mono(difference.detail)

    @display(description=_("age"))
    def age(self, difference: Difference) -> str:
        return timesince(difference.found_at, difference.closed_at or clock.db_now())

    @display(description=_("ended"))
    def ended(self, difference: Difference) -> str:
        return difference.get_closing_display() or NOTHING

    @action(description=_("Look into it myself"), permissions=["settle"], icon="person_check", variant=ActionVariant.PRIMARY)
    def take(self, request: HttpRequest, object_id: str) -> HttpResponse:
        difference: Difference = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            differences.take(difference, asker=asker_of(request), by=actor_of(request))
            return _("It is yours.")

        page = VerbPage(
            title=_("Look into %(difference)s") % {"difference": difference},
            explanation=_("Your name stands beside it until it is closed or somebody else takes it."),
            button=_("It is mine"),
            back=page_of(difference),
            facts=self._facts(difference),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    @action(description=_("Explain and close"), permissions=["settle"], icon="task_alt", variant=ActionVariant.SUCCESS)
    def explain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        difference: Difference = self.row(request, object_id)

        def act(form: ExplanationForm) -> Any:
            differences.explain(difference, form.cleaned_data["note"], asker=asker_of(request), by=actor_of(request))
            return _("It is explained and closed.")

        page = VerbPage(
            title=_("Explain %(difference)s") % {"difference": difference},
            explanation=_("No money moves. While the amounts stay as they are, it is not opened again; with others it is."),
            button=_("Explain and close"),
            back=page_of(difference),
            facts=self._facts(difference),
        )
        return verb_page(self, request, page, form_of=ExplanationForm, act=act)

    def _facts(self, difference: Difference) -> list[tuple[Any, Any]]:
        sides = (
            (_("The hub"), self.hub(difference)),
            (_("Vipps' event log"), self.event_log(difference)),
            (_("Vipps' sum"), self.vipps_sum(difference)),
            (_("Settlement"), self.settlement(difference)),
        )
        return [(_("Order"), difference.order.reference), *((name, said) for name, said in sides if said != NOTHING)]
