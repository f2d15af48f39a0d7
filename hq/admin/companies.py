"""The chain itself: one row, and what it says of receipts and of references."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin
from hq.admin.showing import page_of
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from stores import particulars, registry
from stores.models import Company
from stores.reference_template import FIELDS, LONGEST


class DescribeCompanyForm(VerbForm):
    """What receipts say of the company."""

    organisation_number = forms.CharField(
        label=_("Organisation number"),
        max_length=30,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=_("As it must stand on a receipt, such as 987 654 321 MVA."),
    )


class ReferenceTemplateForm(VerbForm):
    """How the chain's tills write references."""

    template = forms.CharField(
        label=_("Template"),
        max_length=LONGEST,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Such as {store}-{yyyymmdd}-{number}. Empty: they are written in no certain way."),
    )


@register(Company, site=site)
class CompanyAdmin(HqAdmin):
    """One row: the asker's own company."""

    list_display = ("name", "organisation_number", "open_stores")
    fields = ("name", "organisation_number", "reference_template", "open_stores")
    readonly_fields = fields
    actions_detail = ("describe_company", "set_reference_template")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = Company.objects.filter(pk=company_of(request).pk)
        return mine.annotate(open_stores=Count("stores", filter=Q(stores__closed_at=None)))

    @display(description=_("open stores"))
    def open_stores(self, company: Any) -> int:
        count: int = company.open_stores
        return count

    @action(description=_("What receipts say"), permissions=["manage_stores"], icon="receipt_long")
    def describe_company(self, request: HttpRequest, object_id: str) -> HttpResponse:
        company: Company = self.row(request, object_id)
        now = {"organisation_number": company.organisation_number}

        def act(form: DescribeCompanyForm) -> Any:
            particulars.describe_company(company, **form.cleaned_data, by=actor_of(request))
            return _("Receipts of %(store)s say so from now on.") % {"store": company}

        page = VerbPage(
            title=_("What receipts of %(store)s say") % {"store": company},
            explanation=_("The number stands on the receipts of every store that is no company of its own."),
            button=_("Save"),
            back=page_of(company),
        )
        return verb_page(self, request, page, form_of=lambda data: DescribeCompanyForm(data, initial=now), act=act)

    @action(description=_("How references are written"), permissions=["manage_stores"], icon="pattern")
    def set_reference_template(self, request: HttpRequest, object_id: str) -> HttpResponse:
        company: Company = self.row(request, object_id)
        now = {"template": company.reference_template}

        def act(form: ReferenceTemplateForm) -> Any:
            registry.set_reference_template(company, form.cleaned_data["template"], by=actor_of(request))
            return _("Search reads references so from now on.")

        page = VerbPage(
            title=_("How references of %(company)s are written") % {"company": company},
            explanation=_(
                "Search then knows which store and day a part of a reference names. Others are found as before."
            ),
            button=_("Save"),
            back=page_of(company),
            facts=[
                (_("Fields"), ", ".join(f"{{{name}}}" for name in FIELDS)),
                (_("Everything else"), _("letters and digits as they stand; separators do not matter")),
            ],
        )
        return verb_page(self, request, page, form_of=lambda data: ReferenceTemplateForm(data, initial=now), act=act)
