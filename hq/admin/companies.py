"""The chain itself: read-only."""

from typing import Any

from django.contrib.admin import register
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.asking import company_of
from hq.admin.base import HqAdmin
from stores.models import Company


@register(Company, site=site)
class CompanyAdmin(HqAdmin):
    """One row: the asker's own company."""

    list_display = ("name", "organisation_number", "open_stores")
    fields = ("name", "organisation_number", "open_stores")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = Company.objects.filter(pk=company_of(request).pk)
        return mine.annotate(open_stores=Count("stores", filter=Q(stores__closed_at=None)))

    @display(description=_("open stores"))
    def open_stores(self, company: Any) -> int:
        count: int = company.open_stores
        return count
