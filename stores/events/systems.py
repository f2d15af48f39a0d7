"""Store systems and their API keys."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent


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
