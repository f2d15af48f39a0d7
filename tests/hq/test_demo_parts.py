"""The demo's parts: what each process is given, what the stores have sold, and what a browser reads."""

import io
import itertools
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from django.test import override_settings

from hq.demo.cast import FEWEST_STORES, PLACES, Place
from hq.demo.database import Standing, standing
from hq.demo.environments import Environments
from hq.demo.keys import make_keys
from hq.demo.limits import set_limits
from hq.demo.pages import read_page
from hq.demo.progress import Progress
from hq.demo.report import Report
from hq.demo.sales import sales_of
from hq.demo.tour import Stop
from refunds.models import PolicyVersion
from stores.models import Company, Role, User
from stores.models.order import reference_key
from stores.orders import OrderRow
from stores.orders.rows import check_row
from tests.conftest import Chain
from tests.hq.demo_runs import PROJECT
from tests.refunds.policies import rules_now
from tests.refunds.reviewing import at_hq

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GIVEN = {"PATH": "/bin", "VAULT_PRIVATE_KEYS": "a caller's own", "SECRET_KEY_FILE": "/a/callers", "REDIS_URL": "redis://r"}


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    return Environments(given=GIVEN, var=tmp_path)


def test_the_demos_limits_are_put_into_force_once(chain: Chain) -> None:
    at_hq(chain, "finn", Role.FINANCE)
    for _ in range(2):
        set_limits(author="hanne", other="finn")
    assert PolicyVersion.objects.get().decided_by == User.objects.get(username="finn")
    assert {rule.above_minor for rule in rules_now(chain) if rule.currency == "NOK"} == {250_000, 1_000_000}


def keys_in(environment: dict[str, str]) -> set[str]:
    names = ("SECRET_KEY", "VAULT_PUBLIC_KEYS", "VAULT_PRIVATE_KEYS", "WEB_SEAL_KEY", "FINGERPRINT_KEY")
    return {name for name in environment if name.removesuffix("_FILE") in names}


@pytest.mark.parametrize(
    ("process", "held"),
    [
        ("web", {"SECRET_KEY_FILE", "VAULT_PUBLIC_KEYS_FILE", "FINGERPRINT_KEY_FILE", "WEB_SEAL_KEY_FILE"}),
        ("worker", {"SECRET_KEY_FILE", "VAULT_PUBLIC_KEYS_FILE", "FINGERPRINT_KEY_FILE", "VAULT_PRIVATE_KEYS_FILE"}),
        ("sweep", {"SECRET_KEY_FILE", "VAULT_PUBLIC_KEYS_FILE", "FINGERPRINT_KEY_FILE", "VAULT_PRIVATE_KEYS_FILE"}),
        ("beat", {"SECRET_KEY_FILE"}),
        ("command", {"SECRET_KEY_FILE", "VAULT_PUBLIC_KEYS_FILE", "FINGERPRINT_KEY_FILE"}),
    ],
)
def test_each_process_is_given_its_own_keys_and_no_others(environments: Environments, process: str, held: set[str]) -> None:
    environment = environments.of(process)
    assert keys_in(environment) == held
    assert environment["REDIS_URL"] == "redis://r"
    assert all(str(environments.keys) in environment[name] for name in held)


def test_database_and_simulator_are_given_no_key_at_all(environments: Environments) -> None:
    assert environments.of_stranger() == {"PATH": "/bin", "VAR_DIR": str(environments.var)}


def test_becoming_the_demo_twice_is_becoming_it_once(environments: Environments) -> None:
    once = environments.of("command")
    assert replace(environments, given=once).of("command") == once


def test_keys_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    make_keys(folder)
    before = {file.name: file.read_text() for file in folder.iterdir()}
    make_keys(folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("lost", ["vault_public_keys", "vault_private_keys"])
def test_half_a_vault_pair_is_replaced_by_a_whole_one(tmp_path: Path, lost: str) -> None:
    make_keys(tmp_path)
    (tmp_path / lost).unlink()
    make_keys(tmp_path)
    public, private = ((tmp_path / name).read_text() for name in ("vault_public_keys", "vault_private_keys"))
    assert public.partition(":")[0] == private.partition(":")[0]


def test_the_smallest_chain_has_all_set_ups_and_both_ways_to_share() -> None:
    smallest = PLACES[:FEWEST_STORES]
    assert {place.setup for place in smallest} == {"A", "B", "C"}
    assert [place.code for place in smallest if place.setup == "C"] == ["BOO", "HAM"]
    assert len(PLACES) == 24
    assert {place.country for place in PLACES} == {"NO", "DK", "FI"}


@pytest.mark.parametrize("place", [PLACES[0], PLACES[3]], ids=lambda place: place.code)
def test_a_sale_is_the_same_whenever_it_is_made_and_can_be_indexed(place: Place) -> None:
    sales = list(sales_of(place, currency="NOK", numbers=range(1, 301), now=NOW))
    part = list(sales_of(place, currency="NOK", numbers=range(200, 301), now=NOW))
    assert sales[199:] == part
    assert len({sale.reference for sale in sales}) == 300
    assert all(sale.reference.startswith(place.prefix) and len(sale.reference) >= 8 for sale in sales)
    assert {len(sale.lines) > 0 for sale in sales} == {True, False}
    for sale in sales:
        check_row(msgspec.convert(sale.as_row(), OrderRow), latest=NOW)
        assert not sale.lines or sum(line["amount_minor"] for line in sale.lines) == sale.amount_minor
        assert 0 < (NOW - sale.paid_at).total_seconds() < 90 * 86_400


def test_stores_share_some_references_and_no_payment() -> None:
    kinds = [place for place in PLACES if not place.prefix]
    made = {
        (place.msn, reference_key(sale.reference)): sale
        for place in kinds
        for sale in sales_of(place, currency="NOK", numbers=range(1, 101), now=NOW)
    }
    assert len(made) == 100 * len(kinds)
    assert len({reference for _msn, reference in made}) < len(made)


def test_progress_tells_a_log_every_tenth_and_a_terminal_all_the_time() -> None:
    log, terminal = io.StringIO(), io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]  # a terminal that can be read
    for stream in (log, terminal):
        progress = Progress("Orders", total=1000, stream=stream)
        for _ in range(100):
            progress.add(10)
    assert len(log.getvalue().splitlines()) == 11
    assert log.getvalue().endswith("1,000 of 1,000\n")
    assert terminal.getvalue().count("\r") == 100
    assert terminal.getvalue().count("\n") == 1


def test_reads_a_page_as_a_browser_would() -> None:
    page = read_page(
        '<a href="/desk/orders/1/"><b>Nordlys Bergen</b>\n <code>BGO-1</code></a>'
        '<form action="/go/"><input type="hidden" name="key" value="k"><input type="radio" name="reason" value="x"></form>'
        '<section id="progress" class="progress unsure" hx-get="/again/"><h2>We are finding out</h2><h2>no</h2></section>'
        '<div role="alert"><div><p>That is more than is left.</p></div></div><div>elsewhere</div>'
    )
    assert [(link.href, link.text) for link in page.links] == [("/desk/orders/1/", "Nordlys Bergen BGO-1")]
    assert [(form.action, form.fields) for form in page.forms] == [("/go/", {"key": "k"})]
    assert (page.tone, page.headline, page.is_waiting) == ("unsure", "We are finding out", True)
    assert page.problems == ["That is more than is left."]


GOOD = Stop(
    setup="A",
    origin_store="Bergen",
    refunding_store="Oslo",
    origin_msn="1001",
    msns_sent=("1001",),
    amount_minor=100,
    state="refunded",
    states=("queued", "sending", "refunded"),
    provider_refund_events=1,
    seconds=0.1,
)
LOST = replace(GOOD, setup="B", states=("queued", "sending", "unknown", "refunded"))


def report(*stops: Stop) -> Report:
    return Report(
        stops={stop.setup: stop for stop in stops},
        provider_refunded_minor=200,
        hub_refunded_minor=200,
        orders_wanted=10,
        orders_indexed=10,
        audit_entries=5,
        audit_ok=True,
    )


def test_a_tour_holds_when_everything_does() -> None:
    assert report(GOOD, LOST).held


@pytest.mark.parametrize(
    "stop",
    [
        replace(GOOD, state="unknown"),
        replace(GOOD, msns_sent=("1002",)),
        replace(GOOD, msns_sent=("1001", "1001")),
        replace(GOOD, msns_sent=()),
        replace(GOOD, provider_refund_events=2),
        replace(GOOD, states=("queued", "sending", "unknown", "refunded")),
        replace(LOST, states=("queued", "sending", "refunded")),
    ],
)
def test_a_tour_with_one_wrong_stop_does_not_hold(stop: Stop) -> None:
    assert not report(GOOD, LOST, stop).held


@pytest.mark.parametrize("wrong", [{"provider_refunded_minor": 300}, {"orders_indexed": 9}, {"audit_ok": False}])
def test_a_tour_whose_books_disagree_does_not_hold(wrong: dict[str, int]) -> None:
    assert not replace(report(GOOD, LOST), **wrong).held  # type: ignore[arg-type]  # the table's values differ in type


@pytest.mark.django_db
def test_an_empty_database_is_free_to_use(tmp_path: Path) -> None:
    assert standing(simulator_state=tmp_path / "state") is Standing.EMPTY


@pytest.mark.django_db
def test_another_companys_database_is_not_the_demos(tmp_path: Path) -> None:
    Company.objects.create(name="A real chain")
    assert standing(simulator_state=tmp_path / "state") is Standing.FOREIGN


def test_its_own_database_is_told_from_one_that_lost_its_keys_or_its_payments(chain: Chain, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert standing(simulator_state=state) is Standing.LEFT_BEHIND
    state.touch()
    assert standing(simulator_state=state) is Standing.OURS
    with override_settings(VAULT_PUBLIC_KEYS="other:AAAA"):
        assert standing(simulator_state=state) is Standing.LEFT_BEHIND


@pytest.mark.processes
def test_the_simulators_door_needs_neither_keys_nor_database() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "vipps_simulator", "--help"],
        cwd=PROJECT,
        env={"PATH": "/bin", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert "--open-control" in done.stdout


def test_every_pair_of_prefixes_on_a_shared_unit_can_be_told_apart() -> None:
    shared = itertools.groupby(sorted((place.msn, place.prefix) for place in PLACES if place.prefix), key=lambda it: it[0])
    for _msn, group in shared:
        prefixes = [prefix for _, prefix in group]
        assert not any(one.startswith(other) for one, other in itertools.permutations(prefixes, 2))
