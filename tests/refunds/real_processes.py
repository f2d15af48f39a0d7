"""The hub's own processes for tests: on the test's database, with the test's simulator, and a broker of their own."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from stores.vipps.simulator import Simulator
from stores.vipps.simulator.server import serve

WORKER = ("-m", "celery", "-A", "hq.celery", "worker", "--pool", "threads", "--concurrency", "2", "--without-gossip",
          "--without-mingle", "--without-heartbeat")  # fmt: skip
SWEEP = ("manage.py", "sweep", "--every", "0.2")


@dataclass(frozen=True, kw_only=True)
class Running:
    """A process, and the file that holds what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None


@contextmanager
def started(program: tuple[str, ...], *, environment: dict[str, str], folder: Path, ready: str) -> Iterator[Running]:
    """A Python program of the hub until the block ends; what it says goes to a file in `folder`."""
    log = folder / f"{environment['PROCESS']}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *program], cwd=settings.BASE_DIR, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    running = Running(process=process, log=log)
    try:
        until(lambda: ready in running.said or not running.is_alive, within=60)
        assert running.is_alive, running.said
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment_of(process: str, *, simulator_url: str, folder: Path, **more: str) -> dict[str, str]:
    """This run's environment, pointed at the test's own database, simulator and folder; no broker unless `more` names one."""
    for name in ("broker/messages", "broker/control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    without = ("REDIS_URL", "REDIS_CACHE_URL", "DATABASE_URL_FILE")
    return {
        **{name: value for name, value in os.environ.items() if name not in without},
        "DATABASE_URL": _address_of_the_database(),
        "PROCESS": process,
        "VAR_DIR": str(folder),
        "VIPPS_BASE_URL_SIMULATOR": simulator_url,
        **more,
    }


@contextmanager
def own_web(folder: Path) -> Iterator[int]:
    """The port of a web process such as the image starts; it can open no keys."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environment = environment_of("web", simulator_url="http://127.0.0.1:1", folder=folder, VAULT_PRIVATE_KEYS="")
    where = ("--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "2")
    program = ("-m", "granian", "--interface", "wsgi", "--no-ws", *where, "hq.wsgi:application")
    with started(program, environment=environment, folder=folder, ready="Started worker"):
        yield port


def _address_of_the_database() -> str:
    database = connection.settings_dict
    host = quote(str(database["OPTIONS"].get("host") or database["HOST"]), safe="")  # a folder for a Unix socket
    return f"postgresql://{database['USER']}:{database['PASSWORD']}@:{database['PORT']}/{database['NAME']}?host={host}"


@contextmanager
def over_http(simulator: Simulator) -> Iterator[str]:
    """The address of a simulator of this process, for others to call."""
    ports: list[int] = []
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        loop.run_until_complete(serve(simulator.answer, host="127.0.0.1", port=0, stop=stop, on_ready=ports.append))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until(lambda: bool(ports), within=10)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """A Redis that nobody else uses; where there is no such server the test is skipped, and says so."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    nothing = ("--save", "", "--appendonly", "no", "--dir", str(folder))
    process = subprocess.Popen(
        [program, "--bind", "127.0.0.1", "--port", str(port), *nothing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: _answers(port), within=10)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def until(is_so: Callable[[], bool], *, within: float) -> None:
    """Wait for something that another process does. Fails when it has not come in time."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
