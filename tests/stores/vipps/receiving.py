"""A receiver of webhooks in this process: what it got, and what it says to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from stores.vipps.signatures import Signed, Verdict, verify
from stores.vipps.simulator.webhooks.telling import Outgoing


@dataclass(kw_only=True)
class Receiver:
    """`says` is asked for each arrival's status; None is silence."""

    says: Callable[[Outgoing], int | None] = lambda outgoing: 200
    arrivals: list[Outgoing] = field(default_factory=list)

    def __call__(self, outgoing: Outgoing) -> int | None:
        self.arrivals.append(outgoing)
        return self.says(outgoing)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(outgoing.body) for outgoing in self.arrivals]

    def told(self) -> list[tuple[str, str, int]]:
        return [(body["reference"], body["name"], body["amount"]["value"]) for body in self.bodies()]


def verdict(outgoing: Outgoing, secret: str, *, at: float) -> Verdict:
    """What the hub's own reading of the signature says."""
    url = urlsplit(outgoing.url)
    signed = Signed(
        body=outgoing.body,
        date=outgoing.headers["x-ms-date"],
        content_hash=outgoing.headers["x-ms-content-sha256"],
        authorization=outgoing.headers["Authorization"],
    )
    received_at = datetime.fromtimestamp(at, UTC)
    return verify(secret, signed, host=url.netloc, path_and_query=url.path, received_at=received_at)
