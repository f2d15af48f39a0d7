"""List filters that live in the URL: days in the reader's time zone, amounts in whole currency units, open or ended."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.admin import FieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, RangeDateFilter, RangeNumericFilter
from unfold.utils import parse_date_str

from refunds.models import State


class SellingStoreFilter(AutocompleteSelectFilter):
    """The store that sold, beside the one that took the goods back."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = _("store that sold")


class DaysFilter(RangeDateFilter):
    """From and to are whole days, both included; Unfold's own filter ends where the last day begins."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup in (("from", "date__gte"), ("to", "date__lte")):
            day = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{end}") or "")
            if day is not None:
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": day})
        return queryset


class AmountFilter(RangeNumericFilter):
    """People type 250 or 249,50; the column holds minor units."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup in (("from", "gte"), ("to", "lte")):
            minor = self._minor(self.used_parameters.get(f"{self.parameter_name}_{end}") or "")
            if minor is not None:
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": minor})
        return queryset

    @staticmethod
    def _minor(typed: str) -> int | None:
        if len(typed) > 12:
            return None
        try:
            amount = Decimal(typed.strip().replace(",", ".")) * 100
        except InvalidOperation:
            return None
        return int(amount) if amount.is_finite() and abs(amount) < 10**12 else None


class EndedFilter(FieldListFilter):
    """Whether a moment of ending (closed, ended, revoked, settled) has come."""

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        self.parameter = f"{field_path}__isnull"
        super().__init__(field, request, params, model, model_admin, field_path)
        chosen = self.used_parameters.get(self.parameter)
        self.chosen = chosen[-1] if isinstance(chosen, list) else chosen

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, text in ((None, _("All")), ("True", _("Not yet")), ("False", _("Yes"))):
            changes = {self.parameter: value} if value else {}
            yield {
                "selected": (str(self.chosen) if self.chosen is not None else None) == value,
                "query_string": changelist.get_query_string(changes, [] if value else [self.parameter]),
                "display": text,
            }


class MissingKeysFilter(DropdownFilter):
    """Sales units that cannot refund yet."""

    title = _("keys")
    parameter_name = "keys"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("missing", _("no keys")), ("present", _("has keys"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "missing":
            return queryset.exclude(key_set__version__gt=0)
        if self.value() == "present":
            return queryset.filter(key_set__version__gt=0)
        return queryset


class ProposalFilter(DropdownFilter):
    """Refunds in review for which an end is proposed, or not yet."""

    title = _("proposal to end a review")
    parameter_name = "proposal"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waits for a second person")), ("none", _("none yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "waiting":
            return queryset.filter(state=State.REVIEW, proposals__verdict="")
        if self.value() == "none":
            return queryset.filter(state=State.REVIEW).exclude(proposals__verdict="")
        return queryset


class DraftFilter(DropdownFilter):
    """Policy versions that wait for a second person, or were decided."""

    title = _("policy version")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waits for a second person")), ("decided", _("decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "waiting":
            return queryset.filter(verdict="")
        if self.value() == "decided":
            return queryset.exclude(verdict="")
        return queryset


class HoldFilter(DropdownFilter):
    """Holds that a review will end, or that two people have to lift."""

    title = _("what lifts it")
    parameter_name = "lifted_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("people", _("two people")), ("review", _("the end of a review"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("people", "review"):
            return queryset.filter(is_in_review=self.value() == "review")
        return queryset


class BreakerFilter(DropdownFilter):
    """Whom the hub leaves alone now."""

    title = _("now")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("left alone")), ("closed", _("asked as usual"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("open", "closed"):
            return queryset.filter(opened_at__isnull=self.value() == "closed")
        return queryset


class ProblemFilter(DropdownFilter):
    """Whether the last look at something went wrong."""

    title = _("last look")
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("some", _("a problem")), ("none", _("went well"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "some":
            return queryset.exclude(problem="")
        if self.value() == "none":
            return queryset.filter(problem="")
        return queryset
