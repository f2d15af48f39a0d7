"""Sales units as a file: which store sells through which, from when; new ones are added, known ones shared (set-up C)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from hq.admin.files.formats import SafeCsv
from hq.admin.files.resources import VerbResource
from stores import registry
from stores.actors import Actor
from stores.importing.damage import is_rewritten_date, is_scientific
from stores.models import Channel, Environment, SalesUnit, Store, StoreUnit
from stores.models.store import CURRENCY_OF_MARKET


@dataclass
class UnitRow:
    """That `store` (its code) sells through the unit `msn`, from `valid_from` (RFC 3339 in UTC) on."""

    msn: str = ""
    name: str = ""
    market: str = ""
    environment: str = ""
    store: str = ""
    prefix: str = ""
    channel: str = ""
    valid_from: str = ""

    def __str__(self) -> str:
        return f"{self.store} · {self.msn} · {self.prefix or '—'}"


class UnitCsv(SafeCsv):
    """The columns of a file of sales units. None is for keys: they are entered on a unit's own page."""

    required = ("msn", "name", "market", "environment", "store", "valid_from")
    optional = ("prefix", "channel")


class UnitResource(VerbResource):
    """Adds units to stores."""

    row_class = UnitRow
    title = _("Sales units")
    msn = Field(attribute="msn", column_name="msn")
    name = Field(attribute="name", column_name="name")
    market = Field(attribute="market", column_name="market")
    environment = Field(attribute="environment", column_name="environment")
    store = Field(attribute="store", column_name="store")
    prefix = Field(attribute="prefix", column_name="prefix")
    channel = Field(attribute="channel", column_name="channel")
    valid_from = Field(attribute="valid_from", column_name="valid_from")

    class Meta(VerbResource.Meta):
        import_id_fields = ("environment", "msn", "store")
        fields = ("msn", "name", "market", "environment", "store", "prefix", "channel", "valid_from")

    def clean(self, row: dict[str, str]) -> None:
        row["prefix"] = row.get("prefix", "")
        row["channel"] = row.get("channel") or Channel.IN_STORE.value
        row["market"] = row["market"].upper()
        if is_scientific(row["msn"]):
            raise ValidationError({"msn": [_("A spreadsheet has made a number of it, and rounded it.")]})
        for name, choices in (
            ("market", list(CURRENCY_OF_MARKET)),
            ("environment", Environment.values),
            ("channel", Channel.values),
        ):
            if row[name] not in choices:
                raise ValidationError({name: [_("It is one of %(choices)s.") % {"choices": ", ".join(choices)}]})
        row["valid_from"] = _moment(row["valid_from"], self._store(row["store"])).astimezone(UTC).isoformat()

    def known(self, row: dict[str, str]) -> UnitRow | None:
        links = StoreUnit.objects.filter(
            store__company=self.company,
            store__code=row["store"],
            sales_unit__msn=row["msn"],
            sales_unit__environment=row["environment"],
            valid_until=None,
        )
        return next(self.rows_of(links.select_related("store", "sales_unit")), None)

    def make(self, row: Any, by: Actor) -> None:
        store = self._store(row.store)
        place = {"prefix": row.prefix, "channel": row.channel, "valid_from": datetime.fromisoformat(row.valid_from)}
        unit = SalesUnit.objects.filter(company=self.company, msn=row.msn, environment=row.environment).first()
        if unit is None:
            registry.add_sales_unit(
                store, msn=row.msn, name=row.name, market=row.market, environment=row.environment, **place, by=by
            )
            return
        if (unit.name, unit.market) != (row.name, row.market):
            raise ValidationError(_("The hub knows this with other facts; a file only adds what is new."))
        registry.share_sales_unit(store, unit, **place, by=by)

    def rows_of(self, found: Iterable[StoreUnit]) -> Iterator[UnitRow]:
        for link in found:
            unit = link.sales_unit
            yield UnitRow(
                msn=unit.msn,
                name=unit.name,
                market=unit.market,
                environment=unit.environment,
                store=link.store.code,
                prefix=link.prefix,
                channel=link.channel,
                valid_from=link.valid_from.astimezone(UTC).isoformat(),
            )

    def iter_queryset(self, queryset: Any) -> Iterator[Any]:
        links = StoreUnit.objects.filter(sales_unit__in=queryset, valid_until=None)
        return self.rows_of(links.select_related("store", "sales_unit").order_by("sales_unit__msn", "store__code"))

    def _store(self, code: str) -> Store:
        store = Store.objects.filter(company=self.company, code=code).select_related("company").first()
        if store is None:
            raise ValidationError({"store": [_("There is no store of this code.")]})
        return store


def _moment(cell: str, store: Store) -> datetime:
    """A time with its offset, or a day, which begins at midnight in the store's zone."""
    if is_rewritten_date(cell):
        raise ValidationError({"valid_from": [_("A spreadsheet has rewritten this day: write it like 2026-11-27.")]})
    try:
        if len(cell) == len("2026-11-27"):
            return datetime.combine(date.fromisoformat(cell), time(), ZoneInfo(store.time_zone))
        moment = datetime.fromisoformat(cell)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValidationError({"valid_from": [_("Write a day like 2026-11-27, or a time with its offset.")]})
    return moment
