"""The chain itself: read-only."""

from typing import Any

from django.contrib.admin import register
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from hq.admin.base import HqAdmin
from hq.admin.admin_site import site
from stores.models import Company


@register(Company, site=site)
class CompanyAdmin(HqAdmin):
    """One row: the asker's own company."""

    company_path = "pk"
    list_display = ("name", "organisation_number", "open_stores")
    fields = ("name", "organisation_number", "open_stores")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = super().get_queryset(request)
        return queryset.annotate(open_stores=Count("stores", filter=Q(stores__closed_at=None)))

    @display(description=_("open stores"))
    def open_stores(self, company: Any) -> int:
        count: int = company.open_stores
        return count
