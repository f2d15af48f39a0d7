"""Vipps keys, write-only: entered as a new version, sealed field by field, never shown again."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores import audit, clock, vault
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, Invalid, Misconfigured
from stores.events import KeysEntered, KeySetMade
from stores.models import Company, Environment, KeyField, KeySet, KeySetKind, Secret, Store
from stores.vault import CannotUnseal, Context, Sealed
from stores.vipps.types import Credentials

_TABLE = "key_set"
_LONGEST = 400


class VippsKeys(Credentials):
    """The three values of a Vipps key set, masked. Raises Invalid, naming the field, for what no header can carry."""

    __slots__ = ()

    def __init__(self, *, client_id: str, client_secret: str, subscription_key: str) -> None:
        values = {
            KeyField.CLIENT_ID: client_id.strip(),
            KeyField.CLIENT_SECRET: client_secret.strip(),
            KeyField.SUBSCRIPTION_KEY: subscription_key.strip(),
        }
        for field, value in values.items():
            if not 1 <= len(value) <= _LONGEST or not value.isascii() or not value.isprintable():
                raise Invalid(_("This is not a Vipps key; copy it again from the portal."), field=field.value)
        super().__init__(**{field.value: value for field, value in values.items()})

    def __repr__(self) -> str:
        return "VippsKeys(masked)"

    def value_of(self, field: KeyField) -> str:
        """One of the three values."""
        value: str = getattr(self, field.value)
        return value


def make_key_set(
    company: Company, *, kind: str, name: str, environment: str, subject: str, by: Actor, store: Store | None = None
) -> KeySet:
    """A key set without keys yet. `subject` is the MSN of own keys or the partner's id; `store` the trail's chain."""
    if kind not in KeySetKind.values:
        raise Invalid(_("Keys are a sales unit's own, or a partner's."), field="kind")
    if environment not in Environment.values:
        raise Invalid(_("Choose one of the environments."), field="environment")
    name, subject = name.strip(), subject.strip()
    _check_length("name", name, 120)
    _check_length("subject", subject, 40)
    with transaction.atomic():
        if KeySet.objects.filter(environment=environment, kind=kind, subject=subject).exists():
            raise Conflict(_("There is already a key set for this sales unit or partner."), code="key_set_exists")
        key_set = KeySet.objects.create(company=company, kind=kind, name=name, environment=environment, subject=subject)
        event = KeySetMade(key_set=name, kind=kind, environment=environment)
        audit.record(event, by=by, company=company, store=store, about=subject_of(key_set))
    return key_set


def enter_keys(key_set: KeySet, keys: VippsKeys, *, by: Actor) -> KeySet:
    """Seal `keys` as the next version, which is the active one from the commit on; older versions stay sealed."""
    with transaction.atomic():
        current = KeySet.objects.select_for_update().select_related("company").get(pk=key_set.pk)
        current.version += 1
        Secret.objects.bulk_create([_sealed(current, field, keys.value_of(field)) for field in KeyField])
        current.fingerprint = _fingerprint(keys.value_of(field) for field in KeyField)
        current.entered_at = clock.db_now()
        current.save(update_fields=["version", "fingerprint", "entered_at"])
        event = KeysEntered(key_set=current.name, version=current.version, fingerprint=current.fingerprint)
        audit.record(event, by=by, company=current.company, store=store_of_chain(current), about=subject_of(current))
    key_set.refresh_from_db()
    return key_set


def unsealed_keys(key_set: KeySet) -> VippsKeys:
    """The active version, opened: for `stores.sessions` alone. Raises Misconfigured `no_keys` or `keys_unreadable`.

    The context comes from the key set itself, never from the sealed row: a value that was moved does not open.
    """
    if not key_set.has_keys:
        raise Misconfigured(_NO_KEYS, code="no_keys")
    rows = Secret.objects.filter(table=_TABLE, row_id=str(key_set.public_id), version=key_set.version)
    sealed = {row.field: Sealed(vault_key=row.vault_key, data=bytes(row.sealed)) for row in rows}
    if set(sealed) != set(KeyField.values):
        raise CannotUnseal(_("The stored keys are incomplete."))
    opened = {field.value: vault.unseal(sealed[field.value], _context(key_set, field)).decode() for field in KeyField}
    return VippsKeys(**opened)


def store_of_chain(key_set: KeySet) -> Store | None:
    """Whose chain tells of this key set: of the one store behind it, or headquarters' (None) where several share it."""
    if key_set.kind == KeySetKind.PARTNER:
        return None
    stores = list(Store.objects.filter(sales_units__key_set=key_set).distinct()[:2])
    return stores[0] if len(stores) == 1 else None


def subject_of(key_set: KeySet) -> Subject:
    """The key set as the trail names it."""
    return Subject(type="key_set", id=str(key_set.public_id))


_NO_KEYS: Promise = _("Headquarters has not entered the Vipps keys of the store that sold this.")


def _context(key_set: KeySet, field: KeyField) -> Context:
    return Context(
        environment=key_set.environment,
        table=_TABLE,
        row_id=str(key_set.public_id),
        subject=key_set.subject,
        field=field.value,
        version=key_set.version,
    )


def _sealed(key_set: KeySet, field: KeyField, value: str) -> Secret:
    context = _context(key_set, field)
    sealed = vault.seal(value.encode(), context)
    return Secret(
        table=context.table,
        row_id=context.row_id,
        field=context.field,
        version=context.version,
        environment=context.environment,
        subject=context.subject,
        vault_key=sealed.vault_key,
        sealed=sealed.data,
        fingerprint=_fingerprint([value]),
    )


def _fingerprint(values: Iterable[str]) -> str:
    return vault.fingerprint("\0".join(values).encode())


def _check_length(field: str, text: str, longest: int) -> None:
    if not 1 <= len(text) <= longest:
        raise Invalid(_("Write between 1 and {longest} characters.").format(longest=longest), field=field)
