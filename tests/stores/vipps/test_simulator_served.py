"""The whole simulator as a process: webhooks over real sockets, and everything that matters after `kill -9`."""

from __future__ import annotations

import http.server
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.stores.vipps.calling import EVENTS, RECEIPT
from tests.stores.vipps.running import Running, running
from tests.stores.vipps.world import BERGEN, ORDER

SECONDS = 10.0


class _Hub(http.server.BaseHTTPRequestHandler):
    """Keeps what it is told; answers 500 to the first call of each path."""

    got: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_first = all(path != self.path for path, _, _ in self.got)
        self.got.append((self.path, dict(self.headers.items()), body))
        self.send_response(500 if is_first else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def hub() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    _Hub.got = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hooks", _Hub.got
    server.shutdown()
    server.server_close()


def _signed_in(simulator: Running) -> dict[str, str]:
    keys = simulator.control("PUT", "merchants", {"sales_units": [{"msn": BERGEN}]})["sales_units"][0]["keys"]
    headers = {
        "client_id": keys["client_id"],
        "client_secret": keys["client_secret"],
        "Ocp-Apim-Subscription-Key": keys["subscription_keys"][0],
    }
    told = requests.post(f"{simulator.url}/accesstoken/get", headers=headers, timeout=SECONDS).json()
    return {
        "Authorization": f"Bearer {told['access_token']}",
        "Ocp-Apim-Subscription-Key": keys["subscription_keys"][0],
        "Merchant-Serial-Number": BERGEN,
    }


def _ask(simulator: Running, headers: dict[str, str], method: str, path: str, body: object = None, **more: str) -> Any:
    sent = {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}
    response = requests.request(method, f"{simulator.url}{path}", json=body, headers=sent, timeout=SECONDS)
    assert response.status_code < 300, response.text
    return response.json()


def _wait_for(hub: list[Any], count: int) -> None:
    ends = time.monotonic() + SECONDS
    while len(hub) < count and time.monotonic() < ends:
        time.sleep(0.05)
    assert len(hub) == count


def test_webhooks_go_out_by_themselves_and_again_when_refused(
    hub: tuple[str, list[tuple[str, dict[str, str], bytes]]],
) -> None:
    url, got = hub
    with running() as simulator:
        headers = _signed_in(simulator)
        _ask(simulator, headers, "POST", "/webhooks/v1/webhooks", {"url": url, "events": EVENTS})
        simulator.control("POST", "payments", {"payments": [{"msn": BERGEN, "reference": ORDER, "amount_minor": 10_000}]})
        simulator.control("POST", "portal-refund", {"msn": BERGEN, "reference": ORDER, "amount_minor": 500})
        _wait_for(got, 1)
        simulator.control("POST", "clock", {"move_seconds": 2})
        _wait_for(got, 2)
        assert got[0][2] == got[1][2]
        assert got[1][1]["Host"] == url.split("/")[2]
        assert simulator.control("GET", "webhooks")["notices"][0]["state"] == "delivered"
        assert "secret" not in str(simulator.control("GET", "webhooks"))


def test_everything_that_matters_survives_kill_9(tmp_path: Path) -> None:
    state = str(tmp_path / "state.jsonl")
    with running("--state", state) as first:
        headers = _signed_in(first)
        payments = [
            {"msn": BERGEN, "reference": ORDER, "amount_minor": 10_000},
            {"msn": BERGEN, "reference": "abc", "amount_minor": 1_000, "api": "ecom", "is_direct": True},
        ]
        first.control("POST", "payments", {"payments": payments})
        first.control("PUT", "switches", {"replay": "fresh", "webhooks_per_event": 3})
        first.control("PUT", "merchants", {"accountants": [{"name": "books", "msns": [BERGEN]}]})
        told = {"url": "http://127.0.0.1:9/hooks", "events": EVENTS}
        _ask(first, headers, "POST", "/webhooks/v1/webhooks", told)
        change = {"merchantInfo": {"merchantSerialNumber": BERGEN}, "transaction": {"amount": 200, "transactionText": "x"}}
        _ask(first, headers, "POST", "/ecomm/v2/payments/abc/refund", change, x_request_id="r")
        _ask(first, headers, "POST", "/order-management/v2/ECOM/receipts/abc", RECEIPT)
        first.control("POST", "portal-refund", {"msn": BERGEN, "reference": ORDER, "amount_minor": 500})
        first.control("POST", "dispute", {"msn": BERGEN, "reference": ORDER, "amount_minor": 100})
        first.control("POST", "pay-out", {"msn": BERGEN})
        seen = _seen(first, headers)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(SECONDS)
    with running("--state", state) as second:
        assert _seen(second, headers) == seen
        assert second.control("GET", "switches")["replay"] == "fresh"
        again = _ask(second, headers, "POST", "/ecomm/v2/payments/abc/refund", change, x_request_id="r")
        assert again["transactionSummary"]["refundedAmount"] == 200
        assert len(second.applied("abc")) == 1


def _seen(simulator: Running, headers: dict[str, str]) -> dict[str, Any]:
    notices = simulator.control("GET", "webhooks")["notices"]
    return {
        "details": _ask(simulator, headers, "GET", "/ecomm/v2/payments/abc/details"),
        "events": _ask(simulator, headers, "GET", f"/epayment/v1/payments/{ORDER}/events"),
        "receipt": _ask(simulator, headers, "GET", "/order-management/v2/ECOM/abc"),
        "funds": _ask(simulator, headers, "GET", f"/report/v2/ledgers/3{BERGEN}/funds/feed"),
        "webhooks": _ask(simulator, headers, "GET", "/webhooks/v1/webhooks"),
        "notices": [(notice["id"], notice["event"], notice["body"]) for notice in notices],
        "accountants": simulator.control("GET", "state")["accountants"],
    }
