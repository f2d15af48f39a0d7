"""Pauses: what headquarters has stopped, since when and why; stopped and let go on by verbs with a reason."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of, company_of
from hq.admin.base import HqAdmin
from hq.admin.filters import EndedFilter
from hq.admin.showing import NOTHING, page_of
from hq.admin.verb_page import ReasonForm, VerbPage, verb_page
from refunds import pausing
from refunds.models import Pause, PauseScope
from refunds.pausing import Reach
from stores.access import Right
from stores.models import Company, SalesUnit, Store, User


class PauseForm(ReasonForm):
    """What to stop: everything, or the one thing that the choice names."""

    scope = forms.ChoiceField(label=_("What to stop"), choices=PauseScope.choices, widget=UnfoldAdminRadioSelectWidget())
    sales_unit = forms.ModelChoiceField(
        label=_("Sales unit"), queryset=SalesUnit.objects.none(), required=False, widget=UnfoldAdminSelectWidget()
    )
    store = forms.ModelChoiceField(
        label=_("Store"), queryset=Store.objects.none(), required=False, widget=UnfoldAdminSelectWidget()
    )
    cashier = forms.ModelChoiceField(
        label=_("Person"), queryset=User.objects.none(), required=False, widget=UnfoldAdminSelectWidget()
    )
    field_order = ("scope", "sales_unit", "store", "cashier", "reason")

    def __init__(self, data: Any = None, *, company: Company) -> None:
        super().__init__(data)
        choices: dict[str, Any] = {
            "sales_unit": SalesUnit.objects.filter(company=company).order_by("msn"),
            "store": Store.objects.filter(company=company).order_by("code"),
            "cashier": User.objects.filter(memberships__company=company).distinct().order_by("username"),
        }
        for name, queryset in choices.items():
            field: Any = self.fields[name]
            field.queryset = queryset

    def clean(self) -> dict[str, Any]:
        """Nothing chosen must never mean everything, nor may a choice be silently left out."""
        cleaned = super().clean() or self.cleaned_data
        for name in ("sales_unit", "store", "cashier"):
            is_meant, is_chosen = cleaned.get("scope") == name, cleaned.get(name) is not None
            if is_meant and not is_chosen and name not in self.errors:
                self.add_error(name, _("Choose which one."))
            elif is_chosen and not is_meant and "scope" in cleaned:
                self.add_error(name, _("Leave this empty: it is not what you chose to stop."))
        return cleaned

    def reach(self) -> Reach:
        """What the valid form names."""
        return Reach(**{name: self.cleaned_data[name] for name in ("sales_unit", "store", "cashier")})


@register(Pause, site=site)
class PauseAdmin(HqAdmin):
    """While a pause lasts, nothing it reaches is accepted or sent; what was accepted before waits."""

    list_display = ("what", "subject_label", "reason", "since", "paused_at", "paused_by", "resumed_at")
    list_filter = (("resumed_at", EndedFilter), ("scope", ChoicesDropdownFilter))
    list_select_related = ("sales_unit", "store", "cashier")
    ordering = ("-paused_at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        *("scope", "subject_label", "reason", "since", "paused_at", "paused_by", "resumed_at", "resumed_by"),
    )
    actions_list = ("pause",)
    actions_detail = ("resume",)

    def has_pause_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may(request, Right.PAUSE_REFUNDS)

    def has_resume_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if object_id is None or not self.may(request, Right.PAUSE_REFUNDS):
            return object_id is None and self.may(request, Right.PAUSE_REFUNDS)
        row = self.get_object(request, object_id)
        return isinstance(row, Pause) and row.resumed_at is None

    @display(description=_("what"), label=dict.fromkeys(PauseScope, "danger"))
    def what(self, row: Pause) -> tuple[str, str]:
        return (row.scope if row.resumed_at is None else ""), row.get_scope_display()

    @display(description=_("which one"))
    def subject_label(self, row: Pause) -> str:
        return row.subject or NOTHING

    @display(description=pgettext_lazy("how long", "for"))
    def since(self, row: Pause) -> str:
        return timesince(row.paused_at, row.resumed_at) if row.resumed_at else timesince(row.paused_at)

    @action(description=_("Pause…"), permissions=["pause"], icon="pause_circle", variant=ActionVariant.DANGER)
    def pause(self, request: HttpRequest) -> HttpResponse:
        company = company_of(request)

        def act(form: PauseForm) -> Any:
            reason = form.cleaned_data["reason"]
            row = pausing.pause(company, form.reach(), reason=reason, asker=asker_of(request), by=actor_of(request))
            return _("Paused: %(pause)s.") % {"pause": row}

        page = VerbPage(
            title=_("Pause refunds"),
            explanation=_(
                "From this moment nothing it reaches is accepted or sent. What a worker has in its hands is finished, "
                "and what waits is kept until you resume."
            ),
            button=_("Pause"),
            back=reverse("admin:refunds_pause_changelist"),
            is_dangerous=True,
        )
        return verb_page(self, request, page, form_of=lambda data: PauseForm(data, company=company), act=act)

    @action(description=_("Resume"), permissions=["resume"], icon="play_circle", variant=ActionVariant.SUCCESS)
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Pause = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            pausing.resume(row, reason=form.cleaned_data["reason"], asker=asker_of(request), by=actor_of(request))
            return _("Resumed: %(pause)s. What waited goes on now.") % {"pause": row}

        page = VerbPage(
            title=_("Resume: %(pause)s") % {"pause": row},
            explanation=_("What waited is sent at once, and new refunds are accepted again."),
            button=_("Resume"),
            back=page_of(row),
            needs_fresh_proof=True,
            facts=[
                (_("Paused by"), row.paused_by),
                (pgettext_lazy("how long", "For"), self.since(row)),
                (_("Because"), row.reason),
            ],
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)
