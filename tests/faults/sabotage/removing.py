"""How a guard is taken away: by patching it from here, until the block ends. Production code carries no off-switch."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import requests
from django.db import connection, transaction

from refunds import attempts, claims, deciding, execution, gateway, identity, states
from refunds.gateway import Meaning
from refunds.models import Refund
from stores import clock

Gone = Callable[[], AbstractContextManager[None]]


@contextmanager
def swapped(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def swap(owner: Any, name: str, value: Any) -> Gone:
    return lambda: swapped((owner, name, value))


@contextmanager
def timeout_is_failed() -> Iterator[None]:
    table: Any = gateway.CONSEQUENCES
    before, table[Meaning.UNSURE] = table[Meaning.UNSURE], table[Meaning.REFUSED]
    try:
        yield
    finally:
        table[Meaning.UNSURE] = before


def absent_is_failed(*_args: Any) -> deciding.Step:
    return deciding.Step(move=states.T10_REFUSED, because="not in the log", changes={"outcome": "absent"})


class EndlessLease:
    """Stands in for `states` where attempts are made: whatever is left of the lease will do."""

    CALL_BUDGET = timedelta(days=-3_650)


class RandomKeys:
    """Stands in for `identity` where attempts are made."""

    @staticmethod
    def provider_key(**_facts: Any) -> str:
        return identity.PREFIX + uuid.uuid4().hex


def moved_without_fence(refund: Refund, row: states.Move, *, fence: int | None = None, **more: Any) -> bool:
    return MOVE(refund, replace(row, fenced=False), fence=None, **more)


MOVE = states.move


@contextmanager
def success_needs_the_fence() -> Iterator[None]:
    def take(claim: claims.Claim, step: deciding.Step, *, attempt: int = 0) -> bool:
        changes = {"outcome": "refunded", "indeterminate_since": None, "verdict": ""}
        more = changes if step.move is states.T7_SUCCESS else step.changes
        return states.move(
            claim.refund, step.move, by=claim.by, because=step.because, fence=claim.fence, attempt=attempt, **more
        )

    with swapped((claims, "take", take), (execution, "take", take), (attempts, "take", take)):
        yield


@contextmanager
def deadline_from_after_the_commit() -> Iterator[None]:
    real = attempts.write_intent

    def late(*args: Any, **more: Any) -> attempts.Intent | None:
        intent = real(*args, **more)
        return replace(intent, written_at=clock.monotonic()) if intent else None

    with swapped((execution, "write_intent", late)):
        yield


@contextmanager
def called_before_the_commit() -> Iterator[None]:
    """The intent's transaction is left open over the call."""
    write, send = attempts.write_intent, gateway.send_refund

    def sending(*args: Any, **more: Any) -> gateway.Outcome:
        with transaction.atomic():
            return send(*args, **more)

    with swapped((gateway, "send_refund", sending), (execution, "write_intent", write)):
        yield


@contextmanager
def without_triggers_of(*tables: str) -> Iterator[None]:
    """In the test's own transaction, which ends with the test."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield


@contextmanager
def without_index(name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP INDEX {name}")
    yield


@contextmanager
def redirects_followed() -> Iterator[None]:
    real = requests.Session.request

    def following(self: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
        return real(self, method, url, **{**more, "allow_redirects": True})

    with swapped((requests.Session, "request", following)):
        yield


@contextmanager
def review_holds_nothing() -> Iterator[None]:
    with swapped((states.Move, "holds_order", property(lambda _row: False))):
        yield


ALWAYS_FALSE: Any = property(lambda _standing: False)
NEVER_SENT: Any = property(lambda standing: standing.sends == 0)
