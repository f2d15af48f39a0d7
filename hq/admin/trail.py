"""The trail: every entry with its sentence, its facts and its place in the chain; read-only like the table itself."""

import json
from typing import Any

from django.contrib.admin import register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.decorators import display

from hq.admin.admin_site import site
from hq.admin.asking import company_of
from hq.admin.base import HqAdmin, LongListAdmin
from hq.admin.filters import DaysFilter
from hq.admin.showing import mono
from stores import audit, events
from stores.access import Right
from stores.actors import ActorKind
from stores.models import Chain, Entry


class EventFilter(DropdownFilter):
    """The closed list of what the trail can say."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.name) for kind in events.all_kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class ActorKindFilter(DropdownFilter):
    """A person, a store system, or the hub itself."""

    title = _("kind of actor")
    parameter_name = "actor_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (ActorKind.PERSON.value, _("a person")),
            (ActorKind.STORE_SYSTEM.value, _("a store system")),
            (ActorKind.HUB.value, _("the hub")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(actor_kind=self.value()) if self.value() else queryset


@register(Entry, site=site)
class EntryAdmin(LongListAdmin):
    """Newest first; a chain and its number name an entry for good."""

    seen_by = Right.SEE_TRAIL
    company_path = "chain__company"
    list_display = ("at", "place", "sentence", "actor_name", "short_hash")
    list_filter = (
        EventFilter,
        ("chain", AutocompleteSelectFilter),
        ActorKindFilter,
        ("at", DaysFilter),
        ("refunding_store", AutocompleteSelectFilter),
    )
    list_select_related = ("chain__store", "refunding_store")
    search_fields = ("=subject_id", "=actor_name")
    search_help_text = _("The whole id of a thing, or the whole name of a person or system.")
    ordering = ("-at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        *("sentence", "at", "place", "event", "subject_type", "subject_id", "actor_kind", "actor_name", "actor_id"),
        *("refunding_store", "facts", "whole_hash", "previous_hash"),
    )

    @display(description=_("chain"))
    def place(self, entry: Entry) -> str:
        return f"{entry.chain} · {entry.counter}"

    @display(description=_("what happened"))
    def sentence(self, entry: Entry) -> str:
        return audit.sentence_of(entry)

    @display(description=_("hash"))
    def short_hash(self, entry: Entry) -> Any:
        return mono(bytes(entry.hash).hex()[:12])

    @display(description=_("hash"))
    def whole_hash(self, entry: Entry) -> Any:
        return mono(bytes(entry.hash).hex())

    @display(description=_("hash before it"))
    def previous_hash(self, entry: Entry) -> Any:
        return mono(bytes(entry.previous).hex())

    @display(description=_("facts"))
    def facts(self, entry: Entry) -> Any:
        told = json.dumps(json.loads(entry.canonical), ensure_ascii=False, indent=2)
        return format_html('<pre class="hq-mono hq-wrap">{}</pre>', told)


@register(Chain, site=site)
class ChainAdmin(HqAdmin):
    """The heads: one chain per store and one for headquarters."""

    seen_by = Right.SEE_TRAIL
    list_display = ("__str__", "counter", "head_hash")
    list_select_related = ("store",)
    search_fields = ("store__code", "store__name")
    ordering = ("store__code",)
    fields = readonly_fields = ("company", "store", "counter", "head_hash")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Chain.objects.filter(company=company_of(request)).order_by("store__code")

    @display(description=_("head"))
    def head_hash(self, chain: Chain) -> Any:
        return mono(bytes(chain.head).hex())
