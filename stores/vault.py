"""The vault: seals secrets to a public key (HPKE, RFC 9180) and opens them where the private key is; nothing else.

No key here is derived from `SECRET_KEY`. A sealed value opens only under the very context it was sealed for.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.errors import Misconfigured

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_PREFIX = b"refund-hub-v1"
_KEY_ID = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_NONCE_BYTES = 12


class CannotUnseal(Misconfigured):
    """The value does not open here: no private key, another key, or another place than it was sealed for."""

    code = "keys_unreadable"


class CannotSeal(Misconfigured):
    """No usable public key is configured."""

    code = "no_vault_key"


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where a secret belongs. `subject` is the MSN or partner id; HPKE's `info`, so a moved value does not open."""

    environment: str
    table: str
    row_id: str
    subject: str
    field: str
    version: int

    def canonical(self) -> bytes:
        """Each part behind its length as four bytes, big-endian: no two contexts share these bytes."""
        texts = (self.environment, self.table, self.row_id, self.subject, self.field, str(self.version))
        parts = (_PREFIX, *(text.encode() for text in texts))
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A sealed value and the id of the key pair it was sealed to."""

    vault_key: str
    data: bytes


def seal(secret: bytes, context: Context) -> Sealed:
    """Seal to the newest public key. Raises CannotSeal."""
    vault_key = newest_key()
    public = _public_ring(settings.VAULT_PUBLIC_KEYS)[vault_key]
    return Sealed(vault_key=vault_key, data=_SUITE.encrypt(secret, public, context.canonical()))


def unseal(sealed: Sealed, context: Context) -> bytes:
    """The secret. Raises CannotUnseal; its message never holds the secret."""
    private = _private_ring(settings.VAULT_PRIVATE_KEYS).get(sealed.vault_key)
    if private is None:
        raise CannotUnseal(_("This process holds no private key that opens the stored keys."))
    try:
        return _SUITE.decrypt(sealed.data, private, context.canonical())
    except (InvalidTag, ValueError):
        raise CannotUnseal(_("A stored key does not belong where it lies, or is damaged.")) from None


def can_unseal() -> bool:
    """Whether this process holds any private key."""
    return bool(_private_ring(settings.VAULT_PRIVATE_KEYS))


def newest_key() -> str:
    """The id of the key that `seal` uses: the last line of the public ring. Raises CannotSeal."""
    ring = _public_ring(settings.VAULT_PUBLIC_KEYS)
    if not ring:
        raise CannotSeal(_("No vault key is configured: set VAULT_PUBLIC_KEYS."))
    return next(reversed(ring))


def check_rings() -> None:
    """Read both rings once, at start. Raises Misconfigured for a line that is no key."""
    _public_ring(settings.VAULT_PUBLIC_KEYS)
    _private_ring(settings.VAULT_PRIVATE_KEYS)


def fingerprint(secret: bytes) -> str:
    """8 hex digits that tell whether two secrets are the same, and nothing else about them."""
    key = settings.FINGERPRINT_KEY
    if not key:
        raise Misconfigured(_("No fingerprint key is configured: set FINGERPRINT_KEY."), code="no_fingerprint_key")
    return hmac.new(key.encode(), secret, hashlib.sha256).hexdigest()[:8]


def new_key_pair() -> tuple[str, str]:
    """A fresh pair as two lines "kid:base64", public and private; the id is the public key's own digest."""
    private = X25519PrivateKey.generate()
    public_bytes = private.public_key().public_bytes_raw()
    key_id = f"vk-{hashlib.sha256(public_bytes).hexdigest()[:12]}"
    return _line(key_id, public_bytes), _line(key_id, private.private_bytes_raw())


def seal_for_web(secret: bytes, purpose: str) -> str:
    """Seal what the web itself must open again (sign-in secrets, never a Vipps key), as ASCII text."""
    nonce = clock.random_bytes(_NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + _web_cipher().encrypt(nonce, secret, purpose.encode())).decode()


def unseal_for_web(text: str, purpose: str) -> bytes:
    """What `seal_for_web` sealed for this purpose. Raises CannotUnseal."""
    try:
        data = base64.b64decode(text, altchars=b"-_", validate=True)
        return _web_cipher().decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError):
        raise CannotUnseal(_("A sign-in secret does not open under WEB_SEAL_KEY.")) from None


def tag_for_web(subject: bytes, purpose: str) -> bytes:
    """32 bytes that only the web can make for `subject` (HMAC-SHA-256, under a key of each purpose's own)."""
    return hmac.digest(_web_key(f"refund-hub-tag-v1:{purpose}"), subject, "sha256")


def _web_cipher() -> AESGCM:
    return AESGCM(_web_key("refund-hub-web-v1"))


def _web_key(use: str) -> bytes:
    key = settings.WEB_SEAL_KEY
    if not key:
        raise Misconfigured(_("No key for sign-in secrets is configured: set WEB_SEAL_KEY."), code="no_web_seal_key")
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=use.encode()).derive(key.encode())


@lru_cache(maxsize=8)
def _public_ring(text: str) -> dict[str, X25519PublicKey]:
    return {key_id: X25519PublicKey.from_public_bytes(key) for key_id, key in _lines("VAULT_PUBLIC_KEYS", text)}


@lru_cache(maxsize=8)
def _private_ring(text: str) -> dict[str, X25519PrivateKey]:
    return {key_id: X25519PrivateKey.from_private_bytes(key) for key_id, key in _lines("VAULT_PRIVATE_KEYS", text)}


def _line(key_id: str, key: bytes) -> str:
    return f"{key_id}:{base64.b64encode(key).decode()}"


def _lines(setting: str, text: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for number, line in enumerate(text.split(), start=1):
        key_id, _colon, encoded = line.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not _KEY_ID.fullmatch(key_id) or len(key) != 32:
            # The line itself is never shown: it may be a private key.
            raise Misconfigured(
                _("Line {number} of {setting} is no vault key.").format(number=number, setting=setting),
                code="bad_vault_key",
            )
        found.append((key_id, key))
    return found
