"""The bodies of a sync: what is refused whole and why, and what only costs the row it stands in."""

import gzip
import json
from io import BytesIO
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from stores.api.parsing import SYNC_BYTES, SyncParser
from stores.errors import Invalid
from stores.models import Entry, Order
from tests.conftest import Chain
from tests.till import Till, outcomes, problem, row

LINES = "application/x-ndjson"


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


def as_lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in rows)


def results(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def body_of(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"orders": list(rows)}).encode()


WHOLE = [
    (b"", "empty_body", ""),
    (b" \n", "empty_body", ""),
    (b"{", "truncated_json", ""),
    (body_of(row("BER-10042"))[:-1], "truncated_json", ""),
    (body_of(row("BER-10042"))[:40], "truncated_json", ""),
    (b'{"orders": [{]}', "malformed_json", ""),
    (b'{"orders": [NaN]}', "malformed_json", ""),
    (b'{"orders": []} and more', "malformed_json", ""),
    (b"[" * 100_000, "too_deep", ""),
    (b'{"orders": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "too_deep", ""),
    (b'{"orders": [' + b"{}," * 400_000 + b"{}]}", "too_many_values", ""),
    (b"\xef\xbb\xbf" + body_of(row("BER-10042")), "byte_order_mark", ""),
    (body_of(row("BER-10042")).decode().encode("utf-16"), "wrong_charset", ""),
    (body_of(row("BER-10042")).decode().encode("utf-16-le"), "wrong_charset", ""),
    (body_of(row("BER-10042")).decode().encode("utf-32-be"), "wrong_charset", ""),
    (b"[]", "invalid_body", "orders"),
    (b'{"orders": {}}', "invalid_body", "orders"),
    (b"{}", "invalid_body", "orders"),
    (b'{"orders": []}', "wrong_number_of_rows", "orders"),
    (b'{"orders": [' + b"{}," * 10_000 + b"{}]}", "wrong_number_of_rows", "orders"),
    (b'{"orders": [], "msn": "1"}', "unknown_field", "msn"),
]


@pytest.mark.parametrize(("body", "code", "field"), WHOLE, ids=[f"{number}-{case[1]}" for number, case in enumerate(WHOLE)])
def test_a_body_that_is_no_sync_is_refused_whole(bergen: Till, body: bytes, code: str, field: str) -> None:
    found = problem(bergen.post("orders", body), 400, code)
    assert [error["field"] for error in found["errors"]] == ([field] if field else [])
    assert Entry.objects.filter(event="orders.synced").count() == 0


def test_malformed_json_says_where(bergen: Till) -> None:
    found = problem(bergen.post("orders", b'{"orders":\n  [1,,2]}'), 400, "malformed_json")
    assert found["facts"] == {"line": 2, "column": 6}


def test_a_body_over_four_mebibytes_is_refused_whole(bergen: Till) -> None:
    body = body_of(row("BER-10042", receipt_number="R" * SYNC_BYTES))
    assert problem(bergen.post("orders", body), 413, "too_large")["facts"] == {"largest_bytes": SYNC_BYTES}


def test_a_body_that_is_shorter_than_announced_is_refused() -> None:
    """Told to the parser: Django's test client does not let a body be short."""
    body = body_of(row("BER-10042"))
    announced = RequestFactory().post("/api/v1/orders", body, content_type="application/json", CONTENT_LENGTH=len(body) + 1)
    with pytest.raises(Invalid) as refused:
        SyncParser().parse(BytesIO(body), "application/json", {"request": Request(announced)})
    assert (refused.value.code, refused.value.facts) == (
        "incomplete_body",
        {"announced_bytes": len(body) + 1, "received_bytes": len(body)},
    )


@pytest.mark.parametrize("path", ["orders", "refunds"])
def test_a_body_in_chunks_is_told_to_come_with_its_length(bergen: Till, path: str) -> None:
    problem(bergen.post(path, b"", Content_Length="", Transfer_Encoding="chunked"), 411, "length_required")


def test_a_compressed_body_is_a_body(bergen: Till) -> None:
    once = gzip.compress(body_of(row("BER-10042")))
    assert outcomes(results(bergen.post("orders", once, Content_Encoding="gzip"))) == [("created", "", "")]
    halves = [gzip.compress(as_lines(row(reference))) for reference in ("BER-10042", "BER-10043")]
    told = results(bergen.post("orders", b"".join(halves), content_type=LINES, Content_Encoding="GZIP"))
    assert outcomes(told) == [("unchanged", "", ""), ("created", "", "")]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda body: body[:-1], "truncated_gzip"),
        (lambda body: body[:20], "truncated_gzip"),
        (lambda body: body + b"more", "malformed_gzip"),
        (lambda body: body + body[:9], "truncated_gzip"),
        (lambda body: body[:-8] + bytes(8), "malformed_gzip"),
        (lambda body: b"{}", "malformed_gzip"),
        (lambda body: gzip.compress(b"") * 200_000 + body, "malformed_gzip"),
        (lambda body: b"", "empty_body"),
    ],
)
def test_a_damaged_compressed_body_is_refused_whole(bergen: Till, damage: Any, code: str) -> None:
    body = damage(gzip.compress(body_of(row("BER-10042"))))
    problem(bergen.post("orders", body, Content_Encoding="gzip"), 400, code)
    assert Order.objects.count() == 0


def test_a_compressed_body_is_never_inflated_beyond_the_bound(bergen: Till) -> None:
    """A bomb of 2 GiB costs what 4 MiB cost."""
    inside = gzip.compress(bytes(16 * 1024 * 1024), 9)
    bomb = inside * 128
    assert len(bomb) < SYNC_BYTES
    found = problem(bergen.post("orders", bomb, Content_Encoding="gzip"), 413, "too_large")
    assert found["facts"] == {"largest_bytes": SYNC_BYTES}


def test_where_money_moves_nothing_compressed_is_taken(bergen: Till) -> None:
    told = bergen.post("refunds", gzip.compress(b"{}"), Content_Encoding="gzip", Idempotency_Key="key-1")
    problem(told, 415, "unsupported_media_type")


def test_of_a_name_that_stands_twice_the_last_counts(bergen: Till) -> None:
    first = json.dumps(row("BER-10042", 1))[:-1] + ', "reference": "BER-10043"}'
    second = '{"paid_at": 1,' + json.dumps(row("BER-10044"))[1:]
    assert outcomes(results(bergen.post("orders", f'{{"orders": 7, "orders": [{first}, {second}]}}'))) == [
        ("created", "", ""),
        ("created", "", ""),
    ]
    assert sorted(Order.objects.values_list("reference", flat=True)) == ["BER-10043", "BER-10044"]


def test_an_outcome_for_each_line(bergen: Till) -> None:
    good = as_lines(row("BER-10042"))
    last = good.replace(b"10042", b"10043").strip() + b"\r\n\n\n"
    body = b"".join((good, b"\n", b"{\n", b"[]\n", b"[" * 100_000 + b"\n", last))
    told = results(bergen.post("orders", body, content_type=LINES))
    assert outcomes(told) == [
        ("created", "", ""),
        ("refused", "malformed_json", ""),
        ("refused", "malformed_json", ""),
        ("refused", "invalid_row", ""),
        ("refused", "too_deep", ""),
        ("created", "", ""),
    ]
    assert [result["index"] for result in told] == list(range(6))


def test_two_orders_on_a_line_are_no_line(bergen: Till) -> None:
    line = as_lines(row("BER-10042")).strip()
    assert outcomes(results(bergen.post("orders", line * 2, content_type=LINES))) == [("refused", "malformed_json", "")]
    assert Order.objects.count() == 0


def test_a_line_of_countless_values_is_refused_unread(bergen: Till) -> None:
    body = as_lines(row("BER-10042")) + b'{"lines":[' + b"{}," * 100_000 + b"{}]}"
    told = results(bergen.post("orders", body, content_type=LINES))
    assert outcomes(told) == [("created", "", ""), ("refused", "too_many_values", "")]


@pytest.mark.parametrize(
    ("body", "code"), [(b"", "empty_body"), (b"\n" * 10_001, "empty_body"), (b"{}\n" * 10_001, "wrong_number_of_rows")]
)
def test_lines_that_are_no_sync_are_refused_whole(bergen: Till, body: bytes, code: str) -> None:
    problem(bergen.post("orders", body, content_type=LINES), 400, code)


@pytest.mark.parametrize("content_type", ["application/json", LINES])
def test_bytes_that_are_not_utf_8_cost_their_own_row_only(bergen: Till, content_type: str) -> None:
    rows = [row("BER-10042"), row("BER-10043", receipt_number="Bodø"), row("BER-10044")]
    body = as_lines(*rows) if content_type == LINES else body_of(*rows)
    told = results(bergen.post("orders", body.replace(b"\\u00f8", b"\xf8"), content_type=content_type))
    assert outcomes(told) == [("created", "", ""), ("refused", "invalid_text", "receipt_number"), ("created", "", "")]


def test_a_number_of_thousands_of_digits_costs_its_own_row_only(bergen: Till) -> None:
    body = body_of(row("BER-10042"), row("BER-10043", 77)).replace(b"77", b"7" * 5_000)
    assert outcomes(results(bergen.post("orders", body))) == [
        ("created", "", ""),
        ("refused", "invalid_amount", "amount.amount_minor"),
    ]


def test_case_and_leading_zeros_tell_orders_apart(bergen: Till) -> None:
    references = ["ber-10042", "BER-10042", "0010042", "10042", "BER-0"]
    bergen.sync(*(row(reference, amount) for amount, reference in enumerate(references, start=1)))
    assert dict(Order.objects.values_list("reference", "claimed_minor")) == {
        reference: amount for amount, reference in enumerate(references, start=1)
    }
