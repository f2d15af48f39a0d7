"""What became of messages that nobody read: how long their refunds waited until somebody claimed them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from refunds.models import Outbox, Refund
from stores import audit
from stores.models import Entry
from tests.faults.kills.nemesis import Destroyed


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Seconds from the message (or, where the broker took none, the acceptance) to the claim that followed.

    `lost`: the broker took the message and lost it before anybody read it. Of refunds that are alone on their order, at
    their first claim: `found`, the sweep came before the message, which may have been lost or late; `untold`, the broker
    never took it; `read`, the message did its work.
    """

    lost: list[float]
    found: list[float]
    untold: list[float]
    read: list[float]
    claimed_by: Counter[str]

    def as_json(self) -> dict[str, Any]:
        told = {"lost": self.lost, "found": self.found, "untold": self.untold, "read": self.read}
        return {name: _figures(seconds) for name, seconds in told.items()} | {"claimed_by": dict(self.claimed_by)}


@dataclass(frozen=True, kw_only=True)
class _Claim:
    at: datetime
    by: str


def waits_of(keys: Collection[str], *, destroyed: Sequence[Destroyed]) -> Waits:
    """Only of these request keys: a refund that waits for another of its order has not lost anything."""
    claims, told = _claims(), _messages()
    waits = Waits(lost=[], found=[], untold=[], read=[], claimed_by=Counter())
    alone = {str(refund.pk): refund for refund in Refund.objects.filter(client_key__in=keys)}
    for one in destroyed:
        refund_id = one.refund_id
        after = [claim.at for claim in claims[refund_id] if claim.at > one.at]
        sent = [row.published_at for row in told[refund_id] if row.published_at and row.published_at <= one.at]
        if refund_id in alone and after and sent and not any(sent[-1] < claim.at <= one.at for claim in claims[refund_id]):
            waits.lost.append((after[0] - sent[-1]).total_seconds())
    for refund_id, refund in alone.items():
        rows, claimed = told[refund_id], claims[refund_id]
        if not rows or not claimed:
            continue
        first, claim = rows[0].published_at, claimed[0]
        waits.claimed_by[claim.by] += 1
        if first is None:
            waits.untold.append((claim.at - refund.accepted_at).total_seconds())
        else:
            was_found = claim.by == "sweep" or any(row.written_at < claim.at for row in rows[1:])
            (waits.found if was_found else waits.read).append((claim.at - first).total_seconds())
    return waits


def _claims() -> dict[str, list[_Claim]]:
    """By refund, the first one first."""
    claims: dict[str, list[_Claim]] = defaultdict(list)
    for entry in Entry.objects.filter(event="refund.moved").order_by("chain_id", "counter").iterator():
        if audit.facts_of(entry)["move"] == "T5":
            claims[entry.subject_id].append(_Claim(at=entry.at, by=entry.actor_name))
    return claims


def _messages() -> dict[str, list[Outbox]]:
    told: dict[str, list[Outbox]] = defaultdict(list)
    for row in Outbox.objects.order_by("pk").iterator():
        told[str(row.refund_id)].append(row)
    return told


def median(seconds: list[float]) -> float:
    return percentile(seconds, 0.5)


def percentile(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _figures(seconds: list[float]) -> dict[str, Any]:
    return {
        "count": len(seconds),
        "median": round(median(seconds), 2),
        "p95": round(percentile(seconds, 0.95), 2),
        "max": round(max(seconds, default=0.0), 2),
    }
