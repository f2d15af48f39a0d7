"""What was answered under which idempotency key.

Source: Vipps knowledge base, HTTP headers (idempotency): same key and body, no further effect; same key and another
body, 409; a refusal sticks to its key. How long keys are remembered is not documented: a switch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stores.vipps.simulator.switches import Switches

CONFLICT_CODES = {"capture": "4010", "refund": "4150", "cancel": "4020", "create": "4020"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What was decided, not what the caller got to see: a fault may have changed or lost the answer.

    `events` counts the payment's events right after the call, so that its answer can be given again.
    """

    digest: str
    status: int
    code: str | None
    events: int = 0
    at: float = 0.0


def scope_of(
    scope: Literal["operation", "payment", "sales_unit"], *, msn: str, operation: str, reference: str, key: str
) -> tuple[str, ...]:
    if scope == "sales_unit":
        return (msn, key)
    if scope == "payment":
        return (msn, reference, key)
    return (msn, reference, operation, key)


def recall(
    remembered: Mapping[tuple[str, ...], Remembered], scope: tuple[str, ...] | None, *, now: float, switches: Switches
) -> Remembered | None:
    """What is still known of a key: nothing once it is older than keys are kept."""
    found = remembered.get(scope) if scope else None
    if found is None or switches.key_retention_hours is None:
        return found
    return found if now - found.at <= switches.key_retention_hours * 3600 else None


def digest_of(operation: str, reference: str, body: Mapping[str, Any]) -> str:
    """The same for two calls that ask for the same."""
    content = json.dumps([operation, reference, body], sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:32]
