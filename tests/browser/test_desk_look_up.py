"""An order that no till ever told of, found at the desk in a real browser: a process with the keys asks a Vipps over HTTP."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from refunds.models import Refund, State
from stores import clock
from stores.models import Order
from tests.conftest import Chain
from tests.refunds.asking_vipps import paid
from tests.refunds.real_processes import SWEEP, environment_of, over_http, started, until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

REFERENCE = "BER-2026-10042"


def test_kari_finds_and_refunds_what_only_vipps_knows(chain: Chain, desk: Page, tmp_path: Path) -> None:
    chain.simulator.change_switches(report_lag=3600.0)  # or the settlement would have told of it before she asks
    paid(chain, "BGO", REFERENCE, paid_at=clock.db_now())
    with over_http(chain.simulator) as url:
        environment = environment_of("sweep", simulator_url=url, folder=tmp_path, REDIS_URL="redis://127.0.0.1:1/0")
        with started(SWEEP, environment=environment, folder=tmp_path, ready="round"):
            desk.keyboard.type(REFERENCE)
            desk.keyboard.press("Enter")
            expect(desk.get_by_role("heading", name="Vipps MobilePay may know it")).to_be_visible()
            began = time.monotonic()
            desk.keyboard.press("F4")
            desk.wait_for_url("**/desk/orders/*/", timeout=30_000)
            took = time.monotonic() - began
            expect(desk.get_by_role("heading", name="Nordlys Bergen")).to_be_visible()
            expect(desk.locator(".left")).to_contain_text("NOK 250.00")
            desk.fill("#amount", "50")
            desk.check("input[name=reason][value=returned]", force=True)
            desk.locator("form button.primary").first.click()
            desk.get_by_role("button", name=re.compile("Refund")).click()
            until(lambda: Refund.objects.filter(state=State.REFUNDED).exists(), within=30)
    assert took < 20, f"{took:.1f} s"
    assert Order.objects.get().reference == REFERENCE
