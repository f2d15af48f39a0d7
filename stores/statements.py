"""Statements that run for every request: planned once for each connection, where Django's own are planned each time."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection


def read(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a prepared statement. Its plan is the same for all values, so it has to be bounded by itself."""
    # As Django does before each of its own statements.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # Django's own cursors write the values into the text, so that nothing could be prepared.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        # In binary, moments and numbers are there at once; as text ten thousand rows take five times as long to read.
        return cursor.execute(statement, parameters, prepare=True, binary=True).fetchall()
