"""Payments that Vipps told of and that a worker is still to read: as a rule none, or those of the last second."""

from typing import Any

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.base import LongListAdmin
from hq.admin.filters import ProblemFilter
from hq.admin.showing import NOTHING, moment
from stores.models import PaymentToRead


@register(PaymentToRead, site=site)
class PaymentToReadAdmin(LongListAdmin):
    """The longest waiting first; one without a next try was given up, and says why."""

    company_path = "sales_unit__company"
    list_display = ("reference", "unit", "asked_at", "next_try", "tries", "why_not")
    list_filter = (ProblemFilter,)
    list_select_related = ("sales_unit",)
    search_fields = ("=reference",)
    search_help_text = _("A whole reference.")
    ordering = ("asked_at", "id")
    sortable_by = ()
    fields = readonly_fields = ("reference", "unit", "asked_at", "next_try", "tries", "why_not")

    @display(description=_("sales unit"))
    def unit(self, row: PaymentToRead) -> str:
        return str(row.sales_unit)

    @display(description=_("next try"))
    def next_try(self, row: PaymentToRead) -> Any:
        return moment(row.due_at) if row.due_at else _("given up")

    @display(description=_("what went wrong last"))
    def why_not(self, row: PaymentToRead) -> str:
        return row.problem or NOTHING
