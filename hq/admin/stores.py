"""Stores: opened and closed by verbs, their units and people shown beside them."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib.admin import register
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import Rows
from hq.admin.files.pages import FilesAdmin
from hq.admin.files.stores import StoreCsv, StoreResource
from hq.admin.filters import EndedFilter
from hq.admin.showing import page_of
from hq.admin.verb_page import ReasonForm, VerbForm, VerbPage, verb_page
from stores import particulars, registry
from stores.models import Membership, Store, StoreUnit

COUNTRIES = [("NO", _("Norway")), ("DK", _("Denmark")), ("FI", _("Finland")), ("SE", _("Sweden"))]


class OpenStoreForm(VerbForm):
    """What a new store needs."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        validators=[RegexValidator(r"^[A-Z0-9]{2,20}$", _("Two to twenty capital letters and digits."))],
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=_("Capital letters and digits; it stands on receipts and cannot be changed."),
    )
    name = forms.CharField(label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget())
    city = forms.CharField(label=_("City"), max_length=80, widget=UnfoldAdminTextInputWidget())
    country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES, widget=UnfoldAdminSelectWidget())
    time_zone = forms.CharField(label=_("Time zone"), max_length=40, initial="Europe/Oslo", widget=UnfoldAdminTextInputWidget())

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(_("No such time zone; write it like Europe/Oslo."))
        return zone


class DescribeStoreForm(VerbForm):
    """What the store's receipts say of it."""

    address = forms.CharField(
        label=_("Address"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=_("Street, postal code and town, on one line."),
    )
    legal_name = forms.CharField(
        label=_("Registered name"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Only where the store is a company of its own; else the chain's company stands on the receipt."),
    )
    organisation_number = forms.CharField(
        label=_("Organisation number"),
        max_length=30,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("As it must stand on a receipt, such as 987 654 321 MVA. Empty: the number of the chain's company."),
    )


class UnitRows(Rows):
    """Through which sales units the store sells, and when."""

    model = StoreUnit
    fields = readonly_fields = ("sales_unit", "prefix", "channel", "valid_from", "valid_until")
    verbose_name_plural = _("sales units")


class PeopleRows(Rows):
    """Who holds a role there."""

    model = Membership
    fields = readonly_fields = ("user", "role", "since", "ended_at")
    verbose_name_plural = _("people")


@register(Store, site=site)
class StoreAdmin(FilesAdmin):
    """Every store of the chain, the closed ones too."""

    resource = StoreResource
    format = StoreCsv
    list_display = ("code", "name", "city", "country", "opened", "is_open")
    list_filter = (("closed_at", EndedFilter), "country")
    search_fields = ("code", "name", "city")
    ordering = ("code",)
    fields = readonly_fields = (
        *("code", "name", "city", "country", "time_zone", "company", "opened_at", "closed_at", "public_id"),
        *("address", "legal_name", "organisation_number"),
    )
    inlines = (UnitRows, PeopleRows)
    actions_list = ("open_store",)
    actions_detail = ("describe_store", "close_store")

    @display(description=_("opened"), ordering="opened_at")
    def opened(self, store: Store) -> Any:
        return store.opened_at.astimezone(ZoneInfo(store.time_zone)).date()

    @display(description=_("state"), label={"open": "success", "closed": "danger"}, ordering="closed_at")
    def is_open(self, store: Store) -> tuple[str, Any]:
        return ("open", _("open")) if store.is_open else ("closed", _("closed"))

    @action(description=_("Open a store"), permissions=["manage_stores"], icon="add", variant=ActionVariant.PRIMARY)
    def open_store(self, request: HttpRequest) -> HttpResponse:
        def act(form: OpenStoreForm) -> Any:
            store = registry.open_store(company_of(request), **form.cleaned_data, by=actor_of(request))
            return _("%(store)s is open in the hub.") % {"store": store}

        page = VerbPage(
            title=_("Open a store"),
            explanation=_("The store can be given people, sales units and a store system at once."),
            button=_("Open the store"),
            back=reverse("admin:stores_store_changelist"),
        )
        return verb_page(self, request, page, form_of=OpenStoreForm, act=act)

    @action(description=_("What receipts say"), permissions=["manage_stores"], icon="receipt_long")
    def describe_store(self, request: HttpRequest, object_id: str) -> HttpResponse:
        store: Store = self.row(request, object_id)
        now = {name: getattr(store, name) for name in ("address", "legal_name", "organisation_number")}

        def act(form: DescribeStoreForm) -> Any:
            particulars.describe_store(store, **form.cleaned_data, by=actor_of(request))
            return _("Receipts of %(store)s say so from now on.") % {"store": store}

        page = VerbPage(
            title=_("What receipts of %(store)s say") % {"store": store},
            explanation=_("Every receipt for a refund made in this store shows these lines."),
            button=_("Save"),
            back=page_of(store),
        )
        return verb_page(self, request, page, form_of=lambda data: DescribeStoreForm(data, initial=now), act=act)

    @action(description=_("Close this store"), permissions=["manage_stores"], icon="lock", variant=ActionVariant.DANGER)
    def close_store(self, request: HttpRequest, object_id: str) -> HttpResponse:
        store: Store = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            registry.close_store(store, reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("%(store)s is closed.") % {"store": store}

        page = VerbPage(
            title=_("Close %(store)s") % {"store": store},
            explanation=_(
                "Its people and store systems lose every right there. What it has sold can still be refunded from other stores."
            ),
            button=_("Close the store"),
            back=page_of(store),
            is_dangerous=True,
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)
