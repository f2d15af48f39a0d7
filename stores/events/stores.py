"""What becomes of the chain, its stores and their sales units."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent


@dataclass(frozen=True, kw_only=True)
class StoreOpened(TrailEvent):
    name = "store.opened"
    sentence = _("Store {code} ({store}) was opened in the hub.")
    code: str
    store: str


@dataclass(frozen=True, kw_only=True)
class StoreClosed(TrailEvent):
    name = "store.closed"
    sentence = _("Store {code} was closed: {reason}")
    code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class StoreDescribed(TrailEvent):
    """What receipts say of the store."""

    name = "store.described"
    sentence = _("Receipts of store {code} now say: {seller}, {organisation_number}, {address}.")
    code: str
    seller: str
    organisation_number: str
    address: str


@dataclass(frozen=True, kw_only=True)
class CompanyDescribed(TrailEvent):
    """What receipts say of the chain's company."""

    name = "company.described"
    sentence = _("Receipts of {company} now say the organisation number {organisation_number}.")
    company: str
    organisation_number: str


@dataclass(frozen=True, kw_only=True)
class ReferenceTemplateSet(TrailEvent):
    """By which search reads store and day from a part of a reference."""

    name = "company.reference_template_set"
    sentence = _("References of {company} are from now on taken to be written {template}.")
    company: str
    template: str


@dataclass(frozen=True, kw_only=True)
class SalesUnitAdded(TrailEvent):
    name = "sales_unit.added"
    sentence = _("Sales unit {msn} ({environment}, {currency}) was added for store {code}, prefix “{prefix}”.")
    msn: str
    environment: str
    currency: str
    code: str
    prefix: str
    channel: str


@dataclass(frozen=True, kw_only=True)
class SellingEnded(TrailEvent):
    name = "sales_unit.selling_ended"
    sentence = _("Store {code} sold through sales unit {msn} until {until}: {reason}")
    code: str
    msn: str
    until: str
    reason: str
