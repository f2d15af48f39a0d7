"""Orders: read-only, found with the same search as at the desk, with what is left to refund."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import LongListAdmin, Rows
from hq.admin.csv_files import streamed_csv_file
from hq.admin.files.orders import ORDER_COLUMNS, note_export, order_rows
from hq.admin.filters import AmountFilter, DaysFilter
from hq.admin.showing import NOTHING, link_to, listed, moment, money, page_of
from hq.admin.verb_page import VerbForm, VerbPage, verb_page
from refunds import checks, queries
from refunds.models import Difference, OrderCheck
from stores import access, search, settled
from stores.access import Right
from stores.errors import HubError
from stores.models import Order, OrderLine

HITS = 50


class LineRows(Rows):
    """What was bought, where the till said so."""

    model = OrderLine
    fields = readonly_fields = ("number", "name", "sku", "quantity", "amount")
    verbose_name_plural = _("lines")

    @display(description=_("amount"))
    def amount(self, line: OrderLine) -> str:
        return money(line.amount_minor, line.order.currency)


class OrderList(ChangeList):
    """A page of orders, with what is left of each read at once."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        lefts = queries.lefts_of(self.result_list)
        for order in self.result_list:
            order.left_minor = lefts[order.pk].left_minor


@register(Order, site=site)
class OrderAdmin(ExportMixin, LongListAdmin):
    """Every payment of the chain that a store has synced."""

    seen_by = Right.SEARCH_ORDERS
    list_display = ("reference", "store", "paid_at", "amount", "left", "channel", "confirmed_at")
    list_filter = (
        ("store", AutocompleteSelectFilter),
        ("paid_at", DaysFilter),
        ("claimed_minor", AmountFilter),
        ("channel", ChoicesDropdownFilter),
    )
    list_select_related = ("store", "sales_unit")
    search_fields = ("reference",)
    search_help_text = _("A reference, its last characters, or a part of it; as at the desk, and recorded as there.")
    ordering = ("-paid_at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        *("reference", "store", "unit", "channel", "paid_at", "paid_at_from", "claimed_paid_at", "receipt_number"),
        *("claimed", "captured", "refunded_seen"),
        *("left", "refunds", "disputed", "differing", "last_compared", "confirmed_at", "indexed_at", "updated_at", "public_id"),
    )
    inlines = (LineRows,)
    actions_detail = ("compare",)
    import_export_change_list_template = "admin/import_export/change_list_export.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return access.visible_orders(asker_of(request)).order_by(*self.ordering)

    def get_changelist(self, request: HttpRequest, **_options: object) -> type[OrderList]:
        return OrderList

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            found = search.find_orders(search_term, asker=asker_of(request), limit=HITS)
        except HubError as refusal:
            messages.warning(request, str(refusal.sentence))
            return queryset.none(), False
        if found.hint:
            messages.info(request, str(found.hint))
        return queryset.filter(pk__in=[hit.order.pk for hit in found.hits]), False

    @display(description=_("amount"))
    def amount(self, order: Order) -> str:
        return money(order.amount_minor, order.currency)

    @display(description=_("claimed by the store"))
    def claimed(self, order: Order) -> str:
        return money(order.claimed_minor, order.currency)

    @display(description=_("captured, said Vipps"))
    def captured(self, order: Order) -> str:
        return money(order.captured_minor, order.currency)

    @display(description=_("refunded at Vipps when last read"))
    def refunded_seen(self, order: Order) -> str:
        return money(order.refunded_seen_minor, order.currency)

    @display(description=_("left to refund"))
    def left(self, order: Order) -> str:
        left_minor = getattr(order, "left_minor", None)
        return money(queries.left_of(order).left_minor if left_minor is None else left_minor, order.currency)

    @display(description=_("taken back by the customer's bank"))
    def disputed(self, order: Order) -> str:
        return money(settled.disputed_minor(order) or None, order.currency)

    @display(description=_("differences"))
    def differing(self, order: Order) -> Any:
        return listed(
            link_to(each, each.get_kind_display()) for each in Difference.objects.filter(order=order, closed_at=None)
        )

    @display(description=_("last compared"))
    def last_compared(self, order: Order) -> str:
        check = OrderCheck.objects.filter(order=order).first()
        if check is None:
            return NOTHING
        return check.problem or moment(check.checked_at)

    def has_reconcile_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may(request, Right.RECONCILE)

    @action(description=_("Compare with Vipps"), permissions=["reconcile"], icon="sync", variant=ActionVariant.PRIMARY)
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order: Order = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            checks.ask_for(order, asker=asker_of(request), by=actor_of(request))
            return _("A worker looks at it now.")

        page = VerbPage(
            title=_("Compare order %(reference)s with Vipps") % {"reference": order.reference},
            explanation=_("The payment and its event log are read; refunds made elsewhere are counted. No money moves."),
            button=_("Compare now"),
            back=page_of(order),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Right.SEARCH_ORDERS)

    def export_action(self, request: HttpRequest) -> StreamingHttpResponse:
        """A file of what the list shows, as long as it may be; who downloads it stands in the trail."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        orders = self.get_export_queryset(request)
        chosen = urlencode([(name, value) for name, value in request.GET.items() if value])
        note_export(chosen, asker=asker_of(request), by=actor_of(request))
        return streamed_csv_file("orders", ORDER_COLUMNS, order_rows(orders))

    @display(description=_("sales unit"))
    def unit(self, order: Order) -> Any:
        return link_to(order.sales_unit)

    @display(description=_("refunds"))
    def refunds(self, order: Order) -> Any:
        return listed(
            link_to(
                refund,
                f"R{refund.number} · {money(refund.shown_minor, refund.currency)} · {refund.get_state_display()}",
            )
            for refund in queries.refunds_of(order)
        )
