"""The simulator over HTTP: refunds and faults through sockets, and its control API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from stores.vipps.errors import Locked, Throttled, Unsure
from stores.vipps.exchange import Deadline, Request
from stores.vipps.transport import RequestsTransport
from tests.stores.vipps.running import Running, epayment, running
from tests.stores.vipps.world import BERGEN, ORDER, OSLO, nok


def seed(**changes: object) -> dict[str, Any]:
    """One payment to add, wrong in what is changed."""
    return {"payments": [{"msn": BERGEN, "reference": "x-2026-01", "amount_minor": 1, **changes}]}


@pytest.fixture
def simulator() -> Iterator[Running]:
    with running() as started:
        started.control("PUT", "merchants", {"sales_units": [{"msn": BERGEN}, {"msn": OSLO, "currency": "DKK"}]})
        started.control("POST", "payments", {"payments": [{"msn": BERGEN, "reference": ORDER, "amount_minor": 10_000}]})
        yield started


def test_a_refund_over_http(simulator: Running, transport: RequestsTransport) -> None:
    bergen = epayment(simulator, transport)
    assert bergen.refund(ORDER, nok(2_500), idempotency_key="k").aggregate.refunded == 2_500
    (entry,) = simulator.applied(ORDER)
    assert (entry["msn"], entry["keys"], entry["amount_minor"], entry["idempotency_key"]) == (
        BERGEN,
        "unit-100001",
        2_500,
        "k",
    )
    view = simulator.control("GET", f"payments/{BERGEN}/{ORDER}")
    assert view["aggregate"]["refundedAmount"] == {"currency": "NOK", "value": 2_500}
    assert [event["name"] for event in view["events"]] == ["CREATED", "AUTHORIZED", "CAPTURED", "REFUNDED"]


@pytest.mark.parametrize("kind", ["drop_after", "error_after", "malformed", "huge"])
def test_a_lost_answer_over_http_is_unsure_and_the_event_log_settles_it(
    simulator: Running, transport: RequestsTransport, kind: str
) -> None:
    bergen = epayment(simulator, transport)
    simulator.control("POST", "faults", {"kind": kind, "operation": "refund"})
    with pytest.raises(Unsure):
        bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    assert [event.idempotency_key for event in bergen.get_events(ORDER) if event.name == "REFUNDED"] == ["k"]
    bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    assert len(simulator.applied(ORDER)) == 1


def test_a_lost_request_over_http_is_unsure_and_moved_nothing(simulator: Running, transport: RequestsTransport) -> None:
    bergen = epayment(simulator, transport)
    simulator.control("POST", "faults", {"kind": "drop_before", "operation": "refund"})
    with pytest.raises(Unsure):
        bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    assert simulator.applied(ORDER) == []


@pytest.mark.parametrize("kind", ["delay", "slow", "delay_before"])
def test_an_answer_that_comes_too_late_is_unsure_and_applied(
    simulator: Running, transport: RequestsTransport, kind: str
) -> None:
    told = simulator.control("PUT", "merchants", {"sales_units": [{"msn": BERGEN}]})["sales_units"][0]["keys"]
    token = requests.post(
        f"{simulator.url}/accesstoken/get",
        headers={
            "client_id": told["client_id"],
            "client_secret": told["client_secret"],
            "Ocp-Apim-Subscription-Key": told["subscription_keys"][0],
        },
        timeout=5,
    ).json()["access_token"]
    simulator.control("POST", "faults", {"kind": kind, "operation": "refund", "seconds": 0.8})
    refund = Request(
        operation="refund",
        method="POST",
        base_url=simulator.url,
        path=f"/epayment/v1/payments/{ORDER}/refund",
        headers={
            "Authorization": f"Bearer {token}",
            "Ocp-Apim-Subscription-Key": told["subscription_keys"][0],
            "Merchant-Serial-Number": BERGEN,
            "Idempotency-Key": "k",
            "Content-Type": "application/json",
        },
        body=b'{"modificationAmount":{"currency":"NOK","value":2500}}',
    )
    with pytest.raises(Unsure):
        transport.send(refund, deadline=Deadline.after(0.4))
    assert transport.send(refund, deadline=Deadline.after(5)).status == 200
    # Whichever of the two came to be applied first, the key let only one of them move money.
    for _ in range(20):
        if len(simulator.control("GET", f"log?reference={ORDER}")["entries"]) == 2:
            break
        time.sleep(0.1)
    assert len(simulator.applied(ORDER)) == 1


def test_faults_can_be_listed_and_taken_back(simulator: Running, transport: RequestsTransport) -> None:
    bergen = epayment(simulator, transport)
    ids = simulator.control("POST", "faults", {"faults": [{"kind": "lock", "times": None}, {"kind": "throttle"}]})["ids"]
    with pytest.raises(Locked):
        bergen.get_payment(ORDER)
    assert [rule["hits"] for rule in simulator.control("GET", "faults")["faults"]] == [1, 0]
    simulator.control("DELETE", f"faults/{ids[0]}")
    with pytest.raises(Throttled):
        bergen.get_payment(ORDER)
    simulator.control("POST", "faults", {"kind": "lock", "times": None})
    simulator.control("DELETE", "faults")
    bergen.get_payment(ORDER)
    assert simulator.control("GET", "state")["fired"] == {"lock": 1, "throttle": 1}


def test_the_portal_and_the_clock_by_the_control_api(simulator: Running, transport: RequestsTransport) -> None:
    bergen = epayment(simulator, transport)
    simulator.control("POST", "portal-refund", {"msn": BERGEN, "reference": ORDER, "amount_minor": 1_000})
    assert bergen.get_payment(ORDER).aggregate.refunded == 1_000
    simulator.control(
        "POST",
        "payments",
        {"payments": [{"msn": BERGEN, "reference": "reserved-1", "amount_minor": 9, "captured_minor": 0}]},
    )
    simulator.control("POST", "portal-capture", {"msn": BERGEN, "reference": "reserved-1", "amount_minor": 9})
    before = simulator.control("GET", "state")["now"]
    assert simulator.control("POST", "clock", {"move_seconds": 366 * 86_400})["now"] > before
    with pytest.raises(Exception, match="6220"):
        bergen.refund(ORDER, nok(1), idempotency_key="k")


@pytest.mark.parametrize(
    ("method", "path", "told", "status"),
    [
        ("POST", "payments", seed(msn="999999"), 400),
        ("POST", "payments", seed(amount_minor=1.5), 400),
        (
            "POST",
            "payments",
            {"payments": [{"msn": BERGEN, "reference": "x-2026-01", "amount_minor": 1, "captured_minor": 2}]},
            400,
        ),
        (
            "POST",
            "payments",
            {"payments": [{"msn": BERGEN, "reference": "x-2026-01", "amount_minor": 1, "paid_at": "now"}]},
            400,
        ),
        ("POST", "payments", {"payments": 7}, 400),
        ("POST", "payments", [], 400),
        ("PUT", "merchants", {"sales_units": [{"msn": 5}]}, 400),
        ("PUT", "merchants", {"sales_units": [{"msn": "123456", "keys": {}}]}, 400),
        ("POST", "faults", {"kind": "earthquake"}, 400),
        ("POST", "faults", {"kind": "lock", "colour": "red"}, 400),
        ("POST", "faults", {"kind": "lock", "times": "often"}, 400),
        ("POST", "faults", {"kind": "lock", "times": True}, 400),
        ("POST", "clock", {"move_seconds": "soon"}, 400),
        ("POST", "clock", {"move_seconds": 1e15}, 400),
        ("POST", "clock", {}, 400),
        ("POST", "portal-refund", {"msn": BERGEN}, 400),
        ("POST", "portal-refund", {"msn": BERGEN, "reference": "no-such-order", "amount_minor": 1}, 404),
        ("POST", "portal-refund", {"msn": BERGEN, "reference": ORDER, "amount_minor": 10_001}, 400),
        ("DELETE", "faults/fault-99", None, 404),
        ("GET", "payments/100001/no-such-order", None, 404),
        ("GET", "nowhere", None, 404),
        ("POST", "nowhere", {}, 404),
    ],
)
def test_bad_input_to_the_control_api_is_named_and_changes_nothing(
    simulator: Running, method: str, path: str, told: object, status: int
) -> None:
    before = simulator.control("GET", "state")
    response = requests.request(method, f"{simulator.url}/_simulator/{path}", json=told, timeout=5)
    assert response.status_code == status
    assert response.json()["error"]
    assert simulator.control("GET", "state")["payments"] == before["payments"]
    assert simulator.control("GET", "state")["sales_units"] == before["sales_units"]


def test_no_web_page_can_write_behind_ones_back(simulator: Running) -> None:
    response = requests.post(
        f"{simulator.url}/_simulator/faults", data='{"kind":"lock"}', headers={"Content-Type": "text/plain"}, timeout=5
    )
    assert response.status_code == 400
    assert simulator.control("GET", "faults")["faults"] == []


def test_thousands_of_payments_at_once_and_again(simulator: Running) -> None:
    payments = [
        {
            "msn": OSLO,
            "reference": f"oslo-{n:06d}",
            "amount_minor": n + 1,
            "paid_at": "2026-09-01T10:00:00Z",
            "metadata": {"till": "1"},
        }
        for n in range(5_000)
    ]
    assert simulator.control("POST", "payments", {"payments": payments}) == {"added": 5_000, "existing": 0}
    assert simulator.control("POST", "payments", {"payments": payments}) == {"added": 0, "existing": 5_000}
    view = simulator.control("GET", f"payments/{OSLO}/oslo-004999")
    assert view["aggregate"]["capturedAmount"] == {"currency": "DKK", "value": 5_000}
    assert view["events"][0]["timestamp"] == "2026-09-01T10:00:00.000Z"


def test_the_page_shows_what_happened_and_escapes_it(simulator: Running, transport: RequestsTransport) -> None:
    simulator.control("PUT", "merchants", {"sales_units": [{"msn": "300001", "name": "<b>Bodø</b>"}]})
    epayment(simulator, transport).refund(ORDER, nok(2_500), idempotency_key="key-on-the-page")
    simulator.control("POST", "faults", {"kind": "lock", "reference": "order-on-the-page"})
    page = requests.get(f"{simulator.url}/_simulator/", timeout=5)
    page.encoding = "utf-8"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for shown in ("key-on-the-page", "order-on-the-page", ORDER, "&lt;b&gt;Bodø&lt;/b&gt;"):
        assert shown in page.text
    assert "<b>Bodø" not in page.text
