"""The SQL that brings what Vipps said into the index: each fact has a rule that gives the same row in any order.

Captured grows. Of what was refunded and is still reserved the newest reading counts. The time of the payment is the
most trusted one, the earliest of equals. Metadata only fill what no store has told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from stores import clock
from stores.models import reference_key
from stores.orders.confirmed import Confirmed
from stores.orders.placing import CLOCKS_APART, Place

APART_SECONDS = CLOCKS_APART.total_seconds()

_TOLD = """
unnest(%(units)s::bigint[], %(stores)s::bigint[], %(references)s::text[], %(ref_keys)s::text[], %(channels)s::text[],
       %(currencies)s::text[], %(captured)s::bigint[], %(refunded)s::bigint[], %(uncaptured)s::bigint[],
       %(paid_at)s::timestamptz[], %(paid_at_from)s::smallint[], %(receipts)s::text[], %(hints)s::text[], %(whys)s::text[],
       %(as_of)s::timestamptz[], %(public_ids)s::uuid[])
    AS {name} (sales_unit_id, store_id, reference, ref_key, channel, currency, captured_minor, refunded_seen_minor,
             uncaptured_seen_minor, paid_at, paid_at_from, receipt_number, store_hint, why, confirmed_at, public_id)
"""
# Of two that hold for the same moment a reading counts before the settlement, which does not say what is reserved.
_IS_NEWER = """(({told}.confirmed_at, {told}.uncaptured_seen_minor IS NOT NULL)
    >= (coalesce(known.confirmed_at, '-infinity'), known.uncaptured_seen_minor IS NOT NULL))"""
_IS_BETTER_TIME = (
    "({told}.paid_at_from > known.paid_at_from"
    " OR {told}.paid_at_from = known.paid_at_from AND {told}.paid_at < known.paid_at)"
)
_FACTS = {
    "captured_minor": "greatest(known.captured_minor, {told}.captured_minor)",
    "refunded_seen_minor": f"CASE WHEN {_IS_NEWER} THEN {{told}}.refunded_seen_minor ELSE known.refunded_seen_minor END",
    "uncaptured_seen_minor": (
        f"CASE WHEN {_IS_NEWER} THEN {{told}}.uncaptured_seen_minor ELSE known.uncaptured_seen_minor END"
    ),
    "confirmed_at": "greatest(known.confirmed_at, {told}.confirmed_at)",
    "paid_at": f"CASE WHEN {_IS_BETTER_TIME} THEN {{told}}.paid_at ELSE known.paid_at END",
    "paid_at_from": f"CASE WHEN {_IS_BETTER_TIME} THEN {{told}}.paid_at_from ELSE known.paid_at_from END",
    "receipt_number": "coalesce(nullif(known.receipt_number, ''), {told}.receipt_number)",
}
_OF_ORDERS = {
    "claimed_paid_at": (
        f"CASE WHEN {_IS_BETTER_TIME} AND known.paid_at_from = 1 THEN known.paid_at ELSE known.claimed_paid_at END"
    ),
    "channel": f"""CASE WHEN {_IS_BETTER_TIME} THEN coalesce((
        SELECT link.channel FROM stores_storeunit AS link
        WHERE link.sales_unit_id = known.sales_unit_id AND link.store_id = known.store_id
          AND link.valid_from <= {{told}}.paid_at AND (link.valid_until IS NULL OR link.valid_until > {{told}}.paid_at)
        ORDER BY length(link.prefix) DESC, link.id LIMIT 1), known.channel) ELSE known.channel END""",  # noqa: S608  # as below
    "updated_at": "%(now)s",
}


def _set(told: str, facts: dict[str, str]) -> str:
    return ", ".join(f"{column} = {merged}" for column, merged in facts.items()).replace("{told}", told)


def _is_new(told: str) -> str:
    known = ", ".join(f"known.{column}" for column in _FACTS)
    return f"({known}) IS DISTINCT FROM ({', '.join(_FACTS.values())})".replace("{told}", told)


# Whether claims and what Vipps said may have come to contradict each other, or no longer do.
MAY_DISAGREE = """
known.claimed_minor IS NOT NULL AND known.confirmed_at IS NOT NULL AND (
    known.claimed_minor IS DISTINCT FROM known.captured_minor
    OR abs(extract(epoch FROM known.paid_at - coalesce(known.claimed_paid_at, known.paid_at))) > %(apart)s
    OR EXISTS (SELECT 1 FROM stores_orderconflict AS said WHERE said.order_id = known.id AND said.settled_at IS NULL))
"""
_ANSWER = f"known.id, known.public_id, known.sales_unit_id, known.reference, known.store_id, {MAY_DISAGREE}"

_WRITE = f"""
INSERT INTO stores_order AS known (public_id, sales_unit_id, store_id, reference, ref_key, channel, currency, captured_minor,
                                   refunded_seen_minor, uncaptured_seen_minor, paid_at, paid_at_from, receipt_number,
                                   confirmed_at, indexed_at, updated_at)
SELECT public_id, sales_unit_id, store_id, reference, ref_key, channel, currency, captured_minor, refunded_seen_minor,
       uncaptured_seen_minor, paid_at, paid_at_from, receipt_number, confirmed_at, %(now)s, %(now)s
FROM {_TOLD.format(name="told")}
ORDER BY sales_unit_id, reference COLLATE "C"
ON CONFLICT (sales_unit_id, reference) DO UPDATE
SET {_set("excluded", _FACTS | _OF_ORDERS)}
WHERE known.currency = excluded.currency AND {_is_new("excluded")}
RETURNING {_ANSWER}, xmax = 0
"""  # noqa: S608  # made of this module's own constants; values are parameters

_CONFIRM = f"""
WITH told AS (SELECT * FROM {_TOLD.format(name="row")}),
     held AS (SELECT known.id FROM stores_order AS known JOIN told USING (sales_unit_id, reference)
              ORDER BY known.sales_unit_id, known.reference FOR NO KEY UPDATE OF known)
UPDATE stores_order AS known
SET {_set("told", _FACTS | _OF_ORDERS)}
FROM told
WHERE known.id IN (SELECT id FROM held)
  AND known.sales_unit_id = told.sales_unit_id AND known.reference = told.reference
  AND known.currency = told.currency AND {_is_new("told")}
RETURNING {_ANSWER}, false
"""  # noqa: S608  # as above

_KEEP_UNPLACED = f"""
INSERT INTO stores_unplacedpayment AS known (sales_unit_id, reference, currency, captured_minor, refunded_seen_minor,
                                             uncaptured_seen_minor, paid_at, paid_at_from, receipt_number, store_hint, why,
                                             confirmed_at, seen_at, tried_at)
SELECT sales_unit_id, reference, currency, captured_minor, refunded_seen_minor, uncaptured_seen_minor, paid_at, paid_at_from,
       receipt_number, store_hint, why, confirmed_at, %(now)s, %(now)s
FROM {_TOLD.format(name="told")}
ORDER BY sales_unit_id, reference COLLATE "C"
ON CONFLICT (sales_unit_id, reference) DO UPDATE
SET {_set("excluded", _FACTS)}, store_hint = coalesce(nullif(known.store_hint, ''), excluded.store_hint), why = excluded.why
WHERE known.order_id IS NULL
  AND ({_is_new("excluded")} OR known.why <> excluded.why OR known.store_hint = '' AND excluded.store_hint <> '')
RETURNING sales_unit_id, reference, xmax = 0
"""  # noqa: S608  # as above


OrderKey = tuple[int, str]
"""(sales unit's id, reference): an order's identity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """An order that was written. `may_disagree`: its claims are to be held against what Vipps said."""

    id: int
    public_id: UUID
    unit_id: int
    reference: str
    store_id: int
    may_disagree: bool
    is_new: bool

    @property
    def key(self) -> OrderKey:
        return (self.unit_id, self.reference)


Told = tuple[Confirmed, Place]
"""What was said, and whose it is."""


def write_placed(told: Sequence[Told], *, now: datetime) -> list[Merged]:
    """Insert or merge payments whose store is known, in one statement; those that say nothing new are left out."""
    return _merged(_WRITE, told, now)


def confirm_known(told: Sequence[Told], *, now: datetime) -> list[Merged]:
    """Merge into the orders that there are, in one statement; those that say nothing new are left out."""
    return _merged(_CONFIRM, told, now)


def keep_unplaced(told: Sequence[Told], *, now: datetime) -> set[OrderKey]:
    """Keep payments whose store nobody can say; those that nobody had told of before."""
    if not told:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_UNPLACED, _parameters(told, now))
        return {(unit_id, reference) for unit_id, reference, is_new in cursor.fetchall() if is_new}


def _merged(statement: str, told: Sequence[Told], now: datetime) -> list[Merged]:
    if not told:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters(told, now))
        return [
            Merged(
                id=row_id,
                public_id=public_id,
                unit_id=unit_id,
                reference=reference,
                store_id=store_id,
                may_disagree=bool(may_disagree),
                is_new=is_new,
            )
            for row_id, public_id, unit_id, reference, store_id, may_disagree, is_new in cursor.fetchall()
        ]


def _parameters(told: Sequence[Told], now: datetime) -> dict[str, Any]:
    said = [confirmed for confirmed, _place in told]
    links = [place.link for _confirmed, place in told]
    return {
        "now": now,
        "apart": APART_SECONDS,
        "units": [each.unit_id for each in said],
        "stores": [link.store_id if link else None for link in links],
        "references": [each.reference for each in said],
        "ref_keys": [reference_key(each.reference) for each in said],
        "channels": [link.channel if link else None for link in links],
        "currencies": [each.currency[:10] for each in said],
        "captured": [each.captured_minor for each in said],
        "refunded": [each.refunded_minor for each in said],
        "uncaptured": [each.uncaptured_minor for each in said],
        "paid_at": [each.paid_at for each in said],
        "paid_at_from": [each.paid_at_from if each.paid_at else 0 for each in said],
        "receipts": [each.receipt_number for each in said],
        "hints": [each.store_code for each in said],
        "whys": [place.why or "" for _confirmed, place in told],
        "as_of": [each.as_of for each in said],
        "public_ids": [clock.new_id() for _ in said],
    }
