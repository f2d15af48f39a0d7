"""Orders from a CSV file: checked first and written down only then, a part at a time, with the same outcomes as over REST."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stores import clock, importing, orders, people, registry
from stores.actors import hub
from stores.errors import Conflict, Forbidden, Invalid
from stores.importing import taking, working
from stores.models import Entry, ImportState, Order, OrderImport, OrderImportPart, Role
from tests.conftest import Chain
from tests.till import YESTERDAY, Till, row

HEADER = "reference,amount_minor,currency,paid_at,receipt_number\n"
PAID = YESTERDAY.isoformat()
BY = hub("test")
Told = list[tuple[int, str, str, str]]


def taken(chain: Chain, content: str | bytes, name: str = "orders.csv") -> OrderImport:
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    return importing.take_file(file, name=name, system=chain.systems["BGO"], asker=chain.hanne)


def worked(order_import: OrderImport) -> OrderImport:
    importing.work_on(order_import.pk)
    order_import.refresh_from_db()
    return order_import


def told(order_import: OrderImport) -> Told:
    return [(each.number, each.outcome, each.code, each.field) for each in order_import.told.all()]


def counts(order_import: OrderImport) -> dict[str, int]:
    names = ("rows_done", "created", "updated", "unchanged", "conflict", "refused")
    return {name: count for name in names if (count := getattr(order_import, name))}


def imported(chain: Chain, content: str | bytes) -> OrderImport:
    order_import = worked(taken(chain, content))
    importing.start_import(order_import, asker=chain.hanne, by=BY)
    return worked(order_import)


def line(reference: str, amount: object = 25_000, paid_at: str = PAID, receipt: str = "") -> str:
    return f"{reference},{amount},NOK,{paid_at},{receipt}\n"


def test_a_file_is_checked_first_and_nothing_is_written(chain: Chain) -> None:
    till = Till(chain.systems["BGO"])
    till.sync(row("BER-1"), row("BER-2"), row("BER-3"))
    before = list(Order.objects.order_by("id").values())
    text = HEADER + line("BER-1") + line("BER-2", 99) + line("BER-3", receipt="R-7") + line("BER-4") + line("BER 5")
    order_import = worked(taken(chain, text))
    assert order_import.state == ImportState.REHEARSED
    assert counts(order_import) == {
        "rows_done": 5, "created": 1, "updated": 1, "unchanged": 1, "conflict": 1, "refused": 1
    }  # fmt: skip
    assert [(each.number, each.outcome, each.field, each.difference) for each in order_import.told.all()] == [
        (3, "conflict", "amount.amount_minor", "amount.amount_minor: 25000 → 99"),
        (4, "updated", "", "receipt_number: — → R-7"),
        (6, "refused", "reference", ""),
    ]
    assert list(Order.objects.order_by("id").values()) == before
    assert Entry.objects.filter(event="orders.synced").count() == 1


def test_what_was_started_comes_in_and_its_content_is_forgotten(chain: Chain) -> None:
    order_import = imported(chain, HEADER + line("BER-1", receipt="R-7") + line("BER 2") + line("BER-3"))
    assert order_import.state == ImportState.DONE
    assert counts(order_import) == {"rows_done": 3, "created": 2, "refused": 1}
    assert told(order_import) == [(3, "refused", "invalid_reference", "reference")]
    assert sorted(Order.objects.values_list("reference", "claimed_minor", "receipt_number")) == [
        ("BER-1", 25_000, "R-7"),
        ("BER-3", 25_000, ""),
    ]
    assert OrderImportPart.objects.count() == 0
    synced = Entry.objects.get(event="orders.synced")
    assert (synced.actor_kind, synced.actor_name, synced.chain.store) == ("person", str(chain.hanne), chain.bergen)
    events = Entry.objects.order_by("id").values_list("event", flat=True)
    assert list(events)[-3:] == ["orders.import_started", "orders.synced", "orders.import_ended"]


WELL = "a day ago"
"""In the rows below: the time as it should be. The moment itself would give each process of a run other names of tests."""
DAMAGED = [
    ("1,23E+12", "25000", WELL, "spreadsheet_number", "reference"),
    ("1.2E+15", "25000", WELL, "spreadsheet_number", "reference"),
    ("2026-10-01", "25000", WELL, "spreadsheet_date", "reference"),
    ("01.10.2026", "25000", WELL, "spreadsheet_date", "reference"),
    ("10/1/26", "25000", WELL, "spreadsheet_date", "reference"),
    ("01-10-2026", "25000", WELL, "spreadsheet_date", "reference"),
    ("1-Oct", "25000", WELL, "spreadsheet_date", "reference"),
    ("01.okt", "25000", WELL, "spreadsheet_date", "reference"),
    ("1. maj", "25000", WELL, "spreadsheet_date", "reference"),
    ("1-kesä", "25000", WELL, "spreadsheet_date", "reference"),
    ("Oct-26", "25000", WELL, "spreadsheet_date", "reference"),
    ("okt.26", "25000", WELL, "spreadsheet_date", "reference"),
    ("BER-1", "2,5E+04", WELL, "spreadsheet_number", "amount_minor"),
    ("BER-1", "250,00", WELL, "invalid_amount", "amount_minor"),
    ("BER-1", "1 250.00", WELL, "invalid_amount", "amount_minor"),
    ("BER-1", "-250", WELL, "invalid_amount", "amount_minor"),
    ("BER-1", "١٠٠", WELL, "invalid_amount", "amount_minor"),
    ("BER-1", "", WELL, "invalid_amount", "amount_minor"),
    ("BER-1", "25000", "01.02.2026", "spreadsheet_date", "paid_at"),
    ("BER-1", "25000", "2/1/26", "spreadsheet_date", "paid_at"),
    ("BER-1", "25000", "02-01-2026 14:05", "spreadsheet_date", "paid_at"),
    ("BER-1", "25000", "2/1/2026 2:05 PM", "spreadsheet_date", "paid_at"),
    ("BER-1", "25000", "46054,5868", "spreadsheet_date", "paid_at"),
    ("BER-1", "25000", "2026-02-01 14:05:00", "invalid_paid_at", "paid_at"),
    ("BER-1", "25000", "yesterday", "invalid_paid_at", "paid_at"),
    ("BER-1", "25000", "2026-W20-1T10:00+02:00", "invalid_paid_at", "paid_at"),
    ("BER-1", "25000", "20260201T140500+0100", "invalid_paid_at", "paid_at"),
    ("ÆØÅ", "25000", WELL, "invalid_reference", "reference"),
    ("BER\x00", "25000", WELL, "invalid_reference", "reference"),
]


@pytest.mark.parametrize(("reference", "amount", "paid_at", "code", "field"), DAMAGED)
def test_what_a_spreadsheet_has_spoilt_is_named_in_its_row(
    chain: Chain, reference: str, amount: str, paid_at: str, code: str, field: str
) -> None:
    when = PAID if paid_at == WELL else paid_at
    text = f"reference;amount_minor;currency;paid_at\nBER-8;25000;NOK;{PAID}\n{reference};{amount};NOK;{when}\n"
    order_import = imported(chain, text)
    assert told(order_import) == [(3, "refused", code, field)]
    assert counts(order_import) == {"rows_done": 2, "created": 1, "refused": 1}


@pytest.mark.parametrize("reference", ["2026-10-4211", "2026-10-01-7", "20261001", "12-10-26", "MAR-26", "nov-1234", "12-MARS"])
def test_a_reference_is_no_date_for_its_hyphens(chain: Chain, reference: str) -> None:
    assert counts(imported(chain, HEADER + line(reference))) == {"rows_done": 1, "created": 1}


def test_a_date_is_a_reference_where_the_stores_style_shows_it(chain: Chain) -> None:
    Till(chain.systems["BGO"]).sync(row("2026-10-01"))
    assert counts(imported(chain, HEADER + line("2026-10-02"))) == {"rows_done": 1, "created": 1}
    registry.share_sales_unit(
        chain.trondheim, chain.units["BOO"], prefix="jan-", channel="online", valid_from=YESTERDAY - timedelta(days=30),
        by=chain.by,
    )  # fmt: skip
    file = io.BytesIO(f"reference,amount_minor,currency,paid_at,channel\njan-26,100,NOK,{PAID},online\n".encode())
    of_trondheim = importing.take_file(file, name="orders.csv", system=chain.systems["TRD"], asker=chain.hanne)
    assert counts(worked(of_trondheim)) == {"rows_done": 1, "created": 1}


def test_zeros_that_were_taken_off_are_missed_where_the_stores_style_shows_it(chain: Chain) -> None:
    Till(chain.systems["BGO"]).sync(*(row(f"{number:08}") for number in range(95, 105)))
    order_import = imported(chain, HEADER + line("00000105") + line("106") + line("10000106"))
    assert told(order_import) == [(3, "refused", "lost_zeros", "reference")]
    assert counts(order_import) == {"rows_done": 3, "created": 2, "refused": 1}


def test_zeros_of_a_prefix_are_missed_too(chain: Chain) -> None:
    unit = chain.units["BOO"]
    registry.share_sales_unit(
        chain.bergen, unit, prefix="007-", channel="online", valid_from=YESTERDAY - timedelta(days=30), by=chain.by
    )
    text = "reference,amount_minor,currency,paid_at,channel\n"
    order_import = imported(chain, text + f"7-1001,100,NOK,{PAID},online\n007-1002,100,NOK,{PAID},online\n")
    assert told(order_import) == [(2, "refused", "lost_zeros", "reference")]


@pytest.mark.parametrize("reference", ["12E45678", "54E10321", "1e5", "12E-45678", "E-12"])
def test_a_reference_is_no_number_for_its_e(chain: Chain, reference: str) -> None:
    assert counts(imported(chain, HEADER + line(reference))) == {"rows_done": 1, "created": 1}


ROWS = f"reference;amount_minor;currency;paid_at;receipt_number\r\nBER-1;25000;NOK;{PAID};Bodø\r\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (ROWS.encode(), "utf-8"),
        (ROWS.encode("utf-8-sig"), "utf-8-sig"),
        (ROWS.encode("cp1252"), "cp1252"),
        (ROWS.encode("utf-16"), "utf-16"),
        (ROWS.encode("utf-16-le"), "utf-16-le"),
        (ROWS.encode("utf-16-be"), "utf-16-be"),
        (ROWS.replace(";", "\t").encode(), "utf-8"),
        (ROWS.replace(";", ",").encode(), "utf-8"),
        (b"sep=;\r\n" + ROWS.encode("cp1252"), "cp1252"),
        (ROWS.replace("\r\n", ";;\r\n").encode(), "utf-8"),
        (ROWS.replace("reference", " Reference ").encode(), "utf-8"),
        (ROWS.replace("NOK", " NOK ").encode() + b"\r\n;;;;\r\n\r\n", "utf-8"),
        (ROWS.replace("Bodø", '"Bodø"').encode(), "utf-8"),
    ],
)
def test_every_dress_that_spreadsheets_give_a_file_is_read(chain: Chain, content: bytes, encoding: str) -> None:
    order_import = imported(chain, content)
    assert (order_import.encoding, counts(order_import)) == (encoding, {"rows_done": 1, "created": 1})
    assert Order.objects.get().receipt_number == "Bodø"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "wrong_columns"),
        (HEADER.encode(), "empty_file"),
        (HEADER.encode() + b",,,,\n\n", "empty_file"),
        (b"reference,amount_minor\nBER-1,1\n", "wrong_columns"),
        (HEADER.strip().encode() + b",msn\n", "wrong_columns"),
        (b"reference," + HEADER.encode(), "wrong_columns"),
        (HEADER.encode() + b"\x81\n", "unknown_encoding"),
        (HEADER.encode() + b'"BER-1\n', "not_csv"),
        (HEADER.encode() + b"B" * 200_000 + b"\n", "not_csv"),
        (ROWS.encode("utf-16")[:-3], "unknown_encoding"),
        (b"\xff\xfe\x00\x00" + bytes(range(256)), "unknown_encoding"),
        (b"\xff\xfe" + ROWS.encode(), "unknown_encoding"),
        (b"\xef\xbb\xbf\x89PNG\r\n", "unknown_encoding"),
        (b"P\x00\x00\xd8\n", "unknown_encoding"),
    ],
)
def test_a_file_that_is_no_list_of_orders_is_refused_whole(chain: Chain, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        taken(chain, content)
    assert refused.value.code == code
    assert OrderImport.objects.count() == OrderImportPart.objects.count() == 0


def test_too_large_and_too_long_files_are_refused(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_ROWS", 1)
    monkeypatch.setattr(taking, "LARGEST_FILE", 1_000)
    for text, code in ((HEADER + line("BER-1") + line("BER-2"), "too_many_rows"), (HEADER + line("B" * 999), "file_too_large")):
        with pytest.raises(Invalid) as refused:
            taken(chain, text)
        assert refused.value.code == code


def test_a_row_of_another_shape_is_refused_in_its_place(chain: Chain) -> None:
    order_import = imported(chain, HEADER + "BER-1,100\n" + line("BER-2") + line("BER-3").strip() + ",more\n")
    assert told(order_import) == [(2, "refused", "wrong_columns", ""), (4, "refused", "wrong_columns", "")]


@pytest.mark.parametrize("before", ["", "sep=,\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_have_the_numbers_that_a_spreadsheet_shows(chain: Chain, before: str, end: str) -> None:
    """The names are row 1, a quoted line break begins no row, and an empty line is one."""
    text = before + HEADER + line("BER-2", receipt='"R\n1"') + line("BER 3") + "\n,,,,\n" + line("BER-6", "x") + line("BER-7")
    order_import = worked(taken(chain, text.replace("\n", end)))
    checked = told(order_import)
    assert [(number, field) for number, _outcome, _code, field in checked] == [(3, "reference"), (6, "amount_minor")]
    importing.start_import(order_import, asker=chain.hanne, by=BY)
    assert told(worked(order_import)) == checked
    assert set(Order.objects.values_list("reference", flat=True)) == {"BER-2", "BER-7"}


def test_what_the_hub_has_quoted_is_read_as_it_was(chain: Chain) -> None:
    order_import = imported(chain, HEADER + line("BER-1", receipt="'=1+1") + line("BER-2", receipt="'R"))
    assert counts(order_import) == {"rows_done": 2, "created": 2}
    assert set(Order.objects.values_list("receipt_number", flat=True)) == {"=1+1", "'R"}


def test_a_long_file_is_done_a_part_at_a_time_and_goes_on_where_it_stopped(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "ROWS_A_PART", 10)
    order_import = worked(taken(chain, HEADER + "".join(line(f"BER-{number}") for number in range(35))))
    assert (order_import.parts, order_import.state) == (4, ImportState.REHEARSED)
    importing.start_import(order_import, asker=chain.hanne, by=BY)
    monkeypatch.setattr(working, "index_orders", _failing_after(2, orders.index_orders))
    worked(order_import)
    assert (order_import.rows_done, order_import.state) == (20, ImportState.IMPORTING)
    assert order_import.problem
    assert Order.objects.count() == 20
    monkeypatch.undo()
    assert importing.work_on(order_import.pk) == 0, "its lease has not run out"
    OrderImport.objects.update(due_at=clock.db_now())
    worked(order_import)
    assert (order_import.state, order_import.problem) == (ImportState.DONE, "")
    assert counts(order_import) == {"rows_done": 35, "created": 35}


def _failing_after(count: int, real: Callable[..., Any]) -> Callable[..., Any]:
    calls = iter(range(count))

    def index(*args: Any, **names: Any) -> Any:
        if next(calls, None) is None:
            raise RuntimeError("the disk is full")
        return real(*args, **names)

    return index


def test_the_round_finds_an_import_whose_message_was_lost(chain: Chain) -> None:
    order_import = taken(chain, HEADER + line("BER-1"))
    assert importing.move_due() == 0, "a worker may still come"
    OrderImport.objects.update(due_at=clock.db_now() - working._QUIET * 2)
    assert importing.move_due() == 1
    order_import.refresh_from_db()
    assert order_import.state == ImportState.REHEARSED


def test_a_part_that_somebody_else_has_done_is_not_counted_twice(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    order_import = worked(taken(chain, HEADER + line("BER-1") + line("BER 2")))
    importing.start_import(order_import, asker=chain.hanne, by=BY)

    def meanwhile(*args: Any, **names: Any) -> Any:
        outcomes = index(*args, **names)
        OrderImport.objects.update(next_part=2)
        return outcomes

    index = orders.index_orders
    monkeypatch.setattr(working, "index_orders", meanwhile)
    worked(order_import)
    assert counts(order_import) == {}
    assert Order.objects.count() == 0


def test_it_is_started_once_and_after_its_check_only(chain: Chain) -> None:
    order_import = taken(chain, HEADER + line("BER-1"))
    with pytest.raises(Conflict):
        importing.start_import(order_import, asker=chain.hanne, by=BY)
    worked(order_import)
    importing.start_import(order_import, asker=chain.hanne, by=BY)
    with pytest.raises(Conflict):
        importing.start_import(order_import, asker=chain.hanne, by=BY)


def test_it_can_be_cancelled_until_it_has_ended(chain: Chain) -> None:
    order_import = worked(taken(chain, HEADER + line("BER-1")))
    importing.cancel_import(order_import, asker=chain.hanne, by=BY)
    assert (order_import.state, OrderImportPart.objects.count()) == (ImportState.CANCELLED, 0)
    for verb in (importing.start_import, importing.cancel_import):
        with pytest.raises(Conflict):
            verb(order_import, asker=chain.hanne, by=BY)
    assert importing.work_on(order_import.pk) == 0
    assert Order.objects.count() == 0


def test_a_store_that_closes_meanwhile_ends_it(chain: Chain) -> None:
    order_import = worked(taken(chain, HEADER + line("BER-1")))
    importing.start_import(order_import, asker=chain.hanne, by=BY)
    registry.close_store(chain.bergen, reason="moved", by=chain.by)
    worked(order_import)
    assert order_import.state == ImportState.CANCELLED
    assert order_import.problem
    assert Order.objects.count() == 0


def test_only_who_manages_stores_may(chain: Chain) -> None:
    people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
    file = io.BytesIO((HEADER + line("BER-1")).encode())
    for nobody in (chain.per, chain.kari):
        with pytest.raises(Forbidden):
            importing.take_file(file, name="orders.csv", system=chain.systems["BGO"], asker=nobody)
    order_import = worked(taken(chain, HEADER + line("BER-1")))
    for verb in (importing.start_import, importing.cancel_import):
        with pytest.raises(Forbidden):
            verb(order_import, asker=chain.per, by=BY)


def test_of_many_rows_to_look_at_not_all_are_kept(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "MOST_TOLD", 3)
    order_import = worked(taken(chain, HEADER + "".join(line("BER 1") for _ in range(9))))
    assert (order_import.refused, order_import.told.count()) == (9, 3)
