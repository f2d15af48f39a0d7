"""Key sets: which exist, how old they are and when they were last opened; new values go in and never come out."""

from typing import Any

from django.contrib.admin import register
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin, Rows
from hq.admin.key_forms import AddPartnerSetForm, KeysForm
from hq.admin.showing import NOTHING, mono, page_of
from hq.admin.verb_page import VerbPage, verb_page
from stores import credentials
from stores.models import KeySet, KeySetKind, SalesUnit


class UnitRows(Rows):
    """The sales units that use the set."""

    model = SalesUnit
    fields = readonly_fields = ("msn", "name", "market", "environment")
    verbose_name_plural = _("used by")


@register(KeySet, site=site)
class KeySetAdmin(HqAdmin):
    """Fingerprint and age are all that can be seen of a key."""

    list_display = ("name", "kind", "environment", "subject", "shown_fingerprint", "version", "age", "opened", "units")
    list_filter = ("kind", "environment")
    search_fields = ("name", "subject")
    ordering = ("name",)
    fields = readonly_fields = (
        *("name", "kind", "environment", "subject", "shown_fingerprint", "version", "entered_at", "age"),
        *("last_opened_at", "company", "public_id"),
    )
    inlines = (UnitRows,)
    actions_list = ("add_partner_set",)
    actions_detail = ("enter_new_keys",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = super().get_queryset(request).annotate(unit_count=Count("sales_units"))
        return counted

    @display(description=_("fingerprint"), ordering="fingerprint")
    def shown_fingerprint(self, key_set: KeySet) -> Any:
        return mono(key_set.fingerprint)

    @display(description=_("age"), ordering="entered_at")
    def age(self, key_set: KeySet) -> Any:
        return timesince(key_set.entered_at) if key_set.entered_at else _("no keys entered")

    @display(description=_("last opened"), ordering="last_opened_at")
    def opened(self, key_set: KeySet) -> Any:
        if key_set.last_opened_at is None:
            return NOTHING
        return _("%(time)s ago") % {"time": timesince(key_set.last_opened_at)}

    @display(description=_("sales units"), ordering="unit_count")
    def units(self, key_set: Any) -> int:
        count: int = key_set.unit_count
        return count

    @action(description=_("Add partner keys"), permissions=["manage_keys"], icon="add", variant=ActionVariant.PRIMARY)
    def add_partner_set(self, request: HttpRequest) -> HttpResponse:
        def act(form: AddPartnerSetForm) -> Any:
            with transaction.atomic():
                key_set = credentials.make_key_set(
                    company_of(request),
                    kind=KeySetKind.PARTNER,
                    name=form.cleaned_data["name"],
                    environment=form.cleaned_data["environment"],
                    subject=form.cleaned_data["subject"],
                    by=actor_of(request),
                )
                key_set = credentials.enter_keys(key_set, form.keys(), by=actor_of(request))
            return _("%(name)s is sealed; its fingerprint is %(fingerprint)s.") % {
                "name": key_set.name,
                "fingerprint": key_set.fingerprint,
            }

        page = VerbPage(
            title=_("Add partner keys"),
            explanation=_("They are sealed at once; nobody can read them again here."),
            button=_("Seal the keys"),
            back=reverse("admin:stores_keyset_changelist"),
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=AddPartnerSetForm, act=act)

    @action(description=_("Enter new keys"), permissions=["manage_keys"], icon="key", variant=ActionVariant.PRIMARY)
    def enter_new_keys(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key_set: KeySet = self.row(request, object_id)

        def act(form: KeysForm) -> Any:
            entered = credentials.enter_keys(key_set, form.keys(), by=actor_of(request))
            return _("Version %(version)s of %(name)s is sealed; its fingerprint is %(fingerprint)s.") % {
                "version": entered.version,
                "name": entered.name,
                "fingerprint": entered.fingerprint,
            }

        page = VerbPage(
            title=_("Enter new keys for %(name)s") % {"name": key_set},
            explanation=_("The new version replaces the old one for every sales unit that uses this set."),
            button=_("Seal the new keys"),
            back=page_of(key_set),
            is_dangerous=key_set.has_keys,
            needs_fresh_proof=True,
            facts=[
                (_("MSN or partner id"), key_set.subject),
                (_("Environment"), key_set.get_environment_display()),
                (_("Present version"), str(key_set.version or NOTHING)),
                (_("Fingerprint"), key_set.fingerprint or NOTHING),
            ],
        )
        return verb_page(self, request, page, form_of=KeysForm, act=act)
