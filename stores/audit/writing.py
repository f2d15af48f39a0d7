"""Writing the trail: one entry, one statement, in the transaction of what it tells."""

import json
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from django.db import connection, transaction

from stores import clock, events
from stores.actors import Actor
from stores.events import TrailEvent
from stores.models import Chain, Company, Order, Store

# One statement: the head is locked, the time taken, the entry written and the head moved in one round trip, so that
# the lock on a busy chain is held no longer than the commit takes.
_APPEND = """
WITH locked AS MATERIALIZED (
    SELECT id, counter + 1 AS counter, head AS previous
    FROM stores_chain
    WHERE store_id = %(store)s::bigint
       OR (%(store)s::bigint IS NULL AND store_id IS NULL AND company_id = %(company)s)
    FOR UPDATE
), timed AS MATERIALIZED (
    SELECT *, coalesce(%(now)s::timestamptz, clock_timestamp()) AS at FROM locked
), told AS MATERIALIZED (
    SELECT *, %(before)s || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || %(after)s AS canonical
    FROM timed
), digested AS MATERIALIZED (
    SELECT *, sha256(convert_to(canonical, 'UTF8')) AS digest FROM told
), hashed AS MATERIALIZED (
    SELECT *, sha256('\\x00'::bytea || previous || int8send(counter) || digest) AS hash FROM digested
), moved AS (
    UPDATE stores_chain SET counter = hashed.counter, head = hashed.hash FROM hashed WHERE stores_chain.id = hashed.id
)
INSERT INTO stores_entry (
    chain_id, counter, event, subject_type, subject_id, actor_kind, actor_id, actor_name, refunding_store_id, at,
    canonical, digest, previous, hash
)
SELECT id, counter, %(event)s, %(subject_type)s, %(subject_id)s, %(actor_kind)s, %(actor_id)s, %(actor_name)s,
    %(refunding_store)s::bigint, at, canonical, digest, previous, hash
FROM hashed
RETURNING chain_id
"""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What an entry is about: a kind of thing and its id, as `timeline_of` finds it again."""

    type: str
    id: str


@dataclass(frozen=True)
class _ChainInUse:
    """Which chain the open transaction has written to; lies among its commit hooks, so it ends when they do."""

    chain: tuple[int, int | None]
    within: str | None

    def __call__(self) -> None:
        """Nothing is left to do at commit."""


def record(
    event: TrailEvent,
    *,
    by: Actor,
    company: Company,
    store: Store | None,
    about: Subject,
    refunding_store: Store | None = None,
) -> None:
    """Append one entry to the chain of `store` (None: headquarters' chain of `company`).

    Call it last in a verb: from here to the commit the chain's head is locked. Raises TransactionManagementError
    outside a transaction or for a second chain in one (two such transactions could wait for each other), ValueError
    for an event outside the closed list or a store of another company.
    """
    if not events.is_registered(type(event)):
        raise ValueError(f"{type(event).__name__} is not in the closed list of trail events")
    if store is not None and store.company_id != company.pk:
        raise ValueError("the chain's store belongs to another company")
    chain = (company.pk, store.pk if store else None)
    _keep_to_one_chain(chain)
    before, after = _canonical_around_time(event, by, company, store, about, refunding_store)
    values = {
        "company": company.pk,
        "store": store.pk if store else None,
        "now": clock.bound_now(),
        "before": before,
        "after": after,
        "event": event.name,
        "subject_type": about.type,
        "subject_id": about.id,
        "actor_kind": by.kind.value,
        "actor_id": by.id,
        "actor_name": shown_name(by.name),
        "refunding_store": refunding_store.pk if refunding_store else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, values)
        if cursor.fetchone() is None:
            Chain.objects.bulk_create([Chain(company=company, store=store)], ignore_conflicts=True)
            cursor.execute(_APPEND, values)


def record_about_order(event: TrailEvent, order: Order, *, by: Actor, refunding_store: Store | None = None) -> None:
    """One entry about an order, in the chain of the store that sold it; its store and company are best loaded already."""
    about = Subject(type="order", id=str(order.public_id))
    record(event, by=by, company=order.store.company, store=order.store, about=about, refunding_store=refunding_store)


def shown_name(name: str) -> str:
    """An actor's name as the column beside the canonical text holds it."""
    return name.replace("\0", "")[:160]


def _canonical_around_time(
    event: TrailEvent, by: Actor, company: Company, store: Store | None, about: Subject, refunding_store: Store | None
) -> tuple[str, str]:
    """The canonical text before and after its time, which the statement puts between; "at" sorts second of its keys."""
    rest = {
        "chain": {"company": company.pk, "store": str(store.public_id) if store else None},
        "event": event.name,
        "facts": event.facts(),
        "refunding_store": ({"code": refunding_store.code, "id": str(refunding_store.public_id)} if refunding_store else None),
        "subject": asdict(about),
    }
    actor = {**asdict(by), "kind": by.kind.value}
    return f'{{"actor":{_json(actor)},"at":"', f'",{_json(rest).removeprefix("{")}'


def _json(told: dict[str, Any]) -> str:
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    # A lone surrogate has no UTF-8; its backslash form is the same character to any reader of JSON.
    return text.encode("utf-8", "backslashreplace").decode()


def _keep_to_one_chain(chain: tuple[int, int | None]) -> None:
    within = _transaction()
    for hook in (registered[1] for registered in connection.run_on_commit):
        if isinstance(hook, _ChainInUse) and hook.within == within:
            if hook.chain != chain:
                _refuse("a transaction writes to one chain of the trail only")
            return
    transaction.on_commit(_ChainInUse(chain, within))


def _transaction() -> str | None:
    """What tells this transaction from the next on the same connection: nothing but its hooks, which end with it.

    A test case wraps everything in a transaction of its own; there the outermost savepoint inside it stands in.
    """
    wrapping = sum(1 for block in connection.atomic_blocks if getattr(block, "_from_testcase", False))
    if len(connection.atomic_blocks) <= wrapping:
        _refuse("the trail is written in the transaction of what it tells")
    return connection.savepoint_ids[wrapping - 1] if wrapping else None


def _refuse(why: str) -> NoReturn:
    raise transaction.TransactionManagementError(why)
