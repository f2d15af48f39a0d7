"""A small TCP proxy with bad manners: a link between two processes that can be cut, reset, made slow, or made to hang."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_CHUNK = 65_536
_SLICE = 100
"""Bytes in one piece on a slow link: whoever reads must not take a piece for the whole."""
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a link leads: a TCP port of this machine, or a Unix socket."""

    port: int = 0
    path: Path | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises OSError."""
        if self.path is not None:
            return await asyncio.open_unix_connection(self.path)
        return await asyncio.open_connection("127.0.0.1", self.port)


class Link:
    """One listening port, and what happens to the bytes that pass it. Its methods are called from any thread."""

    def __init__(self, port: int, target: Target, *, delay: float = 0.0) -> None:
        self.port = port
        self.resets = 0
        self._target = target
        self._usual_delay = self._delay = delay
        self._is_slicing = False
        self._is_cut = False
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def reset(self) -> None:
        """Reset every connection; new ones may be made at once."""
        self._do(self._reset())

    def cut(self) -> None:
        """Reset every connection, and every new one, until it is healed."""
        self._is_cut = True
        self.reset()

    def slow_down(self, seconds: float) -> None:
        """Each piece waits so long, and comes in slices."""
        self._delay, self._is_slicing = seconds, True

    def hang(self) -> None:
        """Nothing passes, and nobody is told."""
        self._do(self._let_pass(False))

    def heal(self) -> None:
        """As if nothing had been; what hung goes on."""
        self._delay, self._is_slicing, self._is_cut = self._usual_delay, False, False
        self._do(self._let_pass(True))

    async def listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        if self._loop is None:
            raise RuntimeError(f"the link on {self.port} does not listen yet")
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _reset(self) -> None:
        self.resets += len(self._open)
        for writer in list(self._open):
            _slam(writer)

    async def _let_pass(self, may_pass: bool) -> None:
        if may_pass:
            self._may_pass.set()
        else:
            self._may_pass.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            self.resets += 1
            _slam(writer)
            return
        try:
            far_reader, far_writer = await self._target.open()
        except OSError:
            _slam(writer)
            return
        both = {writer, far_writer}
        self._open |= both
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
            for each in both:
                each.close()
        except OSError:
            for each in both:
                _slam(each)  # one side was reset: so is the other
        finally:
            self._open -= both

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_CHUNK):
            if self._delay:
                await asyncio.sleep(self._delay)
            step = _SLICE if self._is_slicing else len(piece)
            for start in range(0, len(piece), step):
                await self._may_pass.wait()
                writer.write(piece[start : start + step])
                await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


class Links:
    """`with Links(…):` every link listens, in one thread of its own."""

    def __init__(self, *links: Link) -> None:
        self._links = links
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        for link in self._links:
            asyncio.run_coroutine_threadsafe(link.listen(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for link in self._links:
            link.heal()
            link.cut()
        asyncio.run_coroutine_threadsafe(_wait_for_the_rest(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _wait_for_the_rest() -> None:
    if rest := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(rest, timeout=5)


def _slam(writer: asyncio.StreamWriter) -> None:
    """Close without a farewell: the other side sees a reset."""
    near: socket.socket | None = writer.get_extra_info("socket")
    if near is not None and near.family == socket.AF_INET and near.fileno() >= 0:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    writer.transport.abort()
