"""The clearing page: what stores owe each other in a period, and the same as CSV; finance reads it, nobody changes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget

from hq import clearing
from hq.admin.admin_site import site
from hq.admin.asking import asker_of, company_of
from hq.admin.csv_files import Cell, csv_file, decimal
from hq.admin.showing import money
from hq.clearing import Clearing, Pair, Period, Position
from stores import access
from stores.access import Right

LONGEST_DAYS = 400
BOUNDS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2199, 12, 31))]
"""Days that every calendar and database in between can count with."""
PAIRS, STORES = "pairs", "stores"


class PeriodForm(forms.Form):
    """Which days; it comes from the URL, so that a view can be kept and sent on."""

    first = forms.DateField(label=_("From"), widget=UnfoldAdminDateWidget(), validators=BOUNDS)
    last = forms.DateField(label=_("To"), widget=UnfoldAdminDateWidget(), validators=BOUNDS)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and not 0 <= (last - first).days <= LONGEST_DAYS:
            raise forms.ValidationError(_("Choose a period that ends after it begins, of at most 400 days."))
        return cleaned

    def period(self) -> Period:
        """The days of a valid form."""
        return Period(first=self.cleaned_data["first"], last=self.cleaned_data["last"])


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the page. `rows` is for people, `plain` the same rows for a file: amounts as numbers."""

    title: str | Promise
    headers: Sequence[str | Promise]
    rows: list[list[Cell]]
    plain: list[list[Cell]]
    csv: str


def page(request: HttpRequest) -> HttpResponse:
    """The page, or with `csv=pairs` or `csv=stores` one of its tables as a file. A bad period is 422 and shows nothing."""
    if not access.may(asker_of(request), Right.SEE_HQ):
        raise PermissionDenied
    now = clearing.this_month()
    asked = request.GET if "first" in request.GET or "last" in request.GET else None
    form = PeriodForm(asked or {"first": now.first, "last": now.last})
    tables: dict[str, Table] = {}
    subtitle = ""
    if form.is_valid():
        period = form.period()
        tables = _tables(clearing.clearing_of(company_of(request), period))
        wanted = tables.get(request.GET.get("csv", ""))
        if wanted is not None:
            name = f"clearing-{request.GET['csv']}-{period.first.isoformat()}-{period.last.isoformat()}"
            return csv_file(name, wanted.headers, wanted.plain)
        subtitle = f"{date_format(period.first)} – {date_format(period.last)}"
    context = {
        **site.each_context(request),
        "title": _("Clearing"),
        "subtitle": subtitle,
        "form": form,
        "media": form.media,
        "tables": list(tables.values()),
    }
    return TemplateResponse(request, "admin/clearing.html", context, status=200 if form.is_valid() else 422)


def _tables(found: Clearing) -> dict[str, Table]:
    pairs = [
        *(_("Took the goods back"), _("Sold"), _("Currency"), _("Refunds"), _("Owes the seller")),
        *(_("Is owed by the seller"), _("Net")),
    ]
    stores = [_("Store"), _("Currency"), _("Is owed"), _("Owes"), _("Net")]
    return {
        PAIRS: Table(
            title=_("Between two stores"),
            headers=pairs,
            rows=[_pair(pair, money) for pair in found.pairs],
            plain=[_pair(pair, _number) for pair in found.pairs],
            csv=_link(found.period, PAIRS),
        ),
        STORES: Table(
            title=_("Each store against all others"),
            headers=stores,
            rows=[_position(position, money) for position in found.positions],
            plain=[_position(position, _number) for position in found.positions],
            csv=_link(found.period, STORES),
        ),
    }


def _pair(pair: Pair, amount: Callable[[int, str], str]) -> list[Cell]:
    sums = (pair.amount_minor, pair.back_minor, pair.net_minor)
    return [str(pair.refunding), str(pair.origin), pair.currency, pair.count, *(amount(s, pair.currency) for s in sums)]


def _position(position: Position, amount: Callable[[int, str], str]) -> list[Cell]:
    sums = (position.owed_minor, position.owes_minor, position.net_minor)
    return [str(position.store), position.currency, *(amount(s, position.currency) for s in sums)]


def _number(amount_minor: int, _currency: str) -> str:
    return decimal(amount_minor)


def _link(period: Period, table: str) -> str:
    return "?" + urlencode({"first": period.first.isoformat(), "last": period.last.isoformat(), "csv": table})


site.add_page("clearing/", page, name="clearing")
