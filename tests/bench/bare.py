"""A WSGI app that says the same to everybody, behind the simulator's own server: what the server alone can do."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from stores.vipps.simulator.server import serve
from stores.vipps.simulator.wire import Call, Reply

# As long as the answer to a refund.
_BODY = b'{"ok":true}'.ljust(480)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The smallest thing that still reads its body and answers."""
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(_BODY)))])
    return [_BODY]


def answer(call: Call) -> Reply:
    told: list[Any] = []
    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers.items()}
    environ |= {
        "REQUEST_METHOD": call.method,
        "PATH_INFO": call.path,
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.input": BytesIO(call.body),
    }
    body = b"".join(app(environ, lambda status, headers: told.extend((status, headers))))
    return Reply(status=int(told[0][:3]), body=body)


async def _main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(answer, host="127.0.0.1", port=0, stop=stop, on_ready=_say)


def _say(port: int) -> None:
    sys.stdout.write(f"ready: http://127.0.0.1:{port}/\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())
