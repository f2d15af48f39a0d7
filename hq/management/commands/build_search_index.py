"""`manage.py build_search_index`: the trigram index behind fragment search, where PostgreSQL has `pg_trgm`.

It stands outside the migrations, because the embedded PostgreSQL lacks the extension; writers are not locked out.
"""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from stores.search.fragments import TRIGRAM_INDEX


class Command(BaseCommand):
    """Safe to start again: an index that a broken build left invalid is dropped and built anew."""

    help = "Build the trigram index for fragments of references (PostgreSQL with pg_trgm)."

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
            if cursor.fetchone() is None:
                self.stdout.write("This PostgreSQL has no pg_trgm: fragments are found by walking the newest 60,000 orders.")
                return
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(
                "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [TRIGRAM_INDEX]
            )
            if cursor.fetchone() is not None:
                cursor.execute(f"DROP INDEX CONCURRENTLY {TRIGRAM_INDEX}")
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {TRIGRAM_INDEX} ON stores_order USING gin (ref_key gin_trgm_ops)"
            )
        self.stdout.write("The trigram index stands.")
