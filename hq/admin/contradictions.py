"""Contradictions: what somebody said otherwise about an order; it changed nothing, and a person settles it."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import HqAdmin
from hq.admin.filters import DaysFilter, EndedFilter
from hq.admin.showing import NOTHING, link_to, listed, money, page_of
from hq.admin.verb_page import ReasonForm, VerbPage, verb_page
from stores import orders
from stores.access import Right
from stores.models import OrderConflict, Settlement


class SettleForm(ReasonForm):
    """What it came to, and how one knows."""

    settlement = forms.ChoiceField(
        label=_("What it came to"), choices=Settlement.choices, widget=UnfoldAdminRadioSelectWidget()
    )
    field_order = ("settlement", "reason")


@register(OrderConflict, site=site)
class ContradictionAdmin(HqAdmin):
    """The open ones first in mind: somebody has to find out which till is wrong."""

    company_path = "order__store__company"
    list_display = ("order_link", "store", "said_by", "differs", "seen_at", "settled_at", "came_to")
    list_filter = (
        ("settled_at", EndedFilter),
        ("settlement", ChoicesDropdownFilter),
        ("order__store", AutocompleteSelectFilter),
        ("seen_at", DaysFilter),
    )
    list_select_related = ("order__store", "settled_by")
    search_fields = ("=order__reference",)
    search_help_text = _("A whole reference.")
    ordering = ("-seen_at",)
    fields = readonly_fields = (
        *("order_link", "store", "said_by", "differs", "hub_says", "was_said", "seen_at"),
        *("settled_at", "came_to", "settled_by", "reason"),
    )
    actions_detail = ("settle",)

    def has_settle_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown; the verb decides again."""
        if not self.may(request, Right.RECONCILE):
            return False
        conflict = self.get_object(request, object_id) if object_id else None
        return object_id is None or (conflict is not None and conflict.settled_at is None)

    @display(description=_("order"))
    def order_link(self, conflict: OrderConflict) -> Any:
        return link_to(conflict.order)

    @display(description=_("store"))
    def store(self, conflict: OrderConflict) -> str:
        return str(conflict.order.store)

    @display(description=_("what differs"))
    def differs(self, conflict: OrderConflict) -> Any:
        return listed(str(name) for name in conflict.differences)

    @display(description=_("the hub"))
    def hub_says(self, conflict: OrderConflict) -> Any:
        order = conflict.order
        facts = {
            "store": order.store.code,
            "claimed": money(order.claimed_minor, order.currency),
            "captured": money(order.captured_minor, order.currency),
            "paid_at": order.paid_at.isoformat(),
        }
        return listed(f"{name}: {said}" for name, said in facts.items())

    @display(description=_("what it said"))
    def was_said(self, conflict: OrderConflict) -> Any:
        return listed(f"{name}: {said}" for name, said in sorted(conflict.claims.items()))

    @display(description=_("what it came to"))
    def came_to(self, conflict: OrderConflict) -> Any:
        if conflict.settlement or conflict.settled_at is None:
            return conflict.get_settlement_display() or NOTHING
        return _("both sides came to agree")

    @action(description=_("Settle it"), permissions=["settle"], icon="task_alt", variant=ActionVariant.PRIMARY)
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        conflict: OrderConflict = self.row(request, object_id)

        def act(form: SettleForm) -> Any:
            said = form.cleaned_data
            orders.settle_contradiction(
                conflict,
                Settlement(said["settlement"]),
                reason=said["reason"],
                asker=asker_of(request),
                by=actor_of(request),
            )
            return _("It is settled.")

        page = VerbPage(
            title=_("Settle what was said otherwise of order %(reference)s") % {"reference": conflict.order.reference},
            explanation=_("The order stays as it is, and no money moves. The same said again is not shown again."),
            button=_("Settle it"),
            back=page_of(conflict),
            facts=[
                (_("said by"), conflict.said_by),
                (_("what differs"), ", ".join(conflict.differences)),
                (_("the hub"), self.hub_says(conflict)),
                (_("what it said"), self.was_said(conflict)),
            ],
        )
        return verb_page(self, request, page, form_of=SettleForm, act=act)
