"""The command that asks for the refunds of a file: in a person's name, a line per row, and nothing without her rights."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from refunds.models import Refund
from stores.models import Entry, User
from tests.conftest import Chain
from tests.refunds.asking_over_rest import nothing_moved

ROWS = (
    "key,store,reference,amount_minor,currency,reason,reason_text\n"
    "r-1,BGO,BER-10042,10000,NOK,returned,\n"
    "r-2,BGO,BER-10042,nothing,NOK,returned,\n"
)


@pytest.fixture
def file(chain: Chain, tmp_path: Path) -> Path:
    chain.sold(chain.bergen, "BER-10042", 100_000)
    path = tmp_path / "returns.csv"
    path.write_text(ROWS)
    return path


def run(file: Path, username: str = "kari", store: str = "OSL", *more: str) -> tuple[str, str]:
    """What it wrote, and the error it ended with."""
    out, error = StringIO(), ""
    try:
        call_command("request_refunds", str(file), f"--as={username}", f"--store={store}", *more, stdout=out)
    except CommandError as ended:
        error = str(ended)
    return out.getvalue(), error


def test_each_row_is_told_and_the_trail_names_the_person(chain: Chain, file: Path) -> None:
    out, error = run(file)
    assert "row 2 (1/2): accepted BER-10042 R1" in out
    assert "row 3 (2/2): refused, invalid_amount (amount_minor): An amount is" in out
    assert "1 accepted, 1 refused. In the trail: request request_refunds-" in out
    assert error == "Some rows were refused; nothing of them was written."
    refund = Refund.objects.get()
    assert (refund.requested_by, refund.refunding_store, refund.state) == (chain.kari, chain.oslo, "queued")
    actor = json.loads(Entry.objects.get(event="refund.accepted").canonical)["actor"]
    assert (actor["kind"], actor["id"], actor["name"]) == ("person", str(chain.kari.pk), str(chain.kari))
    assert f"In the trail: request {actor['request_id']}." in out
    assert "row 2 (1/2): repeated BER-10042 R1" in run(file)[0]


def test_a_dry_run_asks_for_nothing(chain: Chain, file: Path) -> None:
    out, _error = run(file, "kari", "OSL", "--dry-run")
    assert "row 2 (1/2): allowed\n" in out
    assert "1 allowed, 1 refused.\n" in out
    assert nothing_moved()


@pytest.mark.parametrize(
    ("username", "store", "told"),
    [
        ("nobody", "OSL", "Nobody active is called nobody."),
        ("kari", "BGO", "kari is neither cashier nor manager in an open store BGO."),
        ("hanne", "OSL", "hanne is neither cashier nor manager in an open store OSL."),
        ("per", "OSL", "per is neither cashier nor manager in an open store OSL."),
        ("kari", "XXX", "kari is neither cashier nor manager in an open store XXX."),
    ],
)
def test_without_the_right_nothing_is_asked(chain: Chain, file: Path, username: str, store: str, told: str) -> None:
    assert run(file, username, store) == ("", told)
    assert nothing_moved()


def test_somebody_who_left_asks_for_nothing(chain: Chain, file: Path) -> None:
    User.objects.filter(pk=chain.kari.pk).update(is_active=False)
    assert run(file) == ("", "Nobody active is called kari.")
    assert nothing_moved()


def test_a_file_that_is_not_there_or_no_list_is_said(chain: Chain, file: Path) -> None:
    assert run(file.with_name("absent.csv"))[1] == "The file cannot be read: No such file or directory."
    file.write_text("a,b\n1,2\n")
    assert run(file)[1].startswith("wrong_columns: The columns are key,")
