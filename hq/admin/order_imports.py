"""Files of orders: given in for a store system, checked, looked at, and then imported in the background."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of, company_of
from hq.admin.base import HqAdmin, Rows
from hq.admin.filters import DaysFilter
from hq.admin.showing import link_to, page_of
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from stores import importing
from stores.models import Company, ImportState, OrderImport, OrderImportRow, Scope, StoreSystem
from stores.orders import Outcome

COLOURS = {
    ImportState.REHEARSING: "info",
    ImportState.REHEARSED: "warning",
    ImportState.IMPORTING: "info",
    ImportState.DONE: "success",
    ImportState.CANCELLED: "default",
}
OUTCOMES = {Outcome.UPDATED: _("updated"), Outcome.CONFLICT: _("contradicting"), Outcome.REFUSED: _("refused")}
"""Of the rows that are kept to look at."""


class FileForm(VerbForm):
    """For whom, and the file."""

    system = forms.ModelChoiceField(
        label=_("Store system"), queryset=StoreSystem.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )
    file = forms.FileField(
        label=_("File"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv"}),
        help_text=_(
            "CSV with the columns reference, amount_minor, currency, paid_at, and optionally channel and receipt_number. "
            "Amounts are whole minor units (25000 for 250.00), times RFC 3339 with their offset (2026-11-27T14:05:00+01:00). "
            "At most 50 MiB and 500,000 rows."
        ),
    )

    def __init__(self, data: Any = None, files: Any = None, *, company: Company) -> None:
        super().__init__(data, files)
        systems: Any = self.fields["system"]
        systems.queryset = StoreSystem.objects.filter(
            store__company=company, store__closed_at=None, is_active=True, scopes__contains=[Scope.ORDERS_WRITE]
        ).select_related("store")


class ToldRows(Rows):
    """Rows of which there is something to say."""

    model = OrderImportRow
    fields = readonly_fields = ("number", "outcome_label", "reference", "difference", "field", "sentence", "code")
    verbose_name_plural = _("rows to look at")

    per_page = 50

    @display(description=_("outcome"))
    def outcome_label(self, row: OrderImportRow) -> str:
        return str(OUTCOMES[Outcome(row.outcome)])

    @display(description=_("what it is"))
    def sentence(self, row: OrderImportRow) -> str:
        return gettext(row.detail) if row.detail else ""


@register(OrderImport, site=site)
class OrderImportAdmin(HqAdmin):
    """What is on its way, and what became of each file."""

    company_path = "system__store__company"
    list_display = ("file_name", "system", "state_label", "progress", "created", "to_look_at", "asked_by", "uploaded_at")
    list_filter = (("state", ChoicesDropdownFilter), ("system__store", AutocompleteSelectFilter), ("uploaded_at", DaysFilter))
    list_select_related = ("system__store", "asked_by")
    ordering = ("-uploaded_at",)
    fields = readonly_fields = (
        *("file_name", "system_link", "read_as", "rows"),
        *("created", "updated", "unchanged", "conflict", "refused"),
        *("asked_by", "uploaded_at", "started_by", "started_at", "ended_at"),
    )
    inlines = (ToldRows,)
    actions_list = ("give_in",)
    actions_detail = ("start", "cancel")
    change_form_outer_before_template = "admin/import_progress.html"

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """The page asks for itself while a worker is at it; once that has ended, all of it is asked for, buttons too."""
        answer: HttpResponse = super().changeform_view(request, *args, **options)
        order_import = getattr(answer, "context_data", {}).get("original")
        if "HX-Request" in request.headers and order_import is not None and not order_import.is_running:
            answer.headers["HX-Refresh"] = "true"
        return answer

    def has_start_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may_decide(request, object_id, lambda found: found.state == ImportState.REHEARSED)

    def has_cancel_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may_decide(request, object_id, lambda found: found.ended_at is None)

    def _may_decide(self, request: HttpRequest, object_id: str | None, fits: Any) -> bool:
        """Whether the button is shown; the verb decides again."""
        if not self.has_manage_stores_permission(request):
            return False
        found = self.get_object(request, object_id) if object_id else None
        return object_id is None or (found is not None and fits(found))

    @display(description=_("state"), label=dict(COLOURS))
    def state_label(self, order_import: OrderImport) -> tuple[str, str]:
        return order_import.state, order_import.get_state_display()

    @display(description=_("progress"))
    def progress(self, order_import: OrderImport) -> str:
        return f"{order_import.rows_done} / {order_import.rows}"

    @display(description=_("to look at"))
    def to_look_at(self, order_import: OrderImport) -> int:
        return order_import.refused + order_import.conflict

    @display(description=_("store system"))
    def system_link(self, order_import: OrderImport) -> Any:
        return link_to(order_import.system)

    @display(description=_("read as"))
    def read_as(self, order_import: OrderImport) -> str:
        return {"cp1252": "Windows-1252", "utf-8-sig": "UTF-8"}.get(order_import.encoding, order_import.encoding.upper())

    @action(
        description=_("Import orders from a file"), permissions=["manage_stores"], icon="upload", variant=ActionVariant.PRIMARY
    )
    def give_in(self, request: HttpRequest) -> HttpResponse:
        def act(form: FileForm) -> Any:
            file = form.cleaned_data["file"]
            taken = importing.take_file(file, name=file.name, system=form.cleaned_data["system"], asker=asker_of(request))
            return HttpResponseRedirect(page_of(taken))

        page = VerbPage(
            title=_("Import orders from a file"),
            explanation=_(
                "The file is checked first: you see what is new, what differs from what the hub knows, and what is wrong. "
                "Nothing is imported before you say so."
            ),
            button=_("Check the file"),
            back=reverse("admin:stores_orderimport_changelist"),
        )

        def form_of(data: Any) -> FileForm:
            return FileForm(data, request.FILES if data is not None else None, company=company_of(request))

        return verb_page(self, request, page, form_of=form_of, act=act)

    @action(description=_("Import it now"), permissions=["start"], icon="play_arrow", variant=ActionVariant.PRIMARY)
    def start(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order_import: OrderImport = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            importing.start_import(order_import, asker=asker_of(request), by=actor_of(request))
            return _("It is being imported.")

        page = VerbPage(
            title=_("Import %(file)s") % {"file": order_import.file_name},
            explanation=_(
                "Good rows come in; wrong ones are left out. A row that contradicts what the hub knows changes nothing and "
                "becomes a contradiction to settle."
            ),
            button=_("Import it now"),
            back=page_of(order_import),
            facts=_counts(order_import),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    @action(description=_("Cancel"), permissions=["cancel"], icon="cancel", variant=ActionVariant.DANGER)
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order_import: OrderImport = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            importing.cancel_import(order_import, asker=asker_of(request), by=actor_of(request))
            return _("It is cancelled.")

        page = VerbPage(
            title=_("Cancel the import of %(file)s") % {"file": order_import.file_name},
            explanation=_("What has come in stays; the rest does not come in."),
            button=_("Cancel it"),
            back=page_of(order_import),
            is_dangerous=True,
            facts=_counts(order_import),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)


def _counts(order_import: OrderImport) -> list[tuple[Any, Any]]:
    return [
        (_("rows"), f"{order_import.rows_done} / {order_import.rows}"),
        (_("new"), str(order_import.created)),
        (_("updated"), str(order_import.updated)),
        (_("unchanged"), str(order_import.unchanged)),
        (_("contradicting"), str(order_import.conflict)),
        (_("refused"), str(order_import.refused)),
    ]
