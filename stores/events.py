"""The closed list of what the trail can say: frozen event classes, each with its name and its sentence."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, kw_only=True)
class TrailEvent:
    """One kind of entry. Fields are the facts (JSON values only, never a secret); `sentence` is filled with them."""

    name: ClassVar[str]
    sentence: ClassVar[str | Promise]

    def facts(self) -> dict[str, Any]:
        """The event's fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Recorded facts as the sentence shows them in the active language. A field may be missing in an older entry."""
        return facts


_ENDS_OF_REGISTRATIONS = (
    gettext_noop("it had ended here"),
    gettext_noop("a newer one has taken its place"),
    gettext_noop("nobody here holds its secret"),
    gettext_noop("Vipps no longer has it"),
    gettext_noop("the sales unit has no keys of its own any more, or was closed long ago"),
)

_registry: dict[str, type[TrailEvent]] = {}


def register(*kinds: type[TrailEvent]) -> None:
    """Take event classes into the closed list (done once, when an app is ready). Raises ValueError for a taken name."""
    for kind in kinds:
        if _registry.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"two trail events are named {kind.name}")


def kind_named(name: str) -> type[TrailEvent] | None:
    """The event class of that name, or None for a name that this version no longer writes."""
    return _registry.get(name)


def all_kinds() -> list[type[TrailEvent]]:
    """The closed list, by name."""
    return [_registry[name] for name in sorted(_registry)]


def is_registered(kind: type[TrailEvent]) -> bool:
    """Whether the trail may record this kind."""
    return _registry.get(kind.name) is kind


def _end_in_words(reason: str) -> str:
    """What the hub gives as the end of a registration; what a person wrote stays as it is."""
    return gettext(reason) if reason in _ENDS_OF_REGISTRATIONS else reason


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


@dataclass(frozen=True, kw_only=True)
class KeySetMade(TrailEvent):
    name = "key_set.made"
    sentence = _("Key set {key_set} ({kind}, {environment}) was made, without keys yet.")
    key_set: str
    kind: str
    environment: str


@dataclass(frozen=True, kw_only=True)
class KeysBound(TrailEvent):
    name = "keys.bound"
    sentence = _("Sales unit {msn} was bound to key set {key_set} ({kind}).")
    msn: str
    key_set: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class KeysEntered(TrailEvent):
    name = "keys.entered"
    sentence = _("Version {version} of key set {key_set} was entered, fingerprint {fingerprint}.")
    key_set: str
    version: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class KeysOpened(TrailEvent):
    name = "keys.opened"
    sentence = _("Key set {key_set}, version {version}, was opened by {process}: {why}")
    key_set: str
    version: int
    process: str
    why: str


@dataclass(frozen=True, kw_only=True)
class KeysNotOpened(TrailEvent):
    name = "keys.not_opened"
    sentence = _("Key set {key_set}, version {version}, could not be opened by {process}: {why}")
    key_set: str
    version: int
    process: str
    why: str


@dataclass(frozen=True, kw_only=True)
class SecretsResealed(TrailEvent):
    name = "secrets.resealed"
    sentence = _("{count} sealed values were resealed under vault key {vault_key}.")
    count: int
    vault_key: str


@dataclass(frozen=True, kw_only=True)
class PersonJoined(TrailEvent):
    name = "person.joined"
    sentence = _("{person} got the role {role} in {place}.")
    person: str
    role: str
    place: str


@dataclass(frozen=True, kw_only=True)
class RoleChanged(TrailEvent):
    name = "person.role_changed"
    sentence = _("{person} changed from {before} to {after} in {place}.")
    person: str
    before: str
    after: str
    place: str


@dataclass(frozen=True, kw_only=True)
class PersonLeft(TrailEvent):
    name = "person.left"
    sentence = _("{person} left {place} (was {role}): {reason}")
    person: str
    role: str
    place: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SignedIn(TrailEvent):
    name = "person.signed_in"
    sentence = _("{person} signed in.")
    person: str


@dataclass(frozen=True, kw_only=True)
class SignInRefused(TrailEvent):
    name = "person.sign_in_refused"
    sentence = _("A sign-in as “{login}” was refused.")
    login: str


@dataclass(frozen=True, kw_only=True)
class StoreSystemAdded(TrailEvent):
    name = "store_system.added"
    sentence = _("Store system {system} was added for store {code} with scopes {scopes}.")
    system: str
    code: str
    scopes: str


@dataclass(frozen=True, kw_only=True)
class ApiKeyIssued(TrailEvent):
    name = "api_key.issued"
    sentence = _("API key {key} was issued to {system}.")
    key: str
    system: str


@dataclass(frozen=True, kw_only=True)
class ApiKeyRevoked(TrailEvent):
    name = "api_key.revoked"
    sentence = _("API key {key} of {system} was revoked: {reason}")
    key: str
    system: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SigningSecretMade(TrailEvent):
    name = "signing_secret.made"
    sentence = _("Version {version} of the webhook secret of {system} was made, fingerprint {fingerprint}.")
    system: str
    version: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class RegistrationOpened(TrailEvent):
    name = "webhook_registration.opened"
    sentence = _("An address for Vipps' notices was made for {subject} ({environment}): {registration}.")
    registration: str
    subject: str
    environment: str


@dataclass(frozen=True, kw_only=True)
class RegistrationConfirmed(TrailEvent):
    name = "webhook_registration.confirmed"
    sentence = _("Vipps' webhook {provider_id} for {subject} was entered, fingerprint of its secret {fingerprint}.")
    registration: str
    subject: str
    provider_id: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class RegistrationEnded(TrailEvent):
    name = "webhook_registration.ended"
    sentence = _("The address for Vipps' notices of {subject} was ended: {reason}")
    registration: str
    subject: str
    reason: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "reason": _end_in_words(facts["reason"])}


@dataclass(frozen=True, kw_only=True)
class RegistrationRenewalAsked(TrailEvent):
    name = "webhook_registration.renewal_asked"
    sentence = _("A new address for Vipps' notices of {subject} was asked for: {reason}")
    registration: str
    subject: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RegistrationDeleted(TrailEvent):
    name = "webhook_registration.deleted"
    sentence = _("Vipps' webhook {provider_id} for {subject} was deleted at Vipps: {because}")
    subject: str
    provider_id: str
    because: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "because": _end_in_words(facts["because"])}


@dataclass(frozen=True, kw_only=True)
class OrdersSynced(TrailEvent):
    name = "orders.synced"
    sentence = _("{system} synced {rows} rows: {created} new, {updated} updated, {unchanged} unchanged, {refused} refused.")
    system: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class OrderContradicted(TrailEvent):
    name = "order.contradicted"
    sentence = _("{system} contradicted order {reference}: {fields} differ; nothing was changed.")
    system: str
    reference: str
    fields: str


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


_SETTLEMENTS = {
    "hub_is_right": gettext_noop("the hub's facts stand"),
    "noted": gettext_noop("noted, the order stays as it is"),
}


@dataclass(frozen=True, kw_only=True)
class ContradictionSettled(TrailEvent):
    name = "order.contradiction_settled"
    sentence = _("What {said_by} said otherwise of order {reference} was settled: {settlement}. {reason}")
    said_by: str
    reference: str
    fields: str
    settlement: str
    reason: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        settlement = str(facts["settlement"])
        return {**facts, "settlement": gettext(_SETTLEMENTS.get(settlement, settlement))}


@dataclass(frozen=True, kw_only=True)
class OrderDisagrees(TrailEvent):
    name = "order.disagrees"
    sentence = _("What a store claims of order {reference} cannot be true beside what Vipps says: {fields}. Vipps counts.")
    reference: str
    fields: str


@dataclass(frozen=True, kw_only=True)
class OrdersConfirmed(TrailEvent):
    name = "orders.confirmed"
    sentence = _(
        "Vipps told of {payments} payments of sales unit {msn}: {created} new, {changed} changed, {unplaced} without a store."
    )
    msn: str
    payments: int
    created: int
    changed: int
    unplaced: int


@dataclass(frozen=True, kw_only=True)
class SettlementBegun(TrailEvent):
    name = "settlement.begun"
    sentence = _("The settlement of sales unit {msn} is read from its beginning.")
    msn: str


@dataclass(frozen=True, kw_only=True)
class PaymentUnplaced(TrailEvent):
    name = "payment.unplaced"
    sentence = _("Vipps knew payment {reference} of sales unit {msn}; nobody can say which store sold it.")
    reference: str
    msn: str


@dataclass(frozen=True, kw_only=True)
class PaymentPlaced(TrailEvent):
    name = "payment.placed"
    sentence = _("Payment {reference}, which had no store, was said to be of store {code}: {reason}")
    reference: str
    code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderDiscovered(TrailEvent):
    name = "order.discovered"
    sentence = _("Vipps knew order {reference}, which no store had synced: it was indexed for store {code}.")
    reference: str
    code: str


@dataclass(frozen=True, kw_only=True)
class VippsAsked(TrailEvent):
    name = "vipps.asked"
    sentence = _("Vipps was asked for {reference}, which the hub did not know, in {units} sales units ({where}).")
    reference: str
    units: int
    where: str


@dataclass(frozen=True, kw_only=True)
class OrderOpened(TrailEvent):
    name = "order.opened"
    sentence = _("Order {reference} of store {code} was opened from store {from_code}.")
    reference: str
    code: str
    from_code: str


STORE_EVENTS: tuple[type[TrailEvent], ...] = (
    StoreOpened,
    StoreClosed,
    *(StoreDescribed, CompanyDescribed, ReferenceTemplateSet),
    SalesUnitAdded,
    SellingEnded,
    KeySetMade,
    KeysBound,
    KeysEntered,
    KeysOpened,
    KeysNotOpened,
    SecretsResealed,
    PersonJoined,
    RoleChanged,
    PersonLeft,
    SignedIn,
    SignInRefused,
    StoreSystemAdded,
    ApiKeyIssued,
    ApiKeyRevoked,
    SigningSecretMade,
    *(RegistrationOpened, RegistrationConfirmed, RegistrationEnded, RegistrationRenewalAsked, RegistrationDeleted),
    OrdersSynced,
    OrderContradicted,
    ContradictionSettled,
    *(OrderImportStarted, OrderImportEnded, OrderImportCancelled, OrdersExported),
    *(OrderDisagrees, OrdersConfirmed, PaymentUnplaced, PaymentPlaced, SettlementBegun),
    OrderDiscovered,
    *(OrderOpened, VippsAsked),
)
