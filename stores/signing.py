"""Webhook secrets, ours and Vipps': sealed like every secret, opened only to sign or to prove, never given out again."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from standardwebhooks.webhooks import Webhook

from stores import audit, clock, vault
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Misconfigured
from stores.events import SigningSecretMade
from stores.models import Secret, StoreSystem, WebhookRegistration
from stores.vault import Context, Sealed
from stores.vipps import signatures
from stores.vipps.signatures import Signed, Verdict

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
        mark = _seal(secret, context)
        event = SigningSecretMade(system=system.name, version=context.version, fingerprint=mark)
        about = Subject(type="store_system", id=str(system.public_id))
        audit.record(event, by=by, company=system.store.company, store=system.store, about=about)
    return NewSecret(version=context.version, text=f"whsec_{base64.b64encode(secret).decode()}")


def has_secret(system: StoreSystem) -> bool:
    """Whether the system can verify what we send it."""
    return _secrets(system).exists()


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


def keep_vipps_secret(registration: WebhookRegistration, text: str) -> str:
    """Seal the secret that Vipps gave for one webhook registration; gives its fingerprint.

    Raises IntegrityError for a second one: Vipps never changes the secret of a registration.
    """
    return _seal(text.encode(), _context_of_registration(registration))


def judge_notice(registration: WebhookRegistration, signed: Signed, *, received_at: datetime) -> Verdict:
    """Whether Vipps signed this for this registration's own address.

    Raises Misconfigured `no_signing_secret`, or CannotUnseal where no private key is.
    """
    context = _context_of_registration(registration)
    row = Secret.objects.filter(
        table=context.table, row_id=context.row_id, field=context.field, version=context.version
    ).first()
    if row is None:
        raise Misconfigured(_("Vipps' secret for this address has not been entered."), code="no_signing_secret")
    secret = vault.unseal(Sealed(vault_key=row.vault_key, data=bytes(row.sealed)), context)
    url = urlsplit(registration.url)
    return signatures.verify(
        secret.decode(), signed, host=url.netloc, path_and_query=url.path, received_at=received_at
    )


def _seal(secret: bytes, context: Context) -> str:
    """Keep one secret sealed to its place; gives its fingerprint."""
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
    return mark


def _context_of_registration(registration: WebhookRegistration) -> Context:
    return Context(
        environment=registration.environment,
        table="webhook_registration",
        row_id=str(registration.public_id),
        subject=registration.subject,
        field=_FIELD,
        version=1,
    )


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
