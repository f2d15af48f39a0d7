"""Sales units: added to a store, shared with another, bound to keys; never edited."""

from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import Rows
from hq.admin.files.pages import FilesAdmin
from hq.admin.files.units import UnitCsv, UnitResource
from hq.admin.filters import MissingKeysFilter
from hq.admin.key_forms import KeysForm, PartnerSetForm
from hq.admin.showing import link_to, page_of
from hq.admin.unit_forms import AddUnitForm, PlaceForm, StopSellingForm
from hq.admin.verb_page import VerbPage, verb_page
from stores import registry
from stores.models import SalesUnit, StoreUnit


class StoreRows(Rows):
    """Which stores sell through the unit, and when."""

    model = StoreUnit
    fields = readonly_fields = ("store", "prefix", "channel", "valid_from", "valid_until")
    verbose_name_plural = _("stores")


@register(SalesUnit, site=site)
class SalesUnitAdmin(FilesAdmin):
    """The MSNs of the chain, and which keys each uses."""

    resource = UnitResource
    format = UnitCsv
    list_display = ("msn", "name", "market", "currency", "environment", "keys")
    list_filter = (MissingKeysFilter, "environment", "market")
    list_select_related = ("key_set",)
    search_fields = ("msn", "name")
    ordering = ("msn",)
    fields = readonly_fields = ("msn", "name", "market", "currency", "environment", "keys", "company", "public_id")
    inlines = (StoreRows,)
    actions_list = ("add_unit",)
    actions_detail = ("share_unit", "stop_selling", "bind_partner", "bind_own")

    @display(description=_("keys"), ordering="key_set__name")
    def keys(self, unit: SalesUnit) -> Any:
        if unit.key_set is None or not unit.key_set.has_keys:
            return _("no keys")
        return link_to(unit.key_set, f"{unit.key_set.name} · {unit.key_set.fingerprint}")

    @action(description=_("Add a sales unit"), permissions=["manage_stores"], icon="add", variant=ActionVariant.PRIMARY)
    def add_unit(self, request: HttpRequest) -> HttpResponse:
        def act(form: AddUnitForm) -> Any:
            unit = registry.add_sales_unit(**form.facts(), by=actor_of(request))
            return _("%(unit)s was added; it needs keys before it can refund.") % {"unit": unit}

        page = VerbPage(
            title=_("Add a sales unit"),
            explanation=_("A payment can be refunded only by the sales unit that received it."),
            button=_("Add the sales unit"),
            back=reverse("admin:stores_salesunit_changelist"),
        )
        return verb_page(self, request, page, form_of=lambda data: AddUnitForm(data, company=company_of(request)), act=act)

    @action(description=_("Share with a store"), permissions=["manage_stores"], icon="share")
    def share_unit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        unit: SalesUnit = self.row(request, object_id)

        def act(form: PlaceForm) -> Any:
            place = form.facts()
            store = place.pop("store")
            registry.share_sales_unit(store, unit, **place, by=actor_of(request))
            return _("%(store)s now sells through %(unit)s too.") % {"store": store, "unit": unit}

        page = VerbPage(
            title=_("Share %(unit)s with another store") % {"unit": unit},
            explanation=_("The prefix says which store an order belongs to, so each store needs its own."),
            button=_("Share the sales unit"),
            back=page_of(unit),
        )
        return verb_page(self, request, page, form_of=lambda data: PlaceForm(data, company=company_of(request)), act=act)

    @action(description=_("A store stops selling"), permissions=["manage_stores"], icon="event_busy")
    def stop_selling(self, request: HttpRequest, object_id: str) -> HttpResponse:
        unit: SalesUnit = self.row(request, object_id)

        def act(form: StopSellingForm) -> Any:
            said = form.cleaned_data
            link = registry.stop_selling(said["link"], until=said["until"], reason=said["reason"], by=actor_of(request))
            return _("%(store)s sells through %(unit)s no longer.") % {"store": link.store, "unit": unit}

        page = VerbPage(
            title=_("A store sells through %(unit)s no longer") % {"unit": unit},
            explanation=_("It moved to another sales unit, or this one is another store's now. Its orders stay as they are."),
            button=_("It stopped selling"),
            back=page_of(unit),
            is_dangerous=True,
        )
        return verb_page(self, request, page, form_of=lambda data: StopSellingForm(data, unit=unit), act=act)

    @action(description=_("Enter its own keys"), permissions=["manage_keys"], icon="key")
    def bind_own(self, request: HttpRequest, object_id: str) -> HttpResponse:
        unit: SalesUnit = self.row(request, object_id)

        def act(form: KeysForm) -> Any:
            registry.bind_own_keys(unit, form.keys(), by=actor_of(request))
            return _("%(unit)s has its own keys now.") % {"unit": unit}

        page = VerbPage(
            title=_("Enter the own keys of %(unit)s") % {"unit": unit},
            explanation=_("They are sealed at once; nobody can read them again here."),
            button=_("Seal and bind the keys"),
            back=page_of(unit),
            needs_fresh_proof=True,
            facts=[("MSN", unit.msn), (_("Environment"), unit.get_environment_display())],
        )
        return verb_page(self, request, page, form_of=KeysForm, act=act)

    @action(description=_("Use a partner key set"), permissions=["manage_keys"], icon="vpn_key")
    def bind_partner(self, request: HttpRequest, object_id: str) -> HttpResponse:
        unit: SalesUnit = self.row(request, object_id)

        def act(form: PartnerSetForm) -> Any:
            registry.bind_partner_keys(unit, form.cleaned_data["key_set"], by=actor_of(request))
            return _("%(unit)s uses %(key_set)s now.") % {"unit": unit, "key_set": form.cleaned_data["key_set"]}

        page = VerbPage(
            title=_("Bind %(unit)s to partner keys") % {"unit": unit},
            explanation=_("Refunds of its orders will be sent with these keys and its own MSN."),
            button=_("Bind the keys"),
            back=page_of(unit),
            needs_fresh_proof=True,
            facts=[("MSN", unit.msn), (_("Environment"), unit.get_environment_display())],
        )
        return verb_page(self, request, page, form_of=lambda data: PartnerSetForm(data, unit=unit), act=act)
