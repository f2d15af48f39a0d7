"""A database of the measurement's own; its indexes are built once the orders are there, by the hub's own command's means."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from stores import actors, people
from stores.models import Company, Role, User
from stores.search import indexes
from tests.many_orders import make_orders

ASKERS = 400
"""So many people take turns that nobody comes to the limit of look-ups in a minute."""
_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'stores_order'::regclass AND contype IN ('u', 'f')
"""


def use(database: str) -> bool:
    """From here on Django speaks with that database, made if it is not there; whether it was there."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        is_there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is not None
        if not is_there:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    connection.close()
    connection.settings_dict["NAME"] = database
    return is_there


def drop(database: str) -> None:
    """The database of a measurement that nobody wants to keep."""
    connection.close()
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def fill(rows: int, *, say: Callable[[str], object]) -> dict[str, float]:
    """The tables, a chain of two thousand stores and its orders; seconds that each step took."""
    call_command("migrate", verbosity=0, interactive=False)
    company = Company.objects.create(name="Nordlys")
    for number in range(ASKERS):
        person = User.objects.create(username=f"asker-{number}", first_name=f"Asker {number}")
        people.join_headquarters(person, company, role=Role.OPERATOR, by=actors.hub("bench"))
    took: dict[str, float] = {}
    _run("SET statement_timeout = 0")
    constraints = _taken_away()
    _timed(took, "orders", lambda: make_orders(company, rows, say=say))
    for name, definition in constraints.items():
        _timed(took, name, partial(_add, name, definition))
    for name, statement in indexes.wanted().items():
        _timed(took, name, partial(indexes.build, name, statement))
        say(f"{name}: {took[name]} s.")
    _timed(took, "vacuum", indexes.vacuum)
    return took


def sizes() -> dict[str, float]:
    """MiB of the heap and of each index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'heap', pg_relation_size('stores_order') UNION ALL "
            "SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index "
            "WHERE indrelid = 'stores_order'::regclass"
        )
        return {name: round(size / 2**20, 1) for name, size in cursor.fetchall()}


def _taken_away() -> dict[str, str]:
    """Without its indexes the table takes rows ten times as fast; the definitions of the constraints that have to come back."""
    with connection.cursor() as cursor:
        cursor.execute(_CONSTRAINTS)
        constraints: dict[str, str] = dict(cursor.fetchall())
    for name in constraints:
        _run(f'ALTER TABLE stores_order DROP CONSTRAINT "{name}"')
    for name in indexes.wanted():
        _run(f'DROP INDEX IF EXISTS "{name}"')
    return constraints


def _add(name: str, definition: str) -> None:
    _run(f'ALTER TABLE stores_order ADD CONSTRAINT "{name}" {definition}')


def _timed(took: dict[str, float], name: str, act: Callable[[], object]) -> None:
    began = time.perf_counter()
    act()
    took[name] = round(time.perf_counter() - began, 1)


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
