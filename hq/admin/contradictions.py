"""Contradictions: what a later sync said otherwise about an order; it changed nothing."""

from typing import Any

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.base import HqAdmin
from hq.admin.filters import DaysFilter, EndedFilter
from hq.admin.showing import link_to, listed
from stores.models import OrderConflict


@register(OrderConflict, site=site)
class ContradictionAdmin(HqAdmin):
    """The open ones first in mind: somebody has to find out which till is wrong."""

    company_path = "order__store__company"
    list_display = ("order_link", "store", "said_by", "differs", "seen_at", "settled_at")
    list_filter = (("settled_at", EndedFilter), ("seen_at", DaysFilter))
    list_select_related = ("order__store",)
    ordering = ("-seen_at",)
    fields = readonly_fields = ("order_link", "store", "said_by", "differs", "claims", "seen_at", "settled_at")

    @display(description=_("order"))
    def order_link(self, conflict: OrderConflict) -> Any:
        return link_to(conflict.order)

    @display(description=_("store"))
    def store(self, conflict: OrderConflict) -> str:
        return str(conflict.order.store)

    @display(description=_("what differs"))
    def differs(self, conflict: OrderConflict) -> Any:
        differences = conflict.differences
        if isinstance(differences, dict):
            return listed(f"{name}: {said}" for name, said in sorted(differences.items()))
        return str(differences)
