"""Orders that come and go as files."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent


@dataclass(frozen=True, kw_only=True)
class OrderImportStarted(TrailEvent):
    name = "orders.import_started"
    sentence = _("The import of {rows} rows of {file} for {system} was started.")
    file: str
    system: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class OrderImportEnded(TrailEvent):
    name = "orders.import_ended"
    sentence = _(
        "The import of {file} for {system} has ended: {created} new, {updated} updated, {unchanged} unchanged, {refused} "
        "refused of {rows} rows."
    )
    file: str
    system: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int


@dataclass(frozen=True, kw_only=True)
class OrderImportCancelled(TrailEvent):
    name = "orders.import_cancelled"
    sentence = _("The import of {file} for {system} was cancelled after {rows_done} of {rows} rows.")
    file: str
    system: str
    rows: int
    rows_done: int


@dataclass(frozen=True, kw_only=True)
class OrdersExported(TrailEvent):
    name = "orders.exported"
    sentence = _("{person} downloaded the list of orders ({chosen}).")
    person: str
    chosen: str
