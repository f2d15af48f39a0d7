"""Asking PostgreSQL for candidates: small prepared statements, and dear ones within a time of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connections, transaction

from stores.search import replica

LONGEST_MS = 250
"""What the walks and the trigram index of one search may take together."""
_LEAST_MS = 5
_FOR_THESE_VALUES = {"plan_cache_mode": "force_custom_plan"}
_BY_INDEX = {**_FOR_THESE_VALUES, "enable_seqscan": "off"}
_IN_ORDER = {**_BY_INDEX, "enable_bitmapscan": "off", "enable_sort": "off"}

Parameters = Mapping[str, Any]
Row = tuple[Any, ...]


@dataclass(kw_only=True)
class Purse:
    """The time that one search has left for its dear statements; `is_empty` once one of them was cut."""

    spent_ms: float = 0.0
    is_empty: bool = False

    @property
    def left_ms(self) -> int:
        return 0 if self.is_empty else max(int(LONGEST_MS - self.spent_ms), 0)


def ask(statement: str, parameters: Parameters, *, is_fresh: bool = False) -> list[Row]:
    """Rows of a statement that is bounded by itself. Planned once for each connection: its plan is the same for all values.

    `is_fresh` asks the database itself, for what may have come in this second.
    """
    return _from_reader(lambda alias: _fetch(alias, statement, parameters, prepare=True), is_fresh=is_fresh)


def ask_within(
    purse: Purse, statement: str, parameters: Parameters, *, in_index_order: bool = False
) -> list[Row] | None:
    """Rows of a statement that may be dear, planned for its very values; None when the time was up.

    However common PostgreSQL thinks a fragment is, it does not read all orders; `in_index_order` forbids sorting them too.
    """
    if purse.left_ms < _LEAST_MS:
        purse.is_empty = True
        return None
    planning = _IN_ORDER if in_index_order else _BY_INDEX

    def fetch(alias: str) -> list[Row]:
        with transaction.atomic(using=alias), _limits(alias, purse.left_ms, planning):
            return _fetch(alias, statement, parameters, prepare=False)

    began = time.monotonic()
    try:
        return _from_reader(fetch)
    except OperationalError as error:
        if not replica.is_out_of_time(error):
            raise
        purse.is_empty = True
        return None
    finally:
        purse.spent_ms += (time.monotonic() - began) * 1000


def _from_reader(fetch: Callable[[str], list[Row]], *, is_fresh: bool = False) -> list[Row]:
    """From the replica, or from the database itself where there is none or it fails."""
    alias = DEFAULT_DB_ALIAS if is_fresh else replica.reader()
    if alias == DEFAULT_DB_ALIAS:
        return fetch(alias)
    try:
        return fetch(alias)
    except Error as failure:
        if replica.is_out_of_time(failure):
            raise
        replica.put_aside(failure)
    return fetch(DEFAULT_DB_ALIAS)


def _fetch(alias: str, statement: str, parameters: Parameters, *, prepare: bool) -> list[Row]:
    connection = connections[alias]
    # As Django does before each of its own statements.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # Django's own cursors write the values into the text, so that nothing can be prepared.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, parameters, prepare=prepare).fetchall()


@contextmanager
def _limits(alias: str, milliseconds: int, planning: Mapping[str, str]) -> Iterator[None]:
    """Inside: so much time, and plans of that kind only."""
    wanted = {"statement_timeout": f"{milliseconds}ms", **planning}
    before = _current(alias, *wanted) if connections[alias].savepoint_ids else None
    _set(alias, wanted)
    yield
    # An outer transaction would keep them for everything that comes after this search.
    if before is not None:
        _set(alias, before)


def _current(alias: str, *names: str) -> dict[str, str]:
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    return dict(zip(names, _fetch(alias, f"SELECT {columns}", {}, prepare=False)[0], strict=True))


def _set(alias: str, values: Mapping[str, str]) -> None:
    columns = ", ".join(f"set_config('{name}', %({name})s, true)" for name in values)
    _fetch(alias, f"SELECT {columns}", values, prepare=False)
