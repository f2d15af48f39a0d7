"""Settlements: how far Vipps' own book of each sales unit has been read, and why one is not."""

from typing import Any

from django.contrib.admin import register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import HqAdmin
from hq.admin.showing import link_to, listed, moment, page_of
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from stores import settlements
from stores.access import Right
from stores.models import SettlementAccess


@register(SettlementAccess, site=site)
class SettlementAdmin(HqAdmin):
    """One row for each sales unit with keys; a partner's keys cannot read settlements, and the row says so."""

    company_path = "sales_unit__company"
    list_display = (
        *("unit", "is_read", "ledgers", "read_until", "entries", "orders_found", "read_to_the_end"),
        *("last_read_at", "next_read_at", "problem"),
    )
    list_display_links = ("unit",)
    list_select_related = ("sales_unit",)
    search_fields = ("=sales_unit__msn", "sales_unit__name")
    ordering = ("sales_unit__name",)
    fields = readonly_fields = (
        *("unit_link", "is_read", "ledgers", "begun", "read_until", "entries", "orders_found", "read_to_the_end"),
        *("last_read_at", "next_read_at", "problem"),
    )
    actions_detail = ("read_from_the_beginning",)

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

    @display(description=_("orders found"))
    def orders_found(self, row: SettlementAccess) -> int:
        """That nobody had told of before."""
        return sum(feed.orders for feed in row.sales_unit.settlement_feeds.all())

    @display(description=_("read from the beginning since"))
    def begun(self, row: SettlementAccess) -> Any:
        return listed(moment(feed.begun_at) for feed in row.sales_unit.settlement_feeds.all())

    @display(description=_("read until"))
    def read_until(self, row: SettlementAccess) -> str:
        """When the newest entry was booked: how far the reading has come, of the ledger that is furthest behind."""
        latest = [feed.latest_at for feed in row.sales_unit.settlement_feeds.all() if feed.latest_at is not None]
        return moment(min(latest, default=None))

    @display(description=_("read to the end"))
    def read_to_the_end(self, row: SettlementAccess) -> Any:
        feeds = row.sales_unit.settlement_feeds.all()
        if any(not feed.is_at_its_end for feed in feeds):
            return _("not yet")
        return moment(min((feed.complete_at for feed in feeds if feed.complete_at is not None), default=None))

    def has_reconcile_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown; the verb decides again."""
        return self.may(request, Right.RECONCILE)

    @action(
        description=_("Read from the beginning"), permissions=["reconcile"], icon="history", variant=ActionVariant.PRIMARY
    )
    def read_from_the_beginning(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: SettlementAccess = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            settlements.read_from_the_beginning(row.sales_unit, asker=asker_of(request), by=actor_of(request))
            return _("A worker begins now. How far it has come stands here.")

        page = VerbPage(
            title=_("Read the settlement of %(unit)s from its beginning") % {"unit": row.sales_unit},
            explanation=_(
                "Every payment that the sales unit ever settled becomes an order that can be found, and what was refunded of "
                "it counts. What was read before stays. No money moves."
            ),
            button=_("Read it all"),
            back=page_of(row),
            facts=[(_("read until"), self.read_until(row)), (_("entries read"), str(self.entries(row)))],
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)
