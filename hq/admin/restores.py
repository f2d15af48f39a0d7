"""Restores: after one nothing is sent until every order touched near that time was read at Vipps again; how far it is."""

from typing import Any

from django.contrib.admin import register
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.base import HqAdmin
from hq.admin.showing import NOTHING, listed
from refunds import telling
from refunds.models import RestoreEpoch

SHOWN = 50
"""How many orders that could not be read are named; all of them stand among the orders on hold."""


@register(RestoreEpoch, site=site)
class RestoreAdmin(HqAdmin):
    """Declared on the machine (`manage.py declare_restore`), ended by the sweep; here one only sees how far it is."""

    list_display = ("restored_to", "stands_label", "progress", "unread", "declared_at", "declared_by", "reason", "ended_at")
    ordering = ("-declared_at",)
    sortable_by = ()
    fields = readonly_fields = (
        *("restored_to", "stands", "progress", "unread", "troubles", "declared_at", "declared_by", "reason"),
        *("quiet_until", "ended_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = super().get_queryset(request).annotate(
            orders=Count("looks"),
            read=Count("looks", filter=Q(looks__read_at__isnull=False)),
            failed=Count("looks", filter=~Q(looks__problem="")),
        )
        return counted

    @display(description=_("now"))
    def stands(self, epoch: RestoreEpoch) -> Any:
        if epoch.ended_at is not None:
            return _("ended")
        return _("orders are being read") if epoch.quiet_until is None else _("quiet time")

    @display(description=_("now"), label={"waiting": "danger", "ended": "success"})
    def stands_label(self, epoch: RestoreEpoch) -> tuple[str, Any]:
        return "waiting" if epoch.ended_at is None else "ended", self.stands(epoch)

    @display(description=_("orders read"))
    def progress(self, epoch: Any) -> str:
        return _("%(read)s of %(orders)s") % {"read": epoch.read, "orders": epoch.orders}

    @display(description=_("not readable"))
    def unread(self, epoch: Any) -> str:
        return str(epoch.failed)

    @display(description=_("orders that could not be read"))
    def troubles(self, epoch: RestoreEpoch) -> Any:
        failed = epoch.looks.exclude(problem="").select_related("order").order_by("order__reference")[:SHOWN]
        return listed(f"{look.order.reference}: {telling.code_in_words(look.problem)}" for look in failed) or NOTHING
