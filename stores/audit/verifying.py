"""Verifying the trail: every chain recomputed from its first entry, and the first bad row named."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from stores.audit.writing import shown_name
from stores.models import Chain, Company, Store

_ROWS_AT_A_TIME = 2_000
_ORIGIN = bytes(32)


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """The first row that does not hold: its chain (store code or HQ), number, id if it exists, and why.

    `chain_id` is None where the chain itself is gone.
    """

    chain: str
    chain_id: int | None
    counter: int
    entry_id: int | None
    what: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How many entries and chains were recomputed until the end, or until `bad`."""

    entries: int
    chains: int
    bad: BadRow | None


class _Row(NamedTuple):
    chain_id: int
    head_counter: int
    head: bytes
    company_id: int
    store_code: str | None
    store_id: UUID | None
    entry_id: int | None
    counter: int
    event: str
    subject_type: str
    subject_id: str
    actor_kind: str
    actor_id: str
    actor_name: str
    refunding_store: UUID | None
    at: datetime
    canonical: str
    digest: bytes
    previous: bytes
    hash: bytes


def verify(company: Company | None = None) -> Verification:
    """Recompute the chains of `company`, or all. Streams; changes nothing.

    One statement reads heads and entries together, so that entries written meanwhile are no false alarm.
    """
    entries, chains = 0, 0
    last: _Row | None = None
    previous, counter = _ORIGIN, 0
    with transaction.atomic():
        for row in _rows(company):
            if last is None or row.chain_id != last.chain_id:
                bad = _wrong_end(last, previous, counter)
                if bad is not None:
                    return Verification(entries=entries, chains=chains, bad=bad)
                chains += 1
                previous, counter = _ORIGIN, 0
            last = row
            if row.entry_id is None:
                continue
            what = _wrong_in(row, previous, counter + 1)
            if what:
                bad = _bad(row, min(row.counter, counter + 1), row.entry_id, what)
                return Verification(entries=entries, chains=chains, bad=bad)
            previous, counter = bytes(row.hash), row.counter
            entries += 1
        bad = _wrong_end(last, previous, counter) or _missing_chain(company)
        return Verification(entries=entries, chains=chains, bad=bad)


def _rows(company: Company | None) -> Iterator[_Row]:
    chains = Chain.objects.all() if company is None else Chain.objects.filter(company=company)
    rows = chains.order_by("id", "entries__counter").values_list(
        "id",
        "counter",
        "head",
        "company_id",
        "store__code",
        "store__public_id",
        "entries__id",
        "entries__counter",
        "entries__event",
        "entries__subject_type",
        "entries__subject_id",
        "entries__actor_kind",
        "entries__actor_id",
        "entries__actor_name",
        "entries__refunding_store__public_id",
        "entries__at",
        "entries__canonical",
        "entries__digest",
        "entries__previous",
        "entries__hash",
    )
    return map(_Row._make, rows.iterator(chunk_size=_ROWS_AT_A_TIME))


def _wrong_in(row: _Row, previous: bytes, expected: int) -> str:
    """What is wrong with an entry, given the one before it; "" for nothing."""
    if row.counter != expected:
        return f"number {expected} is missing" if row.counter > expected else f"number {row.counter} is out of order"
    digest = hashlib.sha256(row.canonical.encode()).digest()
    if digest != bytes(row.digest):
        return "its text was changed, or its digest"
    if bytes(row.previous) != previous:
        return "it does not follow the entry before it"
    if hashlib.sha256(b"\x00" + previous + row.counter.to_bytes(8, "big") + digest).digest() != bytes(row.hash):
        return "its hash is not the hash of what it says"
    return _disagreement(row)


def _disagreement(row: _Row) -> str:
    """Which column beside the hashed text says something else than the text; "" for none."""
    try:
        told: dict[str, Any] = json.loads(row.canonical)
        pairs: dict[str, tuple[object, object]] = {
            "chain": (
                told["chain"],
                {"company": row.company_id, "store": str(row.store_id) if row.store_id else None},
            ),
            "event": (told["event"], row.event),
            "subject_type": (told["subject"]["type"], row.subject_type),
            "subject_id": (told["subject"]["id"], row.subject_id),
            "actor_kind": (told["actor"]["kind"], row.actor_kind),
            "actor_id": (told["actor"]["id"], row.actor_id),
            "actor_name": (shown_name(told["actor"]["name"]), row.actor_name),
            "refunding_store": (
                told["refunding_store"] and told["refunding_store"]["id"],
                row.refunding_store and str(row.refunding_store),
            ),
            "at": (datetime.fromisoformat(told["at"]), row.at.astimezone(UTC)),
        }
    except (ValueError, KeyError, TypeError):
        return "its text is not a trail entry"
    different = [column for column, (said, beside) in pairs.items() if said != beside]
    return f"its columns disagree with its text: {', '.join(different)}" if different else ""


def _wrong_end(last: _Row | None, previous: bytes, counter: int) -> BadRow | None:
    """A chain's head must be the last entry's hash and number: else the tail was cut, or the head moved."""
    if last is None or (last.head_counter == counter and bytes(last.head) == previous):
        return None
    if last.head_counter > counter:
        what = f"the chain says it has {last.head_counter} entries, the last one found is number {counter}"
        return _bad(last, counter + 1, None, what)
    return _bad(last, counter, last.entry_id, "the chain's head is not its last entry")


def _missing_chain(company: Company | None) -> BadRow | None:
    """A chain that was taken away whole: opening a store is the first entry of the store's own."""
    stores = Store.objects.all() if company is None else Store.objects.filter(company=company)
    code = stores.filter(chain=None).order_by("id").values_list("code", flat=True).first()
    if code is None and stores.exclude(company__in=Chain.objects.filter(store=None).values("company")).exists():
        code = "HQ"
    if code is None:
        return None
    return BadRow(chain=code, chain_id=None, counter=1, entry_id=None, what="the whole chain is missing")


def _bad(row: _Row, counter: int, entry_id: int | None, what: str) -> BadRow:
    return BadRow(chain=row.store_code or "HQ", chain_id=row.chain_id, counter=counter, entry_id=entry_id, what=what)
