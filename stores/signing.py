"""Webhook secrets of store systems: made and shown once, sealed like every secret, opened only to sign."""

import base64
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from standardwebhooks.webhooks import Webhook

from stores import audit, clock, vault
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Misconfigured
from stores.events import SigningSecretMade
from stores.models import Secret, StoreSystem
from stores.vault import Context, Sealed

_TABLE = "store_system"
_FIELD = "webhook_secret"
_ENVIRONMENT = "hub"


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A version of a system's webhook secret. `text` is the whole of it, for the one time it is shown."""

    version: int
    text: str = field(repr=False)


def make_secret(system: StoreSystem, *, by: Actor) -> NewSecret:
    """The next version of the system's webhook secret, "whsec_…" (Standard Webhooks: signature scheme)."""
    secret = clock.random_bytes(32)
    with transaction.atomic():
        StoreSystem.objects.select_for_update().get(pk=system.pk)
        newest = _secrets(system).first()
        context = _context(system, newest.version + 1 if newest else 1)
        sealed = vault.seal(secret, context)
        mark = vault.fingerprint(secret)
        Secret.objects.create(
            table=context.table,
            row_id=context.row_id,
            field=context.field,
            version=context.version,
            environment=context.environment,
            subject=context.subject,
            vault_key=sealed.vault_key,
            sealed=sealed.data,
            fingerprint=mark,
        )
        event = SigningSecretMade(system=system.name, version=context.version, fingerprint=mark)
        about = Subject(type="store_system", id=str(system.public_id))
        audit.record(event, by=by, company=system.store.company, store=system.store, about=about)
    return NewSecret(version=context.version, text=f"whsec_{base64.b64encode(secret).decode()}")


def sign(system: StoreSystem, *, message_id: str, at: datetime, body: str) -> str:
    """The value of the `webhook-signature` header under the newest secret.

    Raises Misconfigured `no_signing_secret`, or CannotUnseal where no private key is.
    """
    newest = _secrets(system).first()
    if newest is None:
        raise Misconfigured(_("The store system has no webhook secret."), code="no_signing_secret")
    sealed = Sealed(vault_key=newest.vault_key, data=bytes(newest.sealed))
    secret = vault.unseal(sealed, _context(system, newest.version))
    signature: str = Webhook(secret).sign(message_id, at, body)
    return signature


def _secrets(system: StoreSystem) -> QuerySet[Secret]:
    return Secret.objects.filter(table=_TABLE, row_id=str(system.public_id), field=_FIELD).order_by("-version")


def _context(system: StoreSystem, version: int) -> Context:
    return Context(
        environment=_ENVIRONMENT,
        table=_TABLE,
        row_id=str(system.public_id),
        subject=str(system.public_id),
        field=_FIELD,
        version=version,
    )
