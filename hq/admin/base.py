"""What every page of headquarters has in common: nothing is added, edited or deleted but through a verb."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator

from hq.admin.asking import company_of, may
from stores.access import Right


class HqAdmin(ModelAdmin):
    """A window on rows of the asker's own company.

    Django's own add, change and delete forms are closed for every table and everybody; changes are verbs, each with a
    page of its own. Permissions are rights of `stores.access`; Django's permission tables are never asked.
    `company_path` is the lookup from the model to its company, `seen_by` the right that shows the rows.
    """

    seen_by: Right = Right.SEE_HQ
    company_path = "company"
    list_per_page = 50
    list_filter_submit = True
    compressed_fields = True
    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.seen_by)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.seen_by)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_manage_stores_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may(request, Right.MANAGE_STORES)

    def has_manage_keys_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may(request, Right.MANAGE_KEYS)

    def has_manage_people_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may(request, Right.MANAGE_PEOPLE)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the filters offer: Django would take any column, and so answer for a password's hash by guesses."""
        offered = [item[0] if isinstance(item, tuple) else getattr(item, "parameter_name", item) for item in self.list_filter]
        return any(lookup == name or lookup.startswith((f"{name}__", f"{name}_")) for name in offered)

    def may(self, request: HttpRequest, right: Right) -> bool:
        """Whether the asker holds that right at headquarters."""
        return may(request, right)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)
        return queryset.filter(**{self.company_path: company_of(request)})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        beside = self.shown_beside(obj) if obj is not None else {}
        answer: HttpResponse = super().render_change_form(request, {**context, **beside}, add, change, form_url, obj)
        return answer

    def shown_beside(self, row: Any) -> dict[str, Any]:
        """What the row's page shows beside its fields, for the page's own templates."""
        return {}

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """The row of that id if the asker may see it; another company's is as absent as none."""
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request, found):
            raise Http404
        return found


class LongListAdmin(HqAdmin):
    """For tables of millions: pages without a count."""

    paginator = InfinitePaginator
    show_full_result_count = False


class Rows(TabularInline):
    """Rows of another table under a page, to read only; the page's own right has been asked already."""

    extra = 0
    can_delete = False
    show_change_link = False
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, Right.SEE_HQ)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
