"""The indexes behind search: which there should be, which there are, and how they are built while everybody writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto

from django.db import connection

from stores.models import Order

TRIGRAM_INDEX = "order_ref_key_trigram"
"""Built by a command where `pg_trgm` exists; without it the walk is all there is."""
_TRIGRAM = f"CREATE INDEX CONCURRENTLY {TRIGRAM_INDEX} ON stores_order USING gin (ref_key gin_trgm_ops)"
_ONE_AT_A_TIME = 0x5EA2C4
"""The advisory lock of whoever builds: an index that is being built looks like one that was left broken."""
_PROGRESS = """
SELECT phase, coalesce(100 * blocks_done / nullif(blocks_total, 0), 100 * tuples_done / nullif(tuples_total, 0))
FROM pg_stat_progress_create_index WHERE relid = 'stores_order'::regclass AND datname = current_database()
UNION ALL
SELECT phase, 100 * heap_blks_scanned / nullif(heap_blks_total, 0)
FROM pg_stat_progress_vacuum WHERE relid = 'stores_order'::regclass AND datname = current_database()
"""


class Standing(Enum):
    """What there is of an index."""

    MISSING = auto()
    BROKEN = auto()
    """A build ended before its end; nobody reads by it, and every sync keeps it up to date for nothing."""
    STANDS = auto()


def wanted() -> dict[str, str]:
    """The statements that build each index of the orders, by its name; the trigram index where `pg_trgm` can be had."""
    with connection.schema_editor(collect_sql=True) as editor:
        statements = {index.name: str(index.create_sql(Order, editor, concurrently=True)) for index in Order._meta.indexes}
    return statements | ({TRIGRAM_INDEX: _TRIGRAM} if can("pg_trgm") else {})


def can(extension: str) -> bool:
    """Whether this PostgreSQL has the extension, made already or not."""
    return _one("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = %s)", extension) is True


def standing(name: str) -> Standing:
    """Of one index."""
    is_valid = _one("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", name)
    if is_valid is None:
        return Standing.MISSING
    return Standing.STANDS if is_valid else Standing.BROKEN


@contextmanager
def alone() -> Iterator[bool]:
    """Whether nobody else builds or vacuums; inside, nothing is cut short by the hub's time limits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        (is_alone,) = cursor.fetchone() or (False,)
    if not is_alone:
        yield False
        return
    try:
        _run("SET statement_timeout = 0", "SET lock_timeout = 0")
        yield True
    finally:
        _run("RESET statement_timeout", "RESET lock_timeout")
        _one("SELECT pg_advisory_unlock(%s)", _ONE_AT_A_TIME)


def build(name: str, statement: str) -> None:
    """Concurrently: writers go on. What a broken build left is dropped first."""
    if name == TRIGRAM_INDEX:
        _run("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    if standing(name) == Standing.BROKEN:
        _run(f'DROP INDEX CONCURRENTLY "{name}"')
    _run(statement)


def merge_pending() -> int:
    """Put what syncs left in the trigram index's waiting list into its tree; pages merged, 0 where it does not stand."""
    if standing(TRIGRAM_INDEX) != Standing.STANDS:
        return 0
    return int(str(_one("SELECT gin_clean_pending_list(%s::regclass)", TRIGRAM_INDEX) or 0))


def vacuum() -> None:
    """Mark what is visible to all, so that searches read nothing but indexes, and count anew what there is."""
    _run("VACUUM (ANALYZE) stores_order")


def warm() -> int:
    """Read the indexes into memory where `pg_prewarm` can be had; 8 KiB pages read."""
    if not can("pg_prewarm"):
        return 0
    _run("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
    there = [name for name in wanted() if standing(name) == Standing.STANDS]
    return sum(int(str(_one("SELECT pg_prewarm(%s::regclass)", name) or 0)) for name in there)


def progress() -> str:
    """What is being built or vacuumed now, by whomever, as one line; "" when nothing is."""
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS)
        return "; ".join(phase if done is None else f"{phase} {done} %" for phase, done in cursor.fetchall())


def size_of(name: str) -> int:
    """Bytes on disk."""
    return int(str(_one("SELECT pg_relation_size(to_regclass(%s))", name) or 0))


def _one(statement: str, parameter: str | int) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, [parameter])
        row = cursor.fetchone()
    return row[0] if row else None


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
