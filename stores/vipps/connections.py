"""Connections that keep the call's deadline while reading, and know whether a byte of the request was ever written.

urllib3 only offers a time limit per read, so an answer that drips would last for ever, and its exceptions do not say
whether the request went out. Both are decided here, at the socket.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from stores.vipps.exchange import READ_SECONDS, Deadline


@dataclass(kw_only=True, slots=True)
class Passage:
    """What happens to one request on its way through the socket."""

    operation: str
    deadline: Deadline
    has_written: bool = False


class _PerThread(threading.local):
    passage: Passage | None = None


_here = _PerThread()


@contextmanager
def passage(operation: str, deadline: Deadline) -> Iterator[Passage]:
    """Everything that this thread sends and reads inside the block belongs to the passage."""
    opened = Passage(operation=operation, deadline=deadline)
    _here.passage = opened
    try:
        yield opened
    finally:
        _here.passage = None


class _TimedReader(io.RawIOBase):
    """Reads from a socket, giving each read only what is left of the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # Unbuffered, and kept, because the socket counts it and stays open for it.
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        current = _here.passage
        if current is not None:
            remaining = current.deadline.remaining
            if remaining <= 0:
                raise TimeoutError("the time for the call is over")
            self._sock.settimeout(min(READ_SECONDS, remaining))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedSocket:
    """The little of a socket that `http.client.HTTPResponse` asks for."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock))


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_TimedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]  # only makefile is used


class _WatchedConnection(HTTPConnection):
    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        _about_to_write(self)
        super().send(data)


class _WatchedSecureConnection(HTTPSConnection):
    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        _about_to_write(self)
        super().send(data)


def _about_to_write(connection: HTTPConnection) -> None:
    if connection.sock is None:
        connection.connect()
    current = _here.passage
    if current is not None and not current.has_written:
        # After the connection stands: finding the host and shaking hands may have taken longer than is allowed.
        current.deadline.check_may_write(current.operation)
        current.has_written = True


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecureConnection


class WatchedAdapter(HTTPAdapter):
    """An adapter for requests whose connections are watched; it never repeats a call by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedSecurePool}
