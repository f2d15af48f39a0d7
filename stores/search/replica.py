"""Where search looks for candidates: at a read replica if there is one and it answers, else at the database itself."""

import logging
import time

import psycopg.errors
from django.db import DEFAULT_DB_ALIAS, DatabaseError, Error, connections

logger = logging.getLogger(__name__)

REPLICA = "search"
AGAIN_AFTER_SECONDS = 30.0
"""A replica that failed is left alone so long: to wait for it with every search would be worse than to have none."""


class _Standing:
    """This process' knowledge of the replica. Threads may overwrite each other: it is only a guess."""

    aside_until = 0.0


def reader() -> str:
    """The alias of the database to ask next."""
    is_there = REPLICA in connections.settings and time.monotonic() >= _Standing.aside_until
    return REPLICA if is_there else DEFAULT_DB_ALIAS


def put_aside(failure: Error) -> None:
    """The database itself is asked from here on, for a while; a mere conflict with what the replica takes in is no reason."""
    connections[REPLICA].close()
    if isinstance(failure.__cause__, psycopg.errors.SerializationFailure):
        return
    _Standing.aside_until = time.monotonic() + AGAIN_AFTER_SECONDS
    logger.warning("the read replica for search failed, the database itself is asked instead: %s", type(failure).__name__)


def is_out_of_time(failure: Error) -> bool:
    """Whether the statement was cut because its time was up, which is nobody's failure."""
    return isinstance(failure, DatabaseError) and isinstance(failure.__cause__, psycopg.errors.QueryCanceled)


def trust_again() -> None:
    """For tests: as if the replica had never failed."""
    _Standing.aside_until = 0.0
