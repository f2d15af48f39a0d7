"""One wish, one id, one provider key: all derived, so that a retry after a crash or a restore is the same refund."""

import hashlib
import json
import uuid
from collections.abc import Mapping

PREFIX = "rh1-"
"""Every key we send starts with this, so that our refunds are known in Vipps' event log even without our rows."""

LAST_GENERATION = 3
"""A refund may change its key three times at most."""

_NAMESPACE = uuid.UUID("6f1c1f3e-4a55-5d0b-9a0e-52b3f0a7c1d9")


def refund_id(client_id: str, client_key: str) -> uuid.UUID:
    """The id of the wish that `client_id` made under `client_key` (RFC 9562, UUIDv5)."""
    return uuid.uuid5(_NAMESPACE, f"{client_id}:{client_key}")


def provider_key(*, environment: str, msn: str, reference: str, refund: uuid.UUID, generation: int) -> str:
    """The Idempotency-Key of one generation: 40 characters, so that it fits eCom's X-Request-Id too.

    The amount is left out on purpose: were a row's amount damaged between two sends, Vipps would answer 409 instead of
    paying twice.
    """
    text = f"rh1|{environment}|{msn}|{reference}|{refund}|{generation}"
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()[:36]


def provider_keys(*, environment: str, msn: str, reference: str, refund: uuid.UUID) -> tuple[str, ...]:
    """Every key that this refund can ever be sent with, by generation: what a restore lost is known again by them."""
    return tuple(
        provider_key(environment=environment, msn=msn, reference=reference, refund=refund, generation=generation)
        for generation in range(LAST_GENERATION + 1)
    )


def is_ours(key: str | None) -> bool:
    """Whether a key in the event log was made by a Refund Hub."""
    return key is not None and key.startswith(PREFIX)


def fingerprint(wish: Mapping[str, object]) -> str:
    """SHA-256 (hex) of what was asked, to tell a retry from another wish under the same key."""
    canonical = json.dumps(wish, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
