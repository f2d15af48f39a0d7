"""API keys of store systems: made, shown once, checked in constant time, revoked at once."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import audit, clock, statements
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, Invalid
from stores.events import ApiKeyIssued, ApiKeyRevoked, StoreSystemAdded
from stores.models import ApiKey, Company, Scope, Store, StoreSystem

_TEXT = re.compile(r"rhk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODY = bytes(32)
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_LOADED = (StoreSystem, Store, Company)


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
    found = statements.read(_system_of_key(), {"lookup": lookup, "now": clock.bound_now()})
    key_id, digest, last_used_at, now, *columns = found[0] if found else (0, _NOBODY, None, None)
    # An unknown key is compared too, so that the time tells nothing about which lookups exist.
    if not hmac.compare_digest(_digest(secret), bytes(digest)) or now is None:
        return None
    if last_used_at is None or now - last_used_at >= _USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(pk=key_id).update(last_used_at=clock.sql_now())
    system, store, company = _models(columns)
    store.company = company
    system.store = store
    return cast(StoreSystem, system)


@cache
def _system_of_key() -> str:
    """The key of every REST call, with its system, store and company: composing this anew would cost a millisecond."""
    columns = ", ".join(f"{model._meta.db_table}.{field.column}" for model in _LOADED for field in model._meta.concrete_fields)
    return f"""
        SELECT key.id, key.digest, key.last_used_at, coalesce(%(now)s::timestamptz, clock_timestamp()), {columns}
        FROM stores_apikey AS key
        JOIN stores_storesystem ON stores_storesystem.id = key.system_id
        JOIN stores_store ON stores_store.id = stores_storesystem.store_id
        JOIN stores_company ON stores_company.id = stores_store.company_id
        WHERE key.lookup = %(lookup)s AND key.revoked_at IS NULL AND stores_storesystem.is_active
          AND stores_store.closed_at IS NULL
          AND (key.expires_at IS NULL OR key.expires_at > coalesce(%(now)s::timestamptz, clock_timestamp()))
    """  # noqa: S608  # made of the models' own names; values are parameters


def _models(columns: list[Any]) -> Iterator[Any]:
    """The rows of `_LOADED` that lie side by side in `columns`."""
    for model in _LOADED:
        names = [field.attname for field in model._meta.concrete_fields]
        yield model.from_db("default", names, columns[: len(names)])
        columns = columns[len(names) :]


def _digest(secret: str) -> bytes:
    # A 256-bit random secret needs no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).digest()


def _subject(system: StoreSystem) -> Subject:
    return Subject(type="store_system", id=str(system.public_id))
