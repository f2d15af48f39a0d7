"""The database as it can be: transactions that die before or after their commit, lost acknowledgements, cut connections."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.faults.schedules.faults import Faults
from tests.faults.schedules.stage import Connections, Crash

LOCK_WAIT = "SET lock_timeout = '25ms'"
"""All actors share one thread: whoever waits for a lock waits in vain, as for one that is held too long."""
LONGEST_INSIDE = 8.0
"""Seconds a transaction may stand still; PostgreSQL ends an idle one after ten."""
_INSIDE = 0.08
_AT_COMMIT = ("crash at commit", "crash after commit", "commit refused", "acknowledgement lost", "commit cut off")

_faults: Faults | None = None


def lent_connections() -> Connections:
    """Connections whose commits and statements go through the faults of the schedule that is on."""
    return Connections(_prepare)


@contextmanager
def troubled(faults: Faults) -> Iterator[None]:
    """Until the block ends every transaction is a yield point, and may fail."""
    global _faults
    enter, leave = transaction.Atomic.__enter__, transaction.Atomic.__exit__

    def entering(self: transaction.Atomic) -> None:
        connection = transaction.get_connection(self.using)
        if not connection.in_atomic_block:
            faults.yield_point("before transaction")
        elif faults.strikes(_INSIDE):
            faults.yield_point("inside transaction", may_stall=LONGEST_INSIDE)
        enter(self)

    def leaving(self: transaction.Atomic, kind: Any, error: Any, trace: Any) -> None:
        leave(self, kind, error, trace)
        if kind is None and not transaction.get_connection(self.using).in_atomic_block:
            faults.yield_point("after transaction")

    patched: Any = transaction.Atomic
    patched.__enter__, patched.__exit__ = entering, leaving
    _faults = faults
    try:
        yield
    finally:
        patched.__enter__, patched.__exit__ = enter, leave
        _faults = None


def _prepare(connection: BaseDatabaseWrapper) -> None:
    patched: Any = connection
    commit, connect = patched._commit, connection.connect

    def connecting() -> None:
        connect()
        with connection.cursor() as cursor:
            cursor.execute(LOCK_WAIT)

    patched._commit = lambda: _commit(connection, commit)
    patched.connect = connecting
    connection.execute_wrappers.append(_execute)


def _commit(connection: BaseDatabaseWrapper, commit: Callable[[], None]) -> None:
    faults = _faults
    if faults is None or not faults.strikes(4 * faults.weather.database + faults.weather.crash / 2):
        commit()
        return
    raw = connection.connection
    fault = faults.dice.choice(_AT_COMMIT)
    faults.note(fault)
    if fault in ("crash after commit", "acknowledgement lost"):
        commit()
    else:
        raw.rollback()
    if fault.startswith("crash"):
        connection.run_on_commit = []
        raise Crash
    if fault != "commit refused":
        raw.close()
        raise OperationalError("server closed the connection unexpectedly")
    raise OperationalError("could not serialize access due to concurrent update")


def _execute(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    faults = _faults
    if faults is None or sql is LOCK_WAIT or not faults.strikes(faults.weather.database):
        return execute(sql, params, many, context)
    fault = faults.dice.choice(("connection reset", "statement refused", "crash between statements"))
    faults.note(fault)
    if fault == "crash between statements":
        raise Crash
    if fault == "connection reset":
        connection: BaseDatabaseWrapper = context["connection"]
        connection.errors_occurred = True
        if connection.connection is not None:
            connection.connection.close()
        raise OperationalError("server closed the connection unexpectedly")
    raise OperationalError("canceling statement due to statement timeout")
