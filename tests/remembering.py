"""Rows that were made once, by the hub's own verbs, are given back to later tests as they stood: a tenth of the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import pgtrigger
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of each table that has any, as PostgreSQL's COPY writes them. Those that migrating makes are nobody's."""

    texts: dict[str, bytes]

    @classmethod
    def there(cls) -> Self:
        """All that the database of the tests has now."""
        with connection.cursor() as cursor:
            texts = {}
            for table in tables():
                with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                    texts[table] = b"".join(map(bytes, copy))
        return cls(texts={table: text for table, text in texts.items() if text})

    def write(self) -> None:
        """Put them where they stood, their keys and times included; sequences have passed them long ago."""
        with transaction.atomic(), connection.cursor() as cursor:
            for table, text in self.texts.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(text)


def tables() -> list[str]:
    """Every table of the hub's that a test may fill."""
    names = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    return sorted(names - {model._meta.db_table for model in (ContentType, Permission)})


def delete_everything() -> None:
    """Every row of theirs. The append-only triggers would refuse it; a test's end may."""
    with pgtrigger.ignore(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(f'DELETE FROM "{table}"' for table in tables()))  # noqa: S608  # our own tables
