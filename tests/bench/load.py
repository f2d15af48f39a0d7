"""A load generator that costs little: kept-alive sockets, one request on its way on each, in one thread."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

_LENGTH = b"Content-Length: "


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How many answers came in how many seconds, and how many of them were not the wanted status."""

    answers: int
    seconds: float
    wrong: int

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


class _Line:
    """One connection, and what has come of the answer it waits for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""

    def answer(self) -> bytes | None:
        """The status line, once the whole answer is there."""
        self.got += self.socket.recv(65536)
        end = self.got.find(b"\r\n\r\n")
        if end < 0:
            return None
        start = self.got.index(_LENGTH) + len(_LENGTH)
        length = int(self.got[start : self.got.index(b"\r\n", start)])
        if len(self.got) < end + 4 + length:
            return None
        status, self.got = self.got[9:12], b""
        return status


def press(port: int, *, seconds: float, connections: int, make: Callable[[], bytes], wanted: bytes = b"200") -> Load:
    """Keeps `connections` busy with what `make` gives for `seconds`. Raises OSError."""
    lines = [_Line(port) for _ in range(connections)]
    answers = wrong = 0
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.socket.sendall(make())
        began = time.perf_counter()
        ends = began + seconds
        waiting = len(lines)
        while waiting:
            for key, _ in selector.select():
                status = key.data.answer()
                if status is None:
                    continue
                answers += 1
                wrong += status != wanted
                if time.perf_counter() < ends:
                    key.data.socket.sendall(make())
                else:
                    waiting -= 1
        took = time.perf_counter() - began
    for line in lines:
        line.socket.close()
    return Load(answers=answers, seconds=took, wrong=wrong)
