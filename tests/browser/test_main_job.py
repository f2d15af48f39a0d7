"""The main job through real processes: Oslo refunds in a browser what Bergen sold; the provider's log tells of one refund."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from hq import embedded
from hq.demo.cast import PASSWORD
from hq.embedded.places import places_of, runs_as_root
from tests.hq.demo_runs import PROJECT, DemoRuns, unused_port

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRuns]:
    """Web, worker, sweep, beat, PostgreSQL and simulator, each a process; messages go through Redis where there is one."""
    var = tmp_path_factory.mktemp("main-job") / "var"
    var.mkdir()
    runs = DemoRuns(var=var, port=unused_port(), simulator_port=unused_port(), servers=("REDIS_URL", "REDIS_CACHE_URL"))
    staying = runs.stay()
    try:
        assert staying.process.poll() is None, staying.said
        yield runs
    finally:
        staying.process.send_signal(signal.SIGINT)
        staying.process.wait(timeout=60)
        embedded.stop(PROJECT, var=var)
        folder = embedded.data_folder(PROJECT, var=var)
        shutil.rmtree(folder.parent if runs_as_root() else folder, ignore_errors=True)


@pytest.fixture
def till(chromium: Browser, hub: DemoRuns) -> Iterator[Page]:
    """A till's screen in Oslo with Kari signed in."""
    context = chromium.new_context(
        viewport={"width": 1024, "height": 768}, locale="en-GB", base_url=f"http://127.0.0.1:{hub.port}"
    )
    page = context.new_page()
    page.goto("/desk/")
    page.locator("#id_login").fill("kari")
    page.locator("#id_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_be_focused()
    yield page
    context.close()


def an_order_of_bergen(hub: DemoRuns, *, nth: int) -> tuple[str, int]:
    """Reference and amount of an order Bergen sold that nobody has touched."""
    with psycopg.connect(places_of(PROJECT, var=hub.var).url) as connection:
        rows = connection.execute(
            "SELECT reference, claimed_minor FROM stores_order JOIN stores_store s ON s.id = store_id"
            " WHERE s.code = 'BGO' AND claimed_minor > 50000"
            " AND NOT EXISTS (SELECT FROM refunds_refund r WHERE r.order_id = stores_order.id) ORDER BY paid_at DESC"
        ).fetchall()
    reference, amount_minor = rows[nth]
    return str(reference), int(amount_minor)


def simulator(hub: DemoRuns, path: str, **asked: str) -> Any:
    answer = requests.get(f"http://127.0.0.1:{hub.simulator_port}/_simulator/{path}", params=asked, timeout=10)
    return answer.json()


def refund_part(till: Page, reference: str) -> None:
    """Find it by its last characters, ask for 250 of it, confirm."""
    till.locator("#q").fill(reference[-6:].lower())
    till.keyboard.press("Enter")
    choice = till.get_by_role("link", name=reference)
    expect(till.locator("#amount").or_(choice).first).to_be_visible()
    if choice.count():  # another store's number ends alike: the desk lets her choose
        choice.click()
    expect(till.get_by_text("Nordlys Bergen").first).to_be_visible()
    till.locator("#amount").fill("250")
    till.get_by_role("radio", name="Goods returned").check()
    till.get_by_role("button", name="Go on").click()
    expect(till.get_by_text("Nordlys Bergen").first).to_be_visible()
    till.get_by_role("button", name=re.compile(r"Refund NOK.250\.00")).click()


def trail_holds(hub: DemoRuns) -> bool:
    environment = {**hub.environment, "DATABASE_URL": places_of(PROJECT, var=hub.var).url}
    verified = subprocess.run(
        [sys.executable, "manage.py", "verify_audit"], cwd=PROJECT, env=environment, capture_output=True, check=False
    )
    return verified.returncode == 0


def test_oslo_refunds_what_bergen_sold_once_and_as_bergen(till: Page, hub: DemoRuns) -> None:
    reference, _amount = an_order_of_bergen(hub, nth=0)
    refund_part(till, reference)
    expect(till.locator("#progress")).to_contain_text("Refunded", timeout=20_000)
    [entry] = simulator(hub, "log", reference=reference, operation="refund")["entries"]
    assert (entry["msn"], entry["keys"]) == ("400002", "unit-400002")
    assert (entry["amount_minor"], entry["applied"], entry["replayed"]) == (25_000, True, False)
    assert entry["idempotency_key"].startswith("rh1-")
    assert trail_holds(hub)


def test_a_lost_answer_is_told_truly_and_ends_in_one_refund(till: Page, hub: DemoRuns) -> None:
    reference, _amount = an_order_of_bergen(hub, nth=1)
    fault = {"kind": "drop_after", "operation": "refund", "reference": reference, "times": 1}
    requests.post(f"http://127.0.0.1:{hub.simulator_port}/_simulator/faults", json=fault, timeout=10).raise_for_status()
    refund_part(till, reference)
    expect(till.locator("#progress")).to_contain_text("Refunded", timeout=30_000)
    entries = simulator(hub, "log", reference=reference, operation="refund")["entries"]
    assert [entry["applied"] for entry in entries] == [True]
    events = simulator(hub, f"payments/400002/{reference}")["events"]
    assert sum(event["name"] == "REFUNDED" for event in events) == 1
    assert trail_holds(hub)
