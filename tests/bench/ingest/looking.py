"""What a process on this machine has used: processor time to the microsecond, and the most memory since it was asked."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.wsgi import get_wsgi_application


def worker_of(pid: int) -> int:
    """Granian's worker: the child that serves, where the process has one."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return max((worker_of(child) for child in children), key=lambda child: _memory(child, "VmRSS"), default=pid)


def cpu_seconds(pid: int) -> float:
    """Of all its threads (Linux: schedstat counts nanoseconds, where `stat` counts ticks); 0 where there is none."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def forget_peak(pid: int) -> float:
    """Let the peak begin anew; gives the memory at present, MiB."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _memory(pid, "VmRSS")


def peak(pid: int) -> float:
    """The most memory since then, MiB."""
    return _memory(pid, "VmHWM")


def python_peak(key: str, bodies: list[bytes]) -> float:
    """The most memory that Python itself asks for during the last of these syncs, MiB; through the same WSGI application."""
    app = get_wsgi_application()
    for body in bodies[:-1]:
        _call(app, key, body)
    tracemalloc.start()
    _call(app, key, bodies[-1])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1024**2


def _call(app: Callable[..., Any], key: str, body: bytes) -> None:
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/orders", "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "HTTP_AUTHORIZATION": f"Bearer {key}",
        "wsgi.input": BytesIO(body),
    }
    answer = app(environ, lambda status, _headers, _error=None: told.append(status))
    content = b"".join(answer)
    answer.close()
    assert told[0].startswith("200"), content[:500]


def _memory(pid: int, name: str) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024
