"""The simulator as a process of its own, and sessions with it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from stores.vipps.epayment import Epayment
from stores.vipps.session import VippsSession
from stores.vipps.tokens import TokenCache
from stores.vipps.transport import RequestsTransport
from stores.vipps.types import Credentials
from tests.stores.vipps.world import BERGEN, SYSTEM

ROOT = Path(__file__).parents[3]


@dataclass(kw_only=True)
class Running:
    process: subprocess.Popen[str]
    url: str

    def control(self, method: str, path: str, told: object = None) -> Any:
        response = requests.request(method, f"{self.url}/_simulator/{path}", json=told, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()

    def applied(self, reference: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.control("GET", f"log?reference={reference}&applied=true")["entries"]
        return entries


@contextlib.contextmanager
def running(*options: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "stores.vipps.simulator", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready: "), process.communicate(timeout=10)
        yield Running(process=process, url=line.split()[-1].removesuffix("/_simulator/"))
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=10)


def epayment(simulator: Running, transport: RequestsTransport, msn: str = BERGEN) -> Epayment:
    """A session with the unit's keys, as the control API tells them."""
    told = simulator.control("PUT", "merchants", {"sales_units": [{"msn": msn}]})["sales_units"][0]["keys"]
    keys = Credentials(
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        subscription_key=told["subscription_keys"][0],
    )
    return Epayment(
        VippsSession(
            base_url=simulator.url,
            msn=msn,
            credentials=keys,
            cache_key=msn,
            transport=transport,
            tokens=TokenCache(),
            system=SYSTEM,
        )
    )


def start(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stores.vipps.simulator", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
