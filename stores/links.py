"""Links for people without an account: an address nobody can guess for one thing, and back to that thing."""

import base64
import binascii
import hmac
import uuid

from stores import vault

_TAG_BYTES = 16
TOKEN_LENGTH = 43
"""Characters of a token: 16 bytes of an id and 16 of its tag, in base64 for addresses."""


def token_for(subject: uuid.UUID, *, purpose: str) -> str:
    """The token of `subject`, the same each time; whoever lacks the web's key guesses it with a chance of 2^-128."""
    tag = vault.tag_for_web(subject.bytes, purpose)[:_TAG_BYTES]
    return base64.urlsafe_b64encode(subject.bytes + tag).decode().rstrip("=")


def subject_of(token: str, *, purpose: str) -> uuid.UUID | None:
    """What the token was made for; None for one that the hub did not make. Nothing is looked up, so nothing is given away."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        told = base64.b64decode(f"{token}=", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    subject = uuid.UUID(bytes=told[:16])
    return subject if hmac.compare_digest(token, token_for(subject, purpose=purpose)) else None
