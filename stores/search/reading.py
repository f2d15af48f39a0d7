"""Asking PostgreSQL for candidates: small prepared statements, and dear ones within a time of their own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import OperationalError, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def ask(statement: str, parameters: Parameters) -> list[Row]:
    """Rows of a statement that is bounded by itself. Planned once for each connection: its plan is the same for all values."""
    connection.ensure_connection()
    return _fetch(statement, parameters, prepare=True)


def ask_within(
    purse: Purse, statement: str, parameters: Parameters, *, in_index_order: bool = False
) -> list[Row] | None:
    """Rows of a statement that may be dear, planned for its very values; None when the time was up.

    However common PostgreSQL thinks a fragment is, it does not read all orders; `in_index_order` forbids sorting them too.
    """
    if purse.left_ms < _LEAST_MS:
        purse.is_empty = True
        return None
    began = time.monotonic()
    try:
        with transaction.atomic(), _limits(purse.left_ms, _IN_ORDER if in_index_order else _BY_INDEX):
            return _fetch(statement, parameters, prepare=False)
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise
        purse.is_empty = True
        return None
    finally:
        purse.spent_ms += (time.monotonic() - began) * 1000


def _fetch(statement: str, parameters: Parameters, *, prepare: bool) -> list[Row]:
    # Django's own cursors write the values into the text, so that nothing can be prepared.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, parameters, prepare=prepare).fetchall()


@contextmanager
def _limits(milliseconds: int, planning: Mapping[str, str]) -> Iterator[None]:
    """Inside: so much time, and plans of that kind only."""
    wanted = {"statement_timeout": f"{milliseconds}ms", **planning}
    before = _current(*wanted) if connection.savepoint_ids else None
    _set(wanted)
    yield
    # An outer transaction would keep them for everything that comes after this search.
    if before is not None:
        _set(before)


def _current(*names: str) -> dict[str, str]:
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    return dict(zip(names, _fetch(f"SELECT {columns}", {}, prepare=False)[0], strict=True))


def _set(values: Mapping[str, str]) -> None:
    columns = ", ".join(f"set_config('{name}', %({name})s, true)" for name in values)
    _fetch(f"SELECT {columns}", values, prepare=False)
