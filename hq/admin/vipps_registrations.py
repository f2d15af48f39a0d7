"""The addresses that Vipps was given, made and confirmed here, and ended."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin
from hq.admin.filters import EndedFilter
from hq.admin.showing import listed, mono, page_of
from hq.admin.verb_page import ReasonForm, VerbForm, VerbPage, verb_page
from stores import registrations
from stores.models import Company, KeySet, KeySetKind, SalesUnit, WebhookRegistration


class OpenRegistrationForm(VerbForm):
    """For whom, and under which name the hub is reached from outside."""

    subject = forms.ChoiceField(label=_("For"), widget=UnfoldAdminSelectWidget())
    base_url = forms.CharField(
        label=_("The hub's own address"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("As Vipps reaches it from the internet: https, without a path."),
    )

    def __init__(self, data: Any = None, *, company: Company, here: str) -> None:
        super().__init__(data, initial={"base_url": here})
        units = SalesUnit.objects.filter(company=company).order_by("name")
        sets = KeySet.objects.filter(company=company, kind=KeySetKind.PARTNER).order_by("name")
        self.subjects: dict[str, SalesUnit | KeySet] = {
            **{f"unit-{unit.pk}": unit for unit in units},
            **{f"keys-{key_set.pk}": key_set for key_set in sets},
        }
        field: Any = self.fields["subject"]
        field.choices = [(key, str(subject)) for key, subject in self.subjects.items()]


class ConfirmRegistrationForm(VerbForm):
    """What Vipps answered when it was given the address."""

    provider_id = forms.CharField(
        label=_("Vipps' id"), max_length=64, widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True})
    )
    secret = forms.CharField(
        label=_("Vipps' secret"),
        max_length=200,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off new-password", "spellcheck": "false"}),
    )


@register(WebhookRegistration, site=site)
class RegistrationAdmin(HqAdmin):
    """One address for each sales unit with keys of its own, or one for all of a partner's."""

    list_display = ("subject_name", "environment", "provider_id", "fingerprint", "opened_at", "confirmed_at", "ended_at")
    list_filter = (("ended_at", EndedFilter), ("confirmed_at", EndedFilter))
    list_select_related = ("sales_unit", "key_set")
    search_fields = ("=sales_unit__msn", "=key_set__subject", "=provider_id")
    ordering = ("-opened_at",)
    fields = readonly_fields = (
        *("subject_name", "environment", "address", "told_of", "provider_id", "fingerprint"),
        *("opened_at", "confirmed_at", "ended_at"),
    )
    actions_list = ("open_registration",)
    actions_detail = ("end", "confirm")

    @display(description=_("for"))
    def subject_name(self, registration: WebhookRegistration) -> str:
        return str(registration.sales_unit or registration.key_set)

    @display(description=_("address"))
    def address(self, registration: WebhookRegistration) -> Any:
        return mono(registration.url)

    @display(description=_("events"))
    def told_of(self, registration: WebhookRegistration) -> Any:
        return listed(registration.events)

    @action(description=_("Make an address"), permissions=["manage_keys"], icon="add", variant=ActionVariant.PRIMARY)
    def open_registration(self, request: HttpRequest) -> HttpResponse:
        def form_of(data: Any) -> OpenRegistrationForm:
            return OpenRegistrationForm(data, company=company_of(request), here=request.build_absolute_uri("/").rstrip("/"))

        def act(form: OpenRegistrationForm) -> HttpResponse:
            subject = form.subjects[form.cleaned_data["subject"]]
            opened = registrations.open_registration(
                subject, base_url=form.cleaned_data["base_url"], by=actor_of(request)
            )
            return HttpResponseRedirect(page_of(opened))

        page = VerbPage(
            title=_("Make an address for Vipps' notices"),
            explanation=_("Vipps is then given this address, and its id and secret are entered here."),
            button=_("Make the address"),
            back=reverse("admin:stores_webhookregistration_changelist"),
        )
        return verb_page(self, request, page, form_of=form_of, act=act)

    @action(
        description=_("Enter Vipps' id and secret"), permissions=["manage_keys"], icon="key", variant=ActionVariant.PRIMARY
    )
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        registration: WebhookRegistration = self.row(request, object_id)

        def act(form: ConfirmRegistrationForm) -> Any:
            registrations.confirm_registration(registration, **form.cleaned_data, by=actor_of(request))
            return _("Notices to this address can now be proved.")

        page = VerbPage(
            title=_("Enter what Vipps answered for %(subject)s") % {"subject": self.subject_name(registration)},
            explanation=_("The secret is sealed at once and never shown again; only a worker can use it."),
            button=_("Enter id and secret"),
            back=page_of(registration),
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=ConfirmRegistrationForm, act=act)

    @action(description=_("End this address"), permissions=["manage_keys"], icon="block", variant=ActionVariant.DANGER)
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        registration: WebhookRegistration = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            registrations.end_registration(registration, reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("The address is ended.")

        page = VerbPage(
            title=_("End the address for %(subject)s") % {"subject": self.subject_name(registration)},
            explanation=_("What Vipps still repeats counts for another week; then nothing sent there does."),
            button=_("End the address"),
            back=page_of(registration),
            is_dangerous=True,
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)
