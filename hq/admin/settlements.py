"""Settlements: how far Vipps' own book of each sales unit has been read, and why one is not."""

from typing import Any

from django.contrib.admin import register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.base import HqAdmin
from hq.admin.showing import link_to, listed, moment
from stores.models import SettlementAccess


@register(SettlementAccess, site=site)
class SettlementAdmin(HqAdmin):
    """One row for each sales unit with keys; a partner's keys cannot read settlements, and the row says so."""

    company_path = "sales_unit__company"
    list_display = ("unit", "is_read", "ledgers", "entries", "read_to_the_end", "last_read_at", "next_read_at", "problem")
    list_display_links = ("unit",)
    list_select_related = ("sales_unit",)
    search_fields = ("=sales_unit__msn", "sales_unit__name")
    ordering = ("sales_unit__name",)
    fields = readonly_fields = (
        *("unit_link", "is_read", "ledgers", "entries", "read_to_the_end", "last_read_at", "next_read_at", "problem"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("sales_unit__settlement_feeds")

    @display(description=_("sales unit"))
    def unit(self, row: SettlementAccess) -> str:
        return str(row.sales_unit)

    @display(description=_("sales unit"))
    def unit_link(self, row: SettlementAccess) -> Any:
        return link_to(row.sales_unit)

    @display(description=_("is read"), boolean=True)
    def is_read(self, row: SettlementAccess) -> bool | None:
        """None while nobody has tried yet."""
        return not row.problem if row.problem or row.last_read_at else None

    @display(description=_("ledgers"))
    def ledgers(self, row: SettlementAccess) -> Any:
        return listed(feed.ledger_id for feed in row.sales_unit.settlement_feeds.all())

    @display(description=_("entries read"))
    def entries(self, row: SettlementAccess) -> int:
        return sum(feed.entries for feed in row.sales_unit.settlement_feeds.all())

    @display(description=_("read to the end"))
    def read_to_the_end(self, row: SettlementAccess) -> str:
        ends = [feed.complete_at for feed in row.sales_unit.settlement_feeds.all()]
        known = [end for end in ends if end is not None]
        return moment(min(known) if known and len(known) == len(ends) else None)
