"""Store systems and their API keys: a key's text is shown once, on the page that issues it."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin, Rows
from hq.admin.filters import EndedFilter
from hq.admin.showing import listed, page_of
from hq.admin.verb_page import ReasonForm, VerbForm, VerbPage, shown_once, verb_page
from stores import keys
from stores.models import ApiKey, Company, Scope, Store, StoreSystem, SyncPosition


class AddSystemForm(VerbForm):
    """A till system or web shop of one store."""

    store = forms.ModelChoiceField(
        label=_("Store"), queryset=Store.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )
    name = forms.CharField(label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}))
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    def __init__(self, data: Any = None, *, company: Company) -> None:
        super().__init__(data)
        stores: Any = self.fields["store"]
        stores.queryset = Store.objects.filter(company=company, closed_at=None).order_by("code")


class IssueKeyForm(VerbForm):
    """Until when a new key works."""

    expires_at = forms.SplitDateTimeField(
        label=_("Expires"),
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget(),
        help_text=_("Empty: it works until it is revoked."),
    )

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise forms.ValidationError(_("That moment has passed."))
        return expires_at


class KeyRows(Rows):
    """The system's keys, the revoked ones too."""

    model = ApiKey
    fields = readonly_fields = ("created_at", "expires_at", "last_used_at", "revoked_at")
    show_change_link = True
    hide_title = False
    verbose_name_plural = _("API keys")


class PositionRows(Rows):
    """How far its syncs have come, where it says so."""

    model = SyncPosition
    fields = readonly_fields = ("stream", "cursor", "rows", "synced_at")
    hide_title = False
    verbose_name_plural = _("sync positions")


@register(StoreSystem, site=site)
class StoreSystemAdmin(HqAdmin):
    """The systems that speak with the hub over REST, each bound to one store."""

    company_path = "store__company"
    list_display = ("name", "store", "may_do", "is_active", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("store",)
    search_fields = ("name", "store__code", "store__name")
    ordering = ("store__code", "name")
    fields = readonly_fields = ("name", "store", "may_do", "is_active", "created_at", "public_id")
    inlines = (KeyRows, PositionRows)
    actions_list = ("add_system",)
    actions_detail = ("issue_key",)

    @display(description=_("it may"))
    def may_do(self, system: StoreSystem) -> Any:
        return listed(str(Scope(scope).label) for scope in system.scopes)

    @action(description=_("Add a store system"), permissions=["manage_stores"], icon="add", variant=ActionVariant.PRIMARY)
    def add_system(self, request: HttpRequest) -> HttpResponse:
        def act(form: AddSystemForm) -> Any:
            system = keys.add_system(**form.cleaned_data, by=actor_of(request))
            return _("%(system)s was added; issue a key for it next.") % {"system": system}

        page = VerbPage(
            title=_("Add a store system"),
            explanation=_("It sees and does only what belongs to its store, and only what is ticked here."),
            button=_("Add the system"),
            back=reverse("admin:stores_storesystem_changelist"),
        )
        return verb_page(self, request, page, form_of=lambda data: AddSystemForm(data, company=company_of(request)), act=act)

    @action(description=_("Issue an API key"), permissions=["manage_keys"], icon="key", variant=ActionVariant.PRIMARY)
    def issue_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        system: StoreSystem = self.row(request, object_id)

        def act(form: IssueKeyForm) -> HttpResponse:
            issued = keys.issue_key(system, expires_at=form.cleaned_data["expires_at"], by=actor_of(request))
            return shown_once(
                self,
                request,
                title=_("A new API key for %(system)s") % {"system": system},
                explanation=_("The store system sends it with every request, in the header Authorization: Bearer."),
                label=_("API key"),
                secret=issued.text,
                back=page_of(system),
            )

        page = VerbPage(
            title=_("Issue an API key for %(system)s") % {"system": system},
            explanation=_("Keys that exist keep working, so that a system can change over without a pause."),
            button=_("Issue the key"),
            back=page_of(system),
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=IssueKeyForm, act=act)


@register(ApiKey, site=site)
class ApiKeyAdmin(HqAdmin):
    """Every API key by its public half."""

    company_path = "system__store__company"
    list_display = ("__str__", "system", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", EndedFilter),)
    list_select_related = ("system__store",)
    search_fields = ("lookup", "system__name", "system__store__code")
    ordering = ("-created_at",)
    fields = readonly_fields = ("__str__", "system", "created_at", "expires_at", "last_used_at", "revoked_at")
    actions_detail = ("revoke",)

    @action(description=_("Revoke this key"), permissions=["manage_keys"], icon="block", variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key: ApiKey = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            keys.revoke_key(key, reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("%(key)s is revoked.") % {"key": key}

        page = VerbPage(
            title=_("Revoke %(key)s") % {"key": key},
            explanation=_("The next request with it is refused. This cannot be undone; a new key can be issued."),
            button=_("Revoke the key"),
            back=page_of(key),
            is_dangerous=True,
            needs_fresh_proof=True,
            facts=[(_("Store system"), str(key.system))],
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)
