"""The demo as a newcomer starts it: no server, no keys; a chain, a tour that holds, and every way to end and start again."""

import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own, for two calls
import pytest

from hq import embedded
from hq.embedded.places import runs_as_root
from tests.hq.demo_runs import PROJECT, DemoRuns, unused_port

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRuns]:
    var = tmp_path_factory.mktemp("demo") / "var"
    var.mkdir()
    yield DemoRuns(var=var, port=unused_port(), simulator_port=unused_port())
    embedded.stop(PROJECT, var=var)
    folder = embedded.data_folder(PROJECT, var=var)
    shutil.rmtree(folder.parent if runs_as_root() else folder, ignore_errors=True)


@pytest.fixture(scope="module")
def first(runs: DemoRuns) -> dict[str, Any]:
    """The report of the first start ever."""
    return runs.once()


def processes_of(var: Path) -> list[str]:
    """The command lines of what still runs for this folder."""
    found = []
    for process in psutil.process_iter(["environ", "cmdline", "status"]):
        if (process.info["environ"] or {}).get("VAR_DIR") == str(var) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def test_oslo_refunds_for_a_store_of_each_set_up(first: dict[str, Any]) -> None:
    assert {setup: stop["origin_store"] for setup, stop in first["setups"].items()} == {
        "A": "Nordlys Trondheim",
        "B": "Nordlys Bergen",
        "C": "Nordlys Bodø",
    }
    assert {setup: stop["msn_sent"] for setup, stop in first["setups"].items()} == {
        "A": "400003",
        "B": "400002",
        "C": "500001",
    }
    for stop in first["setups"].values():
        assert stop["refunding_store"] == "Nordlys Oslo"
        assert stop["state"] == "refunded"


def test_the_lost_answer_is_unknown_first_and_moves_the_money_once(first: dict[str, Any]) -> None:
    assert first["lost_answer"] == {
        "states": ["queued", "sending", "unknown", "refunded"],
        "provider_refund_events": 1,
    }


def test_both_books_and_the_trail_agree(first: dict[str, Any]) -> None:
    asked = sum(stop["amount_minor"] for stop in first["setups"].values())
    assert first["provider_refunded_minor"] == first["hub_refunded_minor"] == asked
    assert first["orders_indexed"] == 240
    assert first["audit_ok"] is True
    assert first["audit_entries"] > 60


def test_a_start_with_a_chain_tells_the_tour_again_and_sells_nothing(runs: DemoRuns, first: dict[str, Any]) -> None:
    again = runs.once()
    assert again["orders_indexed"] == 240
    assert again["provider_refunded_minor"] == again["hub_refunded_minor"] > first["hub_refunded_minor"]


def test_nothing_runs_on_after_its_end(runs: DemoRuns, first: dict[str, Any]) -> None:
    assert processes_of(runs.var) == []
    assert not embedded.is_running(PROJECT, var=runs.var)


def test_keys_are_readable_by_their_owner_alone(runs: DemoRuns, first: dict[str, Any]) -> None:
    files = sorted((runs.var / "keys").iterdir())
    assert [file.name for file in files] == [
        "fingerprint_key",
        "secret_key",
        "vault_private_keys",
        "vault_public_keys",
        "web_seal_key",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_takes_the_next_port_says_where_it_is_and_survives_being_killed(runs: DemoRuns, first: dict[str, Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", runs.port))
        taken.listen(1)
        staying = runs.stay()
        try:
            assert f"Port {runs.port} is taken; using {runs.port + 1}." in staying.said
            desk = f"http://127.0.0.1:{runs.port + 1}/desk/"
            assert f"Desk          {desk}" in staying.said
            assert "kari     cashier in Oslo" in staying.said
            second = runs.run()
            assert second.returncode == 1
            assert f"It already runs here: process {staying.process.pid}, desk at {desk}." in second.stderr
        finally:
            staying.process.send_signal(signal.SIGKILL)
            staying.process.wait()
    after = runs.once()
    assert after["provider_refunded_minor"] == after["hub_refunded_minor"]
    assert after["audit_ok"] is True


def test_ctrl_c_ends_it_cleanly(runs: DemoRuns, first: dict[str, Any]) -> None:
    staying = runs.stay()
    staying.process.send_signal(signal.SIGINT)
    assert staying.process.wait(timeout=60) == 0
    assert staying.said.rstrip().endswith("Ending.")
    assert processes_of(runs.var) == []


def test_a_folder_that_lost_its_keys_starts_over_and_keeps_the_old_database(runs: DemoRuns, first: dict[str, Any]) -> None:
    shutil.rmtree(runs.var / "keys")
    done = runs.run("--once")
    assert done.returncode == 0, done.stderr
    assert "it was put aside as refund_hub_" in done.stdout
    assert "240 orders were added" in done.stdout
