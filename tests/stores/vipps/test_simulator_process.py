"""The simulator as a process of its own: its start, `kill -9`, SIGTERM, and what it imports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from stores.vipps.errors import KeyConflict, NotSent, Unsure
from stores.vipps.exchange import Deadline, Request
from stores.vipps.transport import RequestsTransport
from tests.stores.vipps.running import ROOT, epayment, running, start
from tests.stores.vipps.world import BERGEN, ORDER, nok


def test_everything_survives_kill_9(tmp_path: Path, transport: RequestsTransport) -> None:
    state = str(tmp_path / "state.jsonl")
    with running("--state", state) as first:
        first.control("PUT", "merchants", {"sales_units": [{"msn": BERGEN}], "partners": [{"name": "chain", "msns": [BERGEN]}]})
        first.control("POST", "payments", {"payments": [{"msn": BERGEN, "reference": ORDER, "amount_minor": 10_000}]})
        first.control("POST", "clock", {"move_seconds": 3_600})
        before = epayment(first, transport)
        answered = before.refund(ORDER, nok(2_500), idempotency_key="k-1")
        first.control("POST", "faults", {"kind": "drop_after", "operation": "refund"})
        with pytest.raises(Unsure):
            before.refund(ORDER, nok(500), idempotency_key="k-2")
        events = before.get_events(ORDER)
        log = first.control("GET", "log")["entries"]
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(10)
    with open(state, "ab") as torn:
        torn.write(b'{"t":"call","entry":{"time":17')
    with running("--state", state) as second:
        after = epayment(second, transport)
        assert after.get_events(ORDER) == events
        assert second.control("GET", "log")["entries"] == log
        assert after.refund(ORDER, nok(2_500), idempotency_key="k-1") == answered
        after.refund(ORDER, nok(500), idempotency_key="k-2")
        with pytest.raises(KeyConflict):
            after.refund(ORDER, nok(501), idempotency_key="k-2")
        assert after.get_payment(ORDER).aggregate.refunded == 3_000
        assert len(second.applied(ORDER)) == 2
        assert second.control("GET", "state")["partners"] == ["chain"]
    with running("--state", state) as third:
        assert len(third.control("GET", "log")["entries"]) == len(log) + 3


def test_sigterm_ends_it_cleanly_and_the_port_is_free(tmp_path: Path, transport: RequestsTransport) -> None:
    with running() as simulator:
        kept_open = requests.Session()
        kept_open.get(f"{simulator.url}/_simulator/health", timeout=5)
        simulator.process.send_signal(signal.SIGTERM)
        assert simulator.process.wait(10) == 0
        assert simulator.process.stderr is not None
        assert simulator.process.stderr.read() == ""
    port = int(simulator.url.rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", port)):
        pass
    with pytest.raises(NotSent):
        transport.send(
            Request(operation="get", method="GET", base_url=simulator.url, path="/", headers={}),
            deadline=Deadline.after(2),
        )


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("not json", "cannot start"),
        ('{"switches":{"replay":"stored","colour":"red"}}', "cannot start"),
        ('{"payments":[{"msn":"999999","reference":"x","amount_minor":1}]}', "there is no sales unit 999999"),
    ],
)
def test_a_bad_config_is_named(tmp_path: Path, config: str, told: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(config)
    outcome = start("--config", str(path))
    assert outcome.returncode == 1
    assert told in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = start("--port", str(taken.getsockname()[1]))
    assert outcome.returncode == 1
    assert "cannot listen on 127.0.0.1" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_config_file_fills_it(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    keys = {"client_id": "id", "client_secret": "secret", "subscription_keys": ["one", "two"]}
    path.write_text(
        json.dumps(
            {
                "switches": {"rate_limits": False},
                "sales_units": [{"msn": BERGEN, "keys": keys}],
                "payments": [{"msn": BERGEN, "reference": ORDER, "amount_minor": 10_000}],
            }
        )
    )
    with running("--config", str(path)) as simulator:
        told = simulator.control("PUT", "merchants", {"sales_units": [{"msn": BERGEN}]})
        assert told["sales_units"][0]["keys"] == {"name": "unit-100001", **keys}
        assert simulator.control("GET", "state")["payments"] == 1


def test_it_imports_neither_django_nor_anything_of_ours() -> None:
    code = (
        "import sys, stores.vipps.simulator.__main__\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'requests', 'hq', 'refunds')"
        " or (m.startswith('stores.') and m != 'stores.vipps' and not m.startswith('stores.vipps.simulator'))])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"


def test_the_client_imports_neither_django_nor_the_simulator() -> None:
    code = (
        "import sys, stores.vipps.epayment, stores.vipps.transport\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'hq', 'refunds')"
        " or (m.startswith('stores.') and not m.startswith('stores.vipps')) or m.startswith('stores.vipps.simulator')])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"
