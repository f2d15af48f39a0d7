"""The addresses that Vipps was given: kept by the workers, or made and confirmed here by hand; renewed and ended here."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import register
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin
from hq.admin.filters import EndedFilter, ProblemFilter
from hq.admin.showing import listed, mono, page_of
from hq.admin.verb_page import ReasonForm, VerbForm, VerbPage, verb_page
from refunds.models import Refund, State
from stores import registrations
from stores.models import (
    Company,
    KeySet,
    KeySetKind,
    Notice,
    NoticeVerdict,
    RegistrationWatch,
    SalesUnit,
    Standing,
    WebhookRegistration,
)

_HEARD = (NoticeVerdict.GENUINE, NoticeVerdict.DUPLICATE)
_LOOKED_BACK = timedelta(days=7)
_TOLD_WITHIN = timedelta(minutes=10)
_PATIENCE = timedelta(hours=1)


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


class _SaysWithoutAddress(HqAdmin):
    """Both lists say when the workers register nothing, and why."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not settings.PUBLIC_URL:
            messages.warning(
                request, _("PUBLIC_URL is not set: the hub registers nothing at Vipps by itself, and deletes nothing there.")
            )
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer


@register(WebhookRegistration, site=site)
class RegistrationAdmin(_SaysWithoutAddress):
    """One address for each sales unit with keys of its own, or one for all of a partner's."""

    list_display = (
        *("subject_name", "environment", "standing_label", "heard_at", "silence", "confirmed_at", "ended_at", "provider_id"),
    )
    list_filter = (("ended_at", EndedFilter), ("confirmed_at", EndedFilter))
    list_select_related = ("sales_unit", "key_set")
    search_fields = ("=sales_unit__msn", "=key_set__subject", "=provider_id")
    ordering = ("-opened_at",)
    fields = readonly_fields = (
        *("subject_name", "environment", "address", "told_of", "standing", "heard_at", "provider_id", "fingerprint"),
        *("opened_at", "confirmed_at", "seen_at", "renewal_asked_at", "ended_at", "gone_at"),
    )
    actions_list = ("open_registration",)
    actions_detail = ("end", "confirm", "renew")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        heard = Notice.objects.filter(registration=OuterRef("pk"), verdict__in=_HEARD).order_by("-id")
        sold_there = Q(order__sales_unit=OuterRef("sales_unit")) | Q(order__sales_unit__key_set=OuterRef("key_set"))
        lately = Refund.objects.filter(sold_there, state=State.REFUNDED, ended_at__gte=timezone.now() - _LOOKED_BACK)
        queryset: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = queryset.annotate(
            last_notice_at=Subquery(heard.values("received_at")[:1]),
            last_refund_at=Subquery(lately.order_by("-ended_at").values("ended_at")[:1]),
        )
        return annotated

    @display(description=_("for"))
    def subject_name(self, registration: WebhookRegistration) -> str:
        return str(registration.sales_unit or registration.key_set)

    @display(description=_("address"))
    def address(self, registration: WebhookRegistration) -> Any:
        return mono(registration.url)

    @display(description=_("events"))
    def told_of(self, registration: WebhookRegistration) -> Any:
        return listed(registration.events)

    @display(
        description=_("at Vipps"),
        label={
            Standing.STANDS: "success",
            Standing.NOT_YET_SEEN: "info",
            Standing.NOT_REGISTERED: "warning",
            Standing.TO_BE_DELETED: "warning",
            Standing.GONE: "default",
        },
    )
    def standing_label(self, registration: WebhookRegistration) -> tuple[str, str]:
        return registration.standing.value, str(registration.standing.label)

    @display(description=_("at Vipps"))
    def standing(self, registration: WebhookRegistration) -> str:
        return str(registration.standing.label)

    @display(description=_("last notice"))
    def heard_at(self, registration: Any) -> datetime | None:
        when: datetime | None = registration.last_notice_at
        return when

    @display(description=_("since then"), label={"silent": "danger"})
    def silence(self, registration: Any) -> tuple[str, str] | None:
        """Payments that were made through eCom are told of by nobody, so silence is a hint and no proof."""
        if not _is_silent(registration, heard_at=registration.last_notice_at, refunded_at=registration.last_refund_at):
            return None
        return "silent", str(_("a refund, and no notice"))

    @action(description=_("Make an address"), permissions=["manage_keys"], icon="add", variant=ActionVariant.PRIMARY)
    def open_registration(self, request: HttpRequest) -> HttpResponse:
        here = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")

        def form_of(data: Any) -> OpenRegistrationForm:
            return OpenRegistrationForm(data, company=company_of(request), here=here)

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

    @action(description=_("Renew"), permissions=["manage_keys"], icon="autorenew")
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        registration: WebhookRegistration = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            registrations.ask_renewal(registration, reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("A worker registers a new address in a moment, and deletes this one a day later.")

        page = VerbPage(
            title=_("Renew the address for %(subject)s") % {"subject": self.subject_name(registration)},
            explanation=_(
                "A new address with a new secret is registered first. For a day both tell, and what both tell counts once."
            ),
            button=_("Renew the address"),
            back=page_of(registration),
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)

    @action(description=_("End this address"), permissions=["manage_keys"], icon="block", variant=ActionVariant.DANGER)
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        registration: WebhookRegistration = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            registrations.end_registration(registration, reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("The address is ended.")

        page = VerbPage(
            title=_("End the address for %(subject)s") % {"subject": self.subject_name(registration)},
            explanation=_(
                "What Vipps still repeats counts for another week; then nothing sent there does. A worker deletes it at Vipps"
                " and, as long as the keys are here, registers another."
            ),
            button=_("End the address"),
            back=page_of(registration),
            is_dangerous=True,
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)


def _is_silent(registration: WebhookRegistration, *, heard_at: datetime | None, refunded_at: datetime | None) -> bool:
    """Something was refunded there, more than an hour ago, and no notice came of it or of anything since."""
    if registration.ended_at or registration.confirmed_at is None or refunded_at is None:
        return False
    should_be_told = registration.confirmed_at < refunded_at < timezone.now() - _PATIENCE
    return should_be_told and (heard_at is None or heard_at < refunded_at - _TOLD_WITHIN)


@register(RegistrationWatch, site=site)
class RegistrationWatchAdmin(_SaysWithoutAddress):
    """Whose registrations the workers keep, and what became of the last look."""

    list_display = ("subject_name", "last_listed_at", "at_vipps", "next_look_at", "failures", "problem")
    list_filter = (ProblemFilter,)
    list_select_related = ("sales_unit", "key_set")
    search_fields = ("=sales_unit__msn", "=key_set__subject")
    ordering = ("-failures", "next_look_at")
    fields = readonly_fields = ("subject_name", "last_listed_at", "at_vipps", "next_look_at", "failures", "problem")

    @display(description=_("for"))
    def subject_name(self, watch: RegistrationWatch) -> str:
        return str(watch)
