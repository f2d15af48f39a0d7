"""API keys of store systems: made, shown once, checked in constant time, revoked at once."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import audit, clock
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, Invalid
from stores.events import ApiKeyIssued, ApiKeyRevoked, StoreSystemAdded
from stores.models import ApiKey, Scope, Store, StoreSystem

_TEXT = re.compile(r"rhk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODY = bytes(32)
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class IssuedKey:
    """A new key. `text` is the whole of it, for the one time it is shown; a repr leaves it out."""

    key: ApiKey
    text: str = field(repr=False)


def add_system(store: Store, *, name: str, scopes: Iterable[str], by: Actor) -> StoreSystem:
    """A till system or web shop of `store`. Raises Invalid for an unknown scope or none."""
    wanted = sorted(set(scopes))
    name = name.strip()
    if not wanted or not set(wanted) <= set(Scope.values):
        raise Invalid(_("Choose one or more of the known scopes."), field="scopes")
    if not 1 <= len(name) <= 120:
        raise Invalid(_("Give the system a name of 1 to 120 characters."), field="name")
    if not store.is_open:
        raise Conflict(_("The store is closed."), code="store_closed")
    with transaction.atomic():
        system = StoreSystem.objects.create(store=store, name=name, scopes=wanted)
        event = StoreSystemAdded(system=name, code=store.code, scopes=" ".join(wanted))
        audit.record(event, by=by, company=store.company, store=store, about=_subject(system))
    return system


def issue_key(system: StoreSystem, *, expires_at: datetime | None = None, by: Actor) -> IssuedKey:
    """One more key for the system; older ones stay valid until revoked, so that a till can change over."""
    if not system.is_active or not system.store.is_open:
        raise Conflict(_("The store system is inactive, or its store is closed."), code="system_inactive")
    lookup = clock.random_bytes(8).hex()
    secret = base64.urlsafe_b64encode(clock.random_bytes(32)).rstrip(b"=").decode()
    with transaction.atomic():
        key = ApiKey.objects.create(system=system, lookup=lookup, digest=_digest(secret), expires_at=expires_at)
        event = ApiKeyIssued(key=str(key), system=system.name)
        audit.record(event, by=by, company=system.store.company, store=system.store, about=_subject(system))
    return IssuedKey(key=key, text=f"rhk_{lookup}_{secret}")


def revoke_key(key: ApiKey, *, reason: str, by: Actor) -> ApiKey:
    """Refused from the next request on. Raises Conflict for a key that is already revoked."""
    with transaction.atomic():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.sql_now()):
            raise Conflict(_("The key is already revoked."), code="already_revoked")
        key.refresh_from_db()
        system = key.system
        event = ApiKeyRevoked(key=str(key), system=system.name, reason=reason)
        audit.record(event, by=by, company=system.store.company, store=system.store, about=_subject(system))
    return key


def system_for(text: str) -> StoreSystem | None:
    """The store system a key belongs to; None for any reason at all: wrong, revoked, expired, inactive, closed."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    lookup, secret = match.groups()
    key = (
        ApiKey.objects.select_related("system__store__company")
        .filter(lookup=lookup, revoked_at=None, system__is_active=True, system__store__closed_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=clock.sql_now()))
        .annotate(read_at=clock.sql_now())
        .first()
    )
    # An unknown key is compared too, so that the time tells nothing about which lookups exist.
    is_right = hmac.compare_digest(_digest(secret), bytes(key.digest) if key else _NOBODY)
    if key is None or not is_right:
        return None
    if key.last_used_at is None or key.read_at - key.last_used_at >= _USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=clock.sql_now())
    return key.system


def _digest(secret: str) -> bytes:
    # A 256-bit random secret needs no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).digest()


def _subject(system: StoreSystem) -> Subject:
    return Subject(type="store_system", id=str(system.public_id))
