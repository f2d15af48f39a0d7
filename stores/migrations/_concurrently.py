"""Indexes of large tables, built and dropped while everybody goes on writing; safe to start again after a broken build."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently

_IS_BROKEN = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
_IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"


class AddIndexPatiently(AddIndexConcurrently):
    """AddIndexConcurrently without the hub's time limits: one index of ten million orders takes minutes.

    What a broken build left behind is dropped; an index that stands already is kept.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        name = self.index.name
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
            cursor.execute(_IS_BROKEN, [name])
            if cursor.fetchone():
                cursor.execute(f'DROP INDEX CONCURRENTLY "{name}"')
            cursor.execute(_IS_THERE, [name])
            is_there = (cursor.fetchone() or (False,))[0]
        if not is_there:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout; RESET lock_timeout")


class RemoveIndexPatiently(RemoveIndexConcurrently):
    """RemoveIndexConcurrently without the hub's time limits: it waits for whoever still reads by the index."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout; RESET lock_timeout")
