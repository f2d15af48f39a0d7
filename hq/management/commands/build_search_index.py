"""`manage.py build_search_index`: every index behind search, built while the chain goes on selling and refunding.

Migrations make them too, but for the trigram index: the embedded PostgreSQL lacks the extension that it needs.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from stores.search import indexes
from stores.search.indexes import TRIGRAM_INDEX, Standing

_EVERY_SECONDS = 2.0
_MIB = 1024 * 1024


class Command(BaseCommand):
    """Safe to start again: what stands is kept, and what a broken build left is dropped and built anew."""

    help = "Build the indexes behind search that are missing or broken, without locking out writers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--vacuum", action="store_true", help="VACUUM (ANALYZE) the orders, as after a large import")
        parser.add_argument("--warm", action="store_true", help="read the indexes into memory (pg_prewarm), as after a start")

    def handle(self, *args: Any, vacuum: bool, warm: bool, **options: Any) -> None:
        with indexes.alone() as is_alone:
            if not is_alone:
                raise CommandError("Somebody else is building or vacuuming: wait for it to end.")
            for name, statement in indexes.wanted().items():
                self._build(name, statement)
            if vacuum:
                self._timed("The orders are vacuumed and counted", indexes.vacuum)
            if vacuum or indexes.standing(TRIGRAM_INDEX) == Standing.STANDS:
                self._timed("What waited stands in the trigram index", indexes.merge_pending)
            if warm:
                self._warm()
        if indexes.can("pg_trgm"):
            self.stdout.write("The trigram index stands.")
        else:
            self.stdout.write("This PostgreSQL has no pg_trgm: fragments are found by walking the newest 60,000 orders.")

    def _build(self, name: str, statement: str) -> None:
        standing = indexes.standing(name)
        if standing == Standing.STANDS:
            self.stdout.write(f"{name} stands, {indexes.size_of(name) / _MIB:,.0f} MiB.")
            return
        if standing == Standing.BROKEN:
            self.stdout.write(f"{name} was left broken: it is dropped and built anew.")
        self._timed(f"{name} is built", lambda: indexes.build(name, statement))
        self.stdout.write(f"{name} has {indexes.size_of(name) / _MIB:,.0f} MiB.")

    def _warm(self) -> None:
        if indexes.can("pg_prewarm"):
            self._timed("The indexes are in memory, as far as they fit", indexes.warm)
        else:
            self.stdout.write("This PostgreSQL has no pg_prewarm: the first searches after a start are slow.")

    def _timed(self, what: str, act: Callable[[], object]) -> None:
        began = time.monotonic()
        with self._telling_progress():
            act()
        self.stdout.write(f"{what}: {time.monotonic() - began:.1f} s.")

    @contextmanager
    def _telling_progress(self) -> Iterator[None]:
        """Every two seconds, what PostgreSQL says of the work: a thread has a connection of its own."""
        ended = threading.Event()

        def tell() -> None:
            while not ended.wait(_EVERY_SECONDS):
                if line := indexes.progress():
                    self.stdout.write(f"  {line}")
            connections.close_all()

        teller = threading.Thread(target=tell, name="progress", daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()
