"""A transport that calls a WSGI application in the same process, for tests that only need a fast answer."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from stores.vipps.errors import NotSent, Unsure
from stores.vipps.exchange import MAX_BODY_BYTES, READ_SECONDS, Deadline, Request, Response

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WsgiTransport:
    """The same outcomes as over a socket: the application drops the connection by raising ConnectionError, and lets
    the caller wait too long by raising TimeoutError; it finds the seconds it has in `environ["stores.patience"]`.

    With `is_reachable` set to False every call is NotSent, as if nobody listened.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self.is_reachable = True

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        """Raises NotSent or Unsure, as `Transport` says."""
        if not self.is_reachable:
            raise NotSent(request.operation, detail="nothing was sent: nobody listens")
        deadline.check_may_write(request.operation)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            started.append((status, headers))

        try:
            body = b"".join(self._app(_environ(request, deadline), start_response))
        except (ConnectionError, TimeoutError) as error:
            told = type(error).__name__
            raise Unsure(request.operation, detail=f"no answer after sending: {told}") from None
        status, headers = started[-1]
        if len(body) > MAX_BODY_BYTES:
            raise Unsure(request.operation, status=int(status.split()[0]), detail="the answer is too large")
        return Response(
            status=int(status.split()[0]),
            headers={name.lower(): value for name, value in headers},
            body=body,
        )


def _environ(request: Request, deadline: Deadline) -> dict[str, Any]:
    target = urlsplit(request.base_url + request.path)
    body = request.body or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path),
        "QUERY_STRING": target.query,
        "SERVER_NAME": target.hostname or "localhost",
        "SERVER_PORT": str(target.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": target.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "stores.patience": min(READ_SECONDS, max(0.0, deadline.remaining)),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ
