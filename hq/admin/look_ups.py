"""Look-ups: who searched for what; another store's orders are not everybody's business."""

from typing import Any

from django.contrib.admin import register
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.asking import company_of
from hq.admin.base import LongListAdmin
from hq.admin.filters import DaysFilter
from stores.access import Right
from stores.models import LookUp, Membership


@register(LookUp, site=site)
class LookUpAdmin(LongListAdmin):
    """Searches, newest first."""

    seen_by = Right.SEE_TRAIL
    list_display = ("at", "who", "store", "typed", "hits")
    list_display_links = None
    list_filter = (("at", DaysFilter), ("user", AutocompleteSelectFilter), ("store", AutocompleteSelectFilter))
    list_select_related = ("user", "system__store", "store")
    ordering = ("-at", "-id")
    sortable_by = ()
    fields = readonly_fields = ("at", "who", "store", "typed", "hits")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        company = company_of(request)
        people = Membership.objects.filter(company=company).values("user")
        return LookUp.objects.filter(Q(system__store__company=company) | Q(user__in=people)).order_by(*self.ordering)

    @display(description=_("who"))
    def who(self, look_up: LookUp) -> str:
        return str(look_up.user or look_up.system)
