"""Refunds a second of the simulator on one core, against a bare WSGI app served the same way in the same run.

`python -m tests.bench.simulator [--seconds N]`. The server has one core, the load comes from another. The simulator is
as its users have it: rate limits on, each refund with a key of its own, every one counted again in its log afterwards.
Fails if an answer was not 200 or if the simulator's log and the answers differ.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.bench.load import Load, press

GOAL = 2_000
_ROOT = Path(__file__).parents[2]
_MSN = "100001"
_CONNECTIONS = 8
_ROUNDS = 3
_PER_PAYMENT = 5
_MOST_PER_SECOND = 24_000
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Server:
    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextlib.contextmanager
def started(module: str, *options: str, core: int) -> Iterator[Server]:
    """A server as a process of its own, on one core."""
    process = subprocess.Popen([sys.executable, "-m", module, *options], cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {core})
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready: "), f"{module} did not start"
        yield Server(pid=process.pid, port=urlsplit(line.split()[-1]).port or 0)
    finally:
        process.terminate()
        process.wait(10)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulator", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each of three rounds per server (default: %(default)s)")
    seconds = parser.parse_args(arguments).seconds
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    with (
        started("stores.vipps.simulator", "--port", "0", core=server_core) as simulator,
        started("tests.bench.bare", core=server_core) as bare,
    ):
        number_anew = _filled(simulator, payments=int(seconds * _MOST_PER_SECOND * _ROUNDS / _PER_PAYMENT))
        # A numbering each: what the bare server swallows must not make the simulator's payments come round too soon.
        makes = {server.port: number_anew() for server in (simulator, bare)}
        os.sched_setaffinity(0, {load_core})
        loads: dict[int, list[tuple[Load, float]]] = {simulator.port: [], bare.port: []}
        for server in (simulator, bare) * _ROUNDS:
            before = server.cpu_seconds()
            load = press(server.port, seconds=seconds, connections=_CONNECTIONS, make=makes[server.port])
            loads[server.port].append((load, server.cpu_seconds() - before))
        log = requests.get(f"{simulator.url}/_simulator/log?operation=refund&applied=true", timeout=60).json()["entries"]
    return _report(loads[simulator.port], loads[bare.port], booked=len(log), cores=len(cores))


def _filled(simulator: Server, *, payments: int) -> Callable[[], Callable[[], bytes]]:
    """Seeds the simulator, signs in, and returns what begins a numbering: each call of that makes the next refund request."""
    control = f"{simulator.url}/_simulator"
    told = requests.put(f"{control}/merchants", json={"sales_units": [{"msn": _MSN}]}, timeout=60).json()
    keys = told["sales_units"][0]["keys"]
    rows = [{"msn": _MSN, "reference": f"bench-{n:07}", "amount_minor": 10_000} for n in range(payments)]
    requests.post(f"{control}/payments", json={"payments": rows}, timeout=120).raise_for_status()
    signed_in = {
        "client_id": keys["client_id"],
        "client_secret": keys["client_secret"],
        "Ocp-Apim-Subscription-Key": keys["subscription_keys"][0],
    }
    token = requests.post(f"{simulator.url}/accesstoken/get", headers=signed_in, timeout=10).json()["access_token"]
    body = '{"modificationAmount":{"currency":"NOK","value":100}}'
    rest = (
        f"/refund HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Ocp-Apim-Subscription-Key: {keys['subscription_keys'][0]}\r\nMerchant-Serial-Number: {_MSN}\r\n"
        f"Vipps-System-Name: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: "
    ).encode()

    def number_anew() -> Callable[[], bytes]:
        numbers = itertools.count()

        def make() -> bytes:
            number = next(numbers)
            reference = number % payments
            return b"POST /epayment/v1/payments/bench-%07d%bk-%d\r\n\r\n%b" % (reference, rest, number, body.encode())

        return make

    return number_anew


def _report(simulator: list[tuple[Load, float]], bare: list[tuple[Load, float]], *, booked: int, cores: int) -> int:
    rate, bare_rate = (statistics.median(load.per_second for load, _ in loads) for loads in (simulator, bare))
    per_cpu = statistics.median(load.answers / cpu for load, cpu in simulator)
    answers = sum(load.answers for load, _ in simulator)
    wrong = sum(load.wrong for load, _ in (*simulator, *bare))
    result = {
        "refunds_per_second": round(rate),
        "rounds": [round(load.per_second) for load, _ in simulator],
        "refunds_per_cpu_second": round(per_cpu),
        "bare_per_second": round(bare_rate),
        "share_of_bare": round(rate / bare_rate, 2),
        "refunds": answers,
        "booked": booked,
        "wrong": wrong,
        "cores": cores,
        "goal": GOAL,
        "met": rate >= GOAL and not wrong and booked == answers,
    }
    sys.stdout.write(f"{json.dumps(result)}\n")
    return 0 if not wrong and booked == answers else 1


if __name__ == "__main__":
    sys.exit(main())
