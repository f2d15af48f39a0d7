"""Stores as a file: new ones are opened."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from hq.admin.files.formats import SafeCsv
from hq.admin.files.resources import VerbResource
from stores import registry
from stores.actors import Actor
from stores.models import Store

COUNTRIES = ("NO", "DK", "FI", "SE")
_ZONE = "Europe/Oslo"


@dataclass
class StoreRow:
    """One store; `country` is NO, DK, FI or SE."""

    code: str = ""
    name: str = ""
    city: str = ""
    country: str = ""
    time_zone: str = _ZONE

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class StoreCsv(SafeCsv):
    """The columns of a file of stores."""

    required = ("code", "name", "city", "country")
    optional = ("time_zone",)


class StoreResource(VerbResource):
    """Opens what is new."""

    row_class = StoreRow
    title = _("Stores")
    code = Field(attribute="code", column_name="code")
    name = Field(attribute="name", column_name="name")
    city = Field(attribute="city", column_name="city")
    country = Field(attribute="country", column_name="country")
    time_zone = Field(attribute="time_zone", column_name="time_zone")

    class Meta(VerbResource.Meta):
        import_id_fields = ("code",)
        fields = ("code", "name", "city", "country", "time_zone")

    def clean(self, row: dict[str, str]) -> None:
        row["country"] = row["country"].upper()
        row["time_zone"] = row.get("time_zone") or _ZONE
        if row["country"] not in COUNTRIES:
            raise ValidationError({"country": [_("A country is NO, DK, FI or SE.")]})
        if row["time_zone"] not in available_timezones():
            raise ValidationError({"time_zone": [_("No such time zone; write it like Europe/Oslo.")]})

    def known(self, row: dict[str, str]) -> StoreRow | None:
        return next(self.rows_of(Store.objects.filter(company=self.company, code=row["code"])), None)

    def make(self, row: Any, by: Actor) -> None:
        registry.open_store(self.company, **asdict(row), by=by)

    def rows_of(self, found: Iterable[Store]) -> Iterator[StoreRow]:
        for store in found:
            yield StoreRow(
                code=store.code, name=store.name, city=store.city, country=store.country, time_zone=store.time_zone
            )
