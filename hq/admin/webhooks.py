"""What store systems are told: where they listen, and every message with what became of it."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin, LongListAdmin
from hq.admin.filters import DaysFilter
from hq.admin.showing import link_to, mono, page_of
from hq.admin.verb_page import ReasonForm, VerbForm, VerbPage, shown_once, verb_page
from refunds import outbound
from refunds.models import Delivery, WebhookEndpoint
from stores.models import Company, StoreSystem


class AddEndpointForm(VerbForm):
    """Which store system, and where it listens."""

    system = forms.ModelChoiceField(
        label=_("Store system"), queryset=StoreSystem.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "inputmode": "url", "placeholder": "https://"}),
    )

    def __init__(self, data: Any = None, *, company: Company) -> None:
        super().__init__(data)
        systems: Any = self.fields["system"]
        active = StoreSystem.objects.filter(store__company=company, is_active=True, store__closed_at=None)
        systems.queryset = active.select_related("store").order_by("store__code", "name")


@register(WebhookEndpoint, site=site)
class EndpointAdmin(HqAdmin):
    """Each address belongs to a store system and hears of that store's refunds only."""

    company_path = "system__store__company"
    list_display = ("system", "url", "is_active", "added_at", "ended_at")
    list_filter = ("is_active",)
    list_select_related = ("system__store",)
    search_fields = ("url", "system__name", "system__store__code")
    ordering = ("-added_at",)
    fields = readonly_fields = ("system", "url", "is_active", "added_at", "ended_at", "public_id")
    actions_list = ("add_endpoint",)
    actions_detail = ("end",)

    @action(description=_("Add an address"), permissions=["manage_keys"], icon="add", variant=ActionVariant.PRIMARY)
    def add_endpoint(self, request: HttpRequest) -> HttpResponse:
        back = reverse("admin:refunds_webhookendpoint_changelist")

        def act(form: AddEndpointForm) -> Any:
            system: StoreSystem = form.cleaned_data["system"]
            added = outbound.add_endpoint(system, url=form.cleaned_data["url"], by=actor_of(request))
            if added.secret is None:
                return _("%(system)s is told there from now on, signed with the secret it has.") % {"system": system}
            return shown_once(
                self,
                request,
                title=_("The webhook secret of %(system)s") % {"system": system},
                explanation=_("The store system verifies every message with it, as Standard Webhooks describes."),
                label=_("Webhook secret"),
                secret=added.secret.text,
                back=back,
            )

        page = VerbPage(
            title=_("Add an address"),
            explanation=_("The store system is told there when a refund it made, or one of its store's sales, ends."),
            button=_("Add the address"),
            back=back,
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=lambda data: AddEndpointForm(data, company=company_of(request)), act=act)

    @action(description=_("Switch this address off"), permissions=["manage_keys"], icon="block", variant=ActionVariant.DANGER)
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint: WebhookEndpoint = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            outbound.end_endpoint(endpoint, reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("The address is switched off.")

        page = VerbPage(
            title=_("Switch the address of %(system)s off") % {"system": endpoint.system},
            explanation=_("Nothing more is sent there, not even what still waits."),
            button=_("Switch the address off"),
            back=page_of(endpoint),
            is_dangerous=True,
            facts=[(_("Address"), endpoint.url)],
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)


class OutcomeFilter(DropdownFilter):
    """Delivered, waiting for a try, or given up."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("given_up", _("given up")), ("waiting", _("waits for a try")), ("delivered", _("delivered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "given_up":
                return queryset.filter(delivered_at=None, next_try_at=None)
            case "waiting":
                return queryset.filter(next_try_at__isnull=False)
            case "delivered":
                return queryset.filter(delivered_at__isnull=False)
        return queryset


@register(Delivery, site=site)
class DeliveryAdmin(LongListAdmin):
    """Every message to store systems; one that was given up can be sent again."""

    company_path = "endpoint__system__store__company"
    list_display = ("written_at", "event", "refund_link", "system", "outcome", "tries", "last_status", "next_try_at")
    list_filter = (
        OutcomeFilter,
        ("event", ChoicesDropdownFilter),
        ("endpoint", AutocompleteSelectFilter),
        ("written_at", DaysFilter),
    )
    list_select_related = ("endpoint__system__store", "refund__order")
    search_fields = ("=refund__order__reference", "=id")
    search_help_text = _("A whole reference or message id.")
    ordering = ("-written_at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        *("event", "refund_link", "endpoint", "version", "outcome", "written_at", "delivered_at"),
        *("tries", "next_try_at", "last_status", "problem", "message", "id"),
    )
    actions_detail = ("send_again",)

    @display(description=_("refund"))
    def refund_link(self, delivery: Delivery) -> Any:
        return link_to(delivery.refund)

    @display(description=_("store system"))
    def system(self, delivery: Delivery) -> str:
        return str(delivery.endpoint.system)

    @display(
        description=_("outcome"), label={"delivered": "success", "waiting": "info", "retrying": "warning", "given_up": "danger"}
    )
    def outcome(self, delivery: Delivery) -> tuple[str, Any]:
        if delivery.delivered_at:
            return "delivered", _("delivered")
        if delivery.has_failed:
            return "given_up", _("given up")
        return ("retrying" if delivery.tries else "waiting"), _("waits for a try")

    @display(description=_("message"))
    def message(self, delivery: Delivery) -> Any:
        return mono(delivery.body)

    def has_send_again_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """The button stands on messages that were given up; the verb decides again."""
        if not self.has_manage_stores_permission(request):
            return False
        delivery = self.get_object(request, object_id) if object_id else None
        return object_id is None or (delivery is not None and delivery.has_failed)

    @action(description=_("Send again"), permissions=["send_again"], icon="send", variant=ActionVariant.PRIMARY)
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        delivery: Delivery = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            outbound.send_again(delivery, by=actor_of(request))
            return _("The message is on its way again.")

        page = VerbPage(
            title=_("Send %(message)s again") % {"message": delivery},
            explanation=_("The very same message under the same id, so that a system that has it already can drop it."),
            button=_("Send again"),
            back=page_of(delivery),
            facts=[(_("Address"), delivery.endpoint.url), (_("What went wrong last"), delivery.problem)],
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)
