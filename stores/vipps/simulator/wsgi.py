"""The simulator as a WSGI application, for callers in the same process.

What a socket would show as a lost connection is raised as ConnectionDropped, and a wait longer than the caller has
patience for (`environ["stores.patience"]`, in seconds) as AnswerTooLate, without waiting. A call held up before it is
applied lingers then, and is applied by `arrive_late()`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from stores.vipps.simulator.wire import AnswerTooLate, Call, ConnectionDropped, Reply

_DRIPPED_SECONDS = 60.0


class WsgiApp:
    def __init__(self, answer: Callable[[Call], Reply], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._answer = answer
        self._sleep = sleep
        self._lingering: list[Callable[[], Reply]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        patience = environ.get("stores.patience")
        reply = self._answer(_call(environ))
        if reply.then is not None:
            self._wait(reply.delay, patience, lingering=reply.then)
            reply = reply.then()
        if reply.is_dropped:
            raise ConnectionDropped("the simulator dropped the connection")
        self._wait(_DRIPPED_SECONDS if reply.is_dripped else reply.delay, patience)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body))), *reply.headers]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [reply.body]

    def arrive_late(self) -> int:
        """Applies the calls that are still on their way although nobody waits any more; how many there were."""
        lingering, self._lingering = self._lingering, []
        for apply in lingering:
            apply()
        return len(lingering)

    def _wait(self, seconds: float, patience: float | None, *, lingering: Callable[[], Reply] | None = None) -> None:
        if patience is not None and seconds >= patience:
            if lingering is not None:
                self._lingering.append(lingering)
            raise AnswerTooLate("the caller would have stopped waiting")
        if seconds:
            self._sleep(seconds)


def _call(environ: dict[str, Any]) -> Call:
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    # Vipps' two token headers are spelled with an underscore, which WSGI cannot tell from a hyphen.
    for name in ("client_id", "client_secret"):
        if name.replace("_", "-") in headers:
            headers[name] = headers.pop(name.replace("_", "-"))
    if "CONTENT_TYPE" in environ:
        headers["content-type"] = environ["CONTENT_TYPE"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return Call(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "/"),
        headers=headers,
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""))),
        body=environ["wsgi.input"].read(length) if length else b"",
    )
