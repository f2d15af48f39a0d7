"""The simulator over real HTTP: one thread, kept-alive connections, and the means to drop or drip an answer."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from stores.vipps.simulator.requests_in import Arrival, BadRequest, RequestReader
from stores.vipps.simulator.wire import Call, Reply

logger = logging.getLogger("stores.vipps.simulator")

_DRIP_SECONDS = 1.0


class _Connection(asyncio.Protocol):
    """One client. A request waits until the one before it has its whole answer."""

    def __init__(self, answer: Callable[[Call], Reply], open_ones: set[_Connection]) -> None:
        self._answer = answer
        self._open_ones = open_ones
        self._transport: asyncio.Transport | None = None
        self._reader = RequestReader(is_local=False)
        self._is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream is needed")
        self._transport = transport
        self._open_ones.add(self)
        self._reader = RequestReader(is_local=_is_this_machine(transport.get_extra_info("peername")))

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_ones.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        self._go_on()

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _go_on(self) -> None:
        if self._is_busy:
            return
        try:
            for arrival in self._reader.arrivals():
                self._is_busy = True
                self._carry(arrival, self._safely(partial(self._answer, arrival.call)))
                if self._is_busy or self._transport is None:
                    return
            if self._reader.wants_continue and self._transport is not None:
                self._reader.wants_continue = False
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        except BadRequest as error:
            self._write(Reply(status=error.status), keeps_open=False)

    def _carry(self, arrival: Arrival, reply: Reply) -> None:
        """Does with the connection what the reply says, at once or after its delay."""
        loop = asyncio.get_running_loop()
        held_up = reply.then
        if held_up is not None:
            # Carried out even if the client has gone by then: the request was on its way.
            loop.call_later(reply.delay, lambda: self._finish_later(arrival, self._safely(held_up)))
        elif reply.delay:
            loop.call_later(reply.delay, lambda: self._finish_later(arrival, reply))
        else:
            self._finish(arrival, reply)

    def _finish_later(self, arrival: Arrival, reply: Reply) -> None:
        self._finish(arrival, reply)
        self._go_on()

    def _finish(self, arrival: Arrival, reply: Reply) -> None:
        if reply.is_dropped:
            self.drop()
        elif reply.is_dripped:
            self._drip(_head(reply, keeps_open=False), reply.body)
        else:
            self._write(reply, keeps_open=arrival.keeps_open)
            self._is_busy = False

    def _write(self, reply: Reply, *, keeps_open: bool) -> None:
        if self._transport is None:
            return
        self._transport.write(_head(reply, keeps_open=keeps_open) + reply.body)
        if not keeps_open:
            self._transport.close()

    def _drip(self, head: bytes, body: bytes) -> None:
        if self._transport is None:
            return
        self._transport.write(head + body[:1])
        if body:
            asyncio.get_running_loop().call_later(_DRIP_SECONDS, self._drip, b"", body[1:])
        else:
            self._transport.close()

    def _safely(self, make: Callable[[], Reply]) -> Reply:
        try:
            return make()
        except Exception:
            logger.exception("the simulator failed")
            return Reply(status=500)


async def serve(
    answer: Callable[[Call], Reply],
    *,
    host: str,
    port: int,
    stop: asyncio.Event,
    on_ready: Callable[[int], None],
) -> None:
    """Serves until `stop` is set. Calls `on_ready` with the port that was taken. Raises OSError."""
    open_ones: set[_Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answer, open_ones), host, port, backlog=1024)
    on_ready(server.sockets[0].getsockname()[1])
    await stop.wait()
    server.close()
    for connection in list(open_ones):
        connection.drop()
    await server.wait_closed()


def _head(reply: Reply, *, keeps_open: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    if not keeps_open:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _is_this_machine(peer: tuple[str, int] | None) -> bool:
    try:
        return peer is not None and ipaddress.ip_address(peer[0]).is_loopback
    except ValueError:
        return False
