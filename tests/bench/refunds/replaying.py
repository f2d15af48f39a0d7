"""The floor under a refund: what the hub said to PostgreSQL and to Vipps, written down, and said again by bare clients."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import psycopg
from django.db import connection

from stores import sessions
from stores.vipps.exchange import Deadline, Request, Response
from stores.vipps.transport import RequestsTransport


@dataclass(frozen=True, kw_only=True)
class Statement:
    """SQL with its values, as the ORM had them."""

    sql: str
    values: Any


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Autocommit goes off (a transaction begins with the next statement) or on again (it was committed)."""

    is_on: bool


Said = Statement | Turn | Request


class Listener:
    """Writes down everything that this thread says, in its order."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self._real = RequestsTransport()

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        """As a transport: passes the call on."""
        self.said.append(request)
        return self._real.send(request, deadline=deadline)

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: dict[str, Any]) -> Any:
        """As an execute wrapper of Django."""
        self.said.append(Statement(sql=sql, values=values))
        return execute(sql, values, many, context)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Until the block ends."""
        real = connection.set_autocommit

        def set_autocommit(is_on: bool, *rest: Any, **more: Any) -> None:
            self.said.append(Turn(is_on=is_on))
            real(is_on, *rest, **more)

        with (
            sessions.use_transport(self),
            connection.execute_wrapper(self),
            mock.patch.object(connection, "set_autocommit", set_autocommit),
        ):
            yield


def replay(said: Sequence[Said], *, database: str, options: str, provider_url: str) -> None:
    """Say it all again, one after the other, on one connection each. Raises AssertionError on an answer that is not 200."""
    calls = http.client.HTTPConnection(urlsplit(provider_url).netloc)
    with psycopg.connect(database, autocommit=True, options=options, cursor_factory=psycopg.ClientCursor) as bare:
        cursor = bare.cursor()
        for each in said:
            if isinstance(each, Statement):
                cursor.execute(each.sql, each.values)
                if cursor.description:
                    cursor.fetchall()
            elif isinstance(each, Turn):
                if each.is_on:
                    bare.commit()
                bare.autocommit = each.is_on
            else:
                calls.request(each.method, each.path, each.body, dict(each.headers))
                answer = calls.getresponse()
                answer.read()
                assert answer.status == http.client.OK, answer.status
    calls.close()
