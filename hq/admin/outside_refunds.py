"""Refunded elsewhere: money that left Vipps without the hub, how old it is, and who has seen to it."""

from typing import Any

from django.contrib.admin import register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import LongListAdmin
from hq.admin.differences import ExplanationForm
from hq.admin.filters import AmountFilter, DaysFilter
from hq.admin.showing import NOTHING, link_to, moment, money, mono, page_of
from hq.admin.verb_page import VerbPage, verb_page
from refunds import outside
from refunds.models import Acknowledgement, OutsideRefund
from stores import clock
from stores.access import Right


class SeenToFilter(DropdownFilter):
    """Whether somebody has found out whose it was."""

    title = _("seen to")
    parameter_name = "seen_to"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("not_yet", _("Not yet")), ("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("not_yet", "yes"):
            return queryset.filter(acknowledgement__isnull=self.value() == "not_yet")
        return queryset


@register(OutsideRefund, site=site)
class OutsideRefundAdmin(LongListAdmin):
    """The ledger's own lines, never changed; what a person found out stands in a row beside them."""

    company_path = "order__store__company"
    list_display = ("order_link", "store", "amount", "kind", "reference_at_vipps", "booked_at", "age", "seen_to_by")
    list_display_links = ("amount",)
    list_filter = (
        SeenToFilter,
        ("kind", ChoicesDropdownFilter),
        ("order__store", AutocompleteSelectFilter),
        ("booked_at", DaysFilter),
        ("amount_minor", AmountFilter),
    )
    list_select_related = ("order__store", "acknowledgement__person")
    search_fields = ("=order__reference", "=psp_reference")
    search_help_text = _("A whole reference, the order's or Vipps'.")
    ordering = ("-booked_at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        *("order_link", "store", "amount", "kind", "reference_at_vipps", "booked_at", "seen_to_by", "seen_to_at", "note"),
    )
    actions_detail = ("acknowledge",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).order_by(*self.ordering)

    def has_acknowledge_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown; the verb decides again."""
        if not self.may(request, Right.RECONCILE):
            return False
        refund = self.get_object(request, object_id) if object_id else None
        return object_id is None or (refund is not None and _seen_to(refund) is None)

    @display(description=_("order"))
    def order_link(self, refund: OutsideRefund) -> Any:
        return link_to(refund.order)

    @display(description=_("store"))
    def store(self, refund: OutsideRefund) -> str:
        return refund.order.store.code

    @display(description=_("amount"))
    def amount(self, refund: OutsideRefund) -> str:
        return money(refund.amount_minor, refund.currency)

    @display(description=_("Vipps' reference"))
    def reference_at_vipps(self, refund: OutsideRefund) -> Any:
        return mono(refund.psp_reference)

    @display(description=_("age"))
    def age(self, refund: OutsideRefund) -> str:
        return timesince(refund.booked_at, clock.db_now())

    @display(description=_("seen to by"))
    def seen_to_by(self, refund: OutsideRefund) -> str:
        seen_to = _seen_to(refund)
        return str(seen_to.person) if seen_to else NOTHING

    @display(description=_("when"))
    def seen_to_at(self, refund: OutsideRefund) -> str:
        seen_to = _seen_to(refund)
        return moment(seen_to.at if seen_to else None)

    @display(description=_("note"))
    def note(self, refund: OutsideRefund) -> str:
        seen_to = _seen_to(refund)
        return seen_to.note if seen_to else NOTHING

    @action(
        description=_("Say whose refund it was"), permissions=["acknowledge"], icon="task_alt", variant=ActionVariant.PRIMARY
    )
    def acknowledge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: OutsideRefund = self.row(request, object_id)

        def act(form: ExplanationForm) -> Any:
            outside.acknowledge(refund, form.cleaned_data["note"], asker=asker_of(request), by=actor_of(request))
            return _("It is seen to.")

        page = VerbPage(
            title=_("The refund of %(amount)s made elsewhere") % {"amount": self.amount(refund)},
            explanation=_("It counts against what is left of the order, whoever made it. Say who did, and why not here."),
            button=_("It is seen to"),
            back=page_of(refund),
            facts=[(_("Order"), refund.order.reference), (_("Vipps' reference"), refund.psp_reference)],
        )
        return verb_page(self, request, page, form_of=ExplanationForm, act=act)


def _seen_to(refund: OutsideRefund) -> Acknowledgement | None:
    return getattr(refund, "acknowledgement", None)
