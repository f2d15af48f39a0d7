"""Headquarters imports a file of orders in a real browser: given in, looked at, confirmed, and done by a real worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from stores import nudge
from stores.models import Order
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.real_processes import WORKER, environment_of, own_redis, started
from tests.till import YESTERDAY, Till, row

pytestmark = [pytest.mark.browser, pytest.mark.processes]

PAID = YESTERDAY.isoformat()
FILE = "\r\n".join(
    [
        "reference;amount_minor;currency;paid_at;receipt_number",
        f"BER-1;25000;NOK;{PAID};",
        f"BER-2;9900;NOK;{PAID};",
        f'BER-3;100;NOK;{PAID};"two\r\nlines"',
        "",
        "BER-6;100;NOK;01.02.2026;",
        f"1,23E+12;100;NOK;{PAID};",
        *(f"BER-{number};100;NOK;{PAID};" for number in range(8, 2_500)),
        "",
    ]
)
TO_LOOK_AT = [
    ("3", "contradicting", "BER-2"),
    ("6", "refused", "BER-6"),
    ("7", "refused", "1,23E+12"),
]
"""By the numbers that a spreadsheet shows beside the rows."""


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Redis of the test's own, through which the pages ring for the worker."""
    with own_redis(tmp_path) as url:
        app = Celery(broker=url)

        def publish(task: str, row_id: str) -> bool:
            app.send_task(task, args=[row_id], queue="refunds", ignore_result=True)
            return True

        monkeypatch.setattr(nudge, "publish", publish)
        yield url


@pytest.fixture
def office(screen: Page, live_server: LiveServer, chain: Chain) -> Page:
    """Hanne has signed in with her second factor."""
    cookie = at_headquarters(chain.hanne).cookies[settings.SESSION_COOKIE_NAME].value
    screen.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    return screen


def test_from_the_file_to_the_index(office: Page, chain: Chain, broker: str, tmp_path: Path) -> None:
    Till(chain.systems["BGO"]).sync(row("BER-1"), row("BER-2"))
    environment = environment_of("worker", simulator_url="http://127.0.0.1:1", folder=tmp_path, REDIS_URL=broker)
    office.goto("/hq/stores/orderimport/")
    office.get_by_role("link", name="Import orders from a file").click()
    office.get_by_label("Store system").select_option(label=str(chain.systems["BGO"]))
    office.locator("#id_file").set_input_files({"name": "bergen.csv", "mimeType": "text/csv", "buffer": FILE.encode("cp1252")})
    office.get_by_role("button", name="Check the file").click()

    status = office.locator("#import-progress")
    expect(status).to_contain_text("0 of 2497 rows")
    expect(status).to_contain_text("you may leave this page")
    with started(WORKER, environment=environment, folder=tmp_path, ready=" ready."):
        expect(status).to_contain_text("Nothing has been imported yet", timeout=30_000)
    expect(status).to_contain_text("2493 new, 0 updated, 1 unchanged")
    assert rows_to_look_at(office) == TO_LOOK_AT
    expect(office.get_by_role("row").filter(has_text="BER-2")).to_contain_text("9900")
    assert Order.objects.count() == 2

    office.get_by_role("link", name="Import it now").click()
    office.get_by_role("button", name="Import it now").click()
    expect(status).to_contain_text("0 of 2497 rows")
    with started(WORKER, environment=environment, folder=tmp_path, ready=" ready."):
        expect(status).to_contain_text("2497 of 2497 rows", timeout=30_000)
    expect(status).to_contain_text("2493 new, 0 updated, 1 unchanged")
    expect(office.get_by_role("link", name="Import it now")).to_have_count(0)
    assert rows_to_look_at(office) == TO_LOOK_AT
    assert Order.objects.count() == 2_495


def rows_to_look_at(office: Page) -> list[tuple[str, ...]]:
    """Number, outcome and reference of each."""
    names = ("number", "outcome_label", "reference")
    columns = [office.locator(f"#told-group td.field-{name}").all_inner_texts() for name in names]
    return list(zip(*columns, strict=True))
