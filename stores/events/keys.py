"""What becomes of keys and other secrets."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent


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
class SigningSecretMade(TrailEvent):
    name = "signing_secret.made"
    sentence = _("Version {version} of the webhook secret of {system} was made, fingerprint {fingerprint}.")
    system: str
    version: int
    fingerprint: str
