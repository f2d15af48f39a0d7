"""One question after the other, each beside one look-up by primary key on a bare connection: the floor of the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg
from django.db import connection

from stores.models import User
from stores.search import alike, ends, exact, filtering, find_orders, fragments, receipts, walking
from tests.bench.search.questions import Question

_ASKING = (alike, ends, exact, filtering, fragments, receipts, walking)
_FLOOR = "SELECT * FROM stores_order WHERE id = %s"


@dataclass(kw_only=True)
class Times:
    """Milliseconds of each question: in candidates' statements, in the whole call; and how many found nothing or were cut."""

    statements: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    empty: int = 0
    cut: int = 0


@dataclass(kw_only=True)
class Bench:
    """The bare connection beside Django's, and all that it took."""

    bare: psycopg.Connection[Any]
    ids: Sequence[int]
    floor: list[float] = field(default_factory=list)

    def look_up(self) -> None:
        """The floor, once more."""
        began = time.perf_counter()
        self.bare.execute(_FLOOR, [self.ids[len(self.floor) % len(self.ids)]]).fetchone()
        self.floor.append((time.perf_counter() - began) * 1000)


def ask_all(questions: Sequence[Question], askers: Sequence[User], bench: Bench) -> Times:
    """Every question by another person."""
    times = Times()
    for number, question in enumerate(questions):
        with _noted() as spent:
            began = time.perf_counter()
            found = find_orders(question.typed, asker=askers[number % len(askers)], **question.filters)
            whole = time.perf_counter() - began
        times.whole.append(whole * 1000)
        times.statements.append(sum(spent) * 1000)
        times.empty += not found.hits
        times.cut += found.hint.startswith("Older orders")
        bench.look_up()
    return times


@contextmanager
def _noted() -> Iterator[list[float]]:
    """The seconds of each statement that asks for candidates, its transaction included."""
    spent: list[float] = []

    def timed(act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return act(*arguments, **named)
            finally:
                spent.append(time.perf_counter() - began)

        return run

    with ExitStack() as stack:
        for module in _ASKING:
            for name in ("ask", "ask_within"):
                if hasattr(module, name):
                    stack.enter_context(mock.patch.object(module, name, timed(getattr(module, name))))
        yield spent


@contextmanager
def without_trigrams() -> Iterator[None]:
    """As where PostgreSQL has no `pg_trgm`."""
    with mock.patch.object(fragments, "TRIGRAM_INDEX", "no_such_index"):
        yield


def bare_connection() -> psycopg.Connection[Any]:
    """To the same database, as psycopg makes one by itself."""
    given = connection.get_connection_params()
    named = {name: given[name] for name in ("dbname", "user", "password", "host", "port", "options") if name in given}
    return psycopg.connect(**named, autocommit=True)
