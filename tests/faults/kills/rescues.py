"""What became of messages that nobody read: how long their refunds waited until somebody claimed them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
    never took it; `read`, the message did its work. `shut_off`: any of these while the breaker of Vipps' host was open, so that
    the sweep found them and left them waiting on purpose.
    """

    lost: list[float]
    found: list[float]
    untold: list[float]
    read: list[float]
    shut_off: list[float]
    claimed_by: Counter[str]

    def as_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("lost", "found", "untold", "read", "shut_off")}
        return {name: _figures(seconds) for name, seconds in told.items()} | {"claimed_by": dict(self.claimed_by)}


@dataclass(frozen=True, kw_only=True)
class _Claim:
    at: datetime
    by: str


def waits_of(keys: Collection[str], *, destroyed: Sequence[Destroyed]) -> Waits:
    """Only of these request keys: a refund that waits for another of its order has not lost anything."""
    claims, told, outages = _claims(), _messages(), _outages()
    waits = Waits(lost=[], found=[], untold=[], read=[], shut_off=[], claimed_by=Counter())

    def note(kind: list[float], since: datetime, until: datetime) -> None:
        is_shut_off = any(opened < until and since < closed for opened, closed in outages)
        (waits.shut_off if is_shut_off else kind).append((until - since).total_seconds())

    alone = {str(refund.pk): refund for refund in Refund.objects.filter(client_key__in=keys)}
    for one in destroyed:
        refund_id = one.refund_id
        after = [claim.at for claim in claims[refund_id] if claim.at > one.at]
        sent = [row.published_at for row in told[refund_id] if row.published_at and row.published_at <= one.at]
        if refund_id in alone and after and sent and not any(sent[-1] < claim.at <= one.at for claim in claims[refund_id]):
            note(waits.lost, sent[-1], after[0])
    for refund_id, refund in alone.items():
        rows, claimed = told[refund_id], claims[refund_id]
        if not rows or not claimed:
            continue
        first, claim = rows[0].published_at, claimed[0]
        waits.claimed_by[claim.by] += 1
        if first is None:
            note(waits.untold, refund.accepted_at, claim.at)
        else:
            was_found = claim.by == "sweep" or any(row.written_at < claim.at for row in rows[1:])
            note(waits.found if was_found else waits.read, first, claim.at)
    return waits


def _outages() -> list[tuple[datetime, datetime]]:
    """When the breaker of the host was open, from and until."""
    outages: list[tuple[datetime, datetime]] = []
    opened: datetime | None = None
    for entry in Entry.objects.filter(event__startswith="breaker.").order_by("at", "id"):
        if entry.event == "breaker.opened":
            opened = opened or entry.at
        elif opened is not None:
            outages.append((opened, entry.at))
            opened = None
    return outages if opened is None else [*outages, (opened, datetime.max.replace(tzinfo=UTC))]


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


def percentile(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _figures(seconds: list[float]) -> dict[str, Any]:
    return {
        "count": len(seconds),
        "median": round(median(seconds), 2),
        "p95": round(percentile(seconds, 0.95), 2),
        "max": round(max(seconds, default=0.0), 2),
    }
