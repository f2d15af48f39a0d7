"""The one source of time, monotonic time and random ids, so that a simulation can bind all three."""

import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, models
from django.db.models import Func, Value
from django.db.models.expressions import Combinable

_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The two highest bits of the seventeenth digit are 10 (RFC 9562, 4.1)."""


def _database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [(moment,)] = cursor.fetchall()
    now: datetime = moment
    return now


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where time and randomness come from; every member is a plain function.

    `now` gives aware UTC time or None for "ask the database", `monotonic` seconds, `token` that many random bytes;
    `sleep` waits that many seconds.
    """

    now: Callable[[], datetime] | None = None
    monotonic: Callable[[], float] = time.monotonic
    token: Callable[[int], bytes] = secrets.token_bytes
    sleep: Callable[[float], None] = time.sleep


_source = Source()


@contextmanager
def bound(source: Source) -> Iterator[None]:
    """Use `source` until the block ends (process-wide; for simulations and tests)."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def db_now() -> datetime:
    """The database's clock, aware UTC: the only clock that leases, windows and the trail believe."""
    return _source.now() if _source.now is not None else _database_time()


def bound_now() -> datetime | None:
    """For SQL written by hand, as `coalesce(%(now)s::timestamptz, clock_timestamp())`."""
    return _source.now() if _source.now is not None else None


def sql_now() -> Combinable:
    """The same clock as an expression for a query or an update: `clock_timestamp()`, or the bound value."""
    if _source.now is not None:
        return Value(_source.now(), output_field=models.DateTimeField())
    return Func(function="clock_timestamp", output_field=models.DateTimeField())


def monotonic() -> float:
    """Elapsed seconds within this process; never compared between processes."""
    return _source.monotonic()


def wall_seconds() -> float:
    """Seconds since 1970 by this machine's clock: for how long somebody has been away from a till, never for money."""
    return _source.now().timestamp() if _source.now is not None else time.time()


def sleep(seconds: float) -> None:
    """Wait; never while a transaction is open."""
    _source.sleep(seconds)


def random_bytes(count: int) -> bytes:
    """`count` unpredictable bytes."""
    return _source.token(count)


def new_ids(count: int) -> list[str]:
    """As many of the same at once, each as 32 hexadecimal digits: a tenth of the time that as many UUID objects take."""
    digits = random_bytes(16 * count).hex()
    ids = (digits[start : start + 32] for start in range(0, 32 * count, 32))
    return [f"{each[:12]}4{each[13:16]}{_VARIANT[each[16]]}{each[17:]}" for each in ids]


def new_id() -> uuid.UUID:
    """A random 128-bit id for rows that are not derived from a request."""
    return uuid.UUID(bytes=random_bytes(16), version=4)
