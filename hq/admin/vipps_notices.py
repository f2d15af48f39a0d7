"""Every notice of Vipps, and its verdict."""

from typing import Any

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.base import LongListAdmin
from hq.admin.filters import DaysFilter
from hq.admin.showing import mono
from stores.models import Notice, NoticeVerdict


@register(Notice, site=site)
class NoticeAdmin(LongListAdmin):
    """Every call to those addresses; the body stays closed, because it may name a customer."""

    company_path = "registration__company"
    list_display = ("received_at", "registration", "verdict_label", "name", "reference", "msn")
    list_filter = (
        ("verdict", ChoicesDropdownFilter),
        ("registration", AutocompleteSelectFilter),
        ("received_at", DaysFilter),
    )
    list_select_related = ("registration__sales_unit", "registration__key_set")
    search_fields = ("=reference", "=psp_reference")
    search_help_text = _("A whole reference, ours or Vipps'.")
    ordering = ("-received_at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        *("registration", "received_at", "verdict", "read_at", "name", "msn", "reference", "psp_reference"),
        *("signed_at", "size"),
    )

    @display(
        description=_("verdict"),
        label={
            NoticeVerdict.UNREAD: "default",
            NoticeVerdict.ENDED: "default",
            NoticeVerdict.GENUINE: "success",
            NoticeVerdict.DUPLICATE: "info",
            NoticeVerdict.FORGED: "danger",
            NoticeVerdict.CHANGED: "danger",
            NoticeVerdict.OTHER_UNIT: "danger",
            NoticeVerdict.UNREADABLE: "warning",
            NoticeVerdict.STALE: "warning",
            NoticeVerdict.MALFORMED: "warning",
        },
    )
    def verdict_label(self, notice: Notice) -> tuple[str, str]:
        return notice.verdict, notice.get_verdict_display()

    @display(description=_("signed, as it says"))
    def signed_at(self, notice: Notice) -> Any:
        return mono(str(notice.headers.get("x-ms-date", "")))

    @display(description=_("bytes"))
    def size(self, notice: Notice) -> int:
        return len(notice.body)
