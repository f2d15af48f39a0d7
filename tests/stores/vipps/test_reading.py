"""Strict reading: what is not exactly what the API promises is refused, never guessed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from stores.vipps.reading import (
    Unreadable,
    read_aggregate,
    read_amount,
    read_event,
    read_json,
    read_moment,
)
from stores.vipps.types import Amount

EVENT: dict[str, Any] = {
    "reference": "bergen-2026-0001",
    "pspReference": "1000000004",
    "name": "REFUNDED",
    "amount": {"currency": "NOK", "value": 2500},
    "timestamp": "2026-09-16T12:00:00.1234567Z",
    "idempotencyKey": "hub-1",
    "success": True,
}


@pytest.mark.parametrize("value", [True, False, 1.0, 100.5, "100", None, -1, 2**60, [], {}], ids=lambda value: repr(value))
def test_an_amount_is_a_whole_number_and_nothing_else(value: object) -> None:
    with pytest.raises(Unreadable):
        read_amount({"amount": {"currency": "NOK", "value": value}}, "amount")


@pytest.mark.parametrize("currency", ["nok", "NO", "NOKK", "", None, 578, "N0K", "ＮＯＫ"])
def test_a_currency_is_three_capital_letters(currency: object) -> None:
    with pytest.raises(Unreadable):
        read_amount({"amount": {"currency": currency, "value": 1}}, "amount")


def test_members_that_we_do_not_know_are_ignored() -> None:
    assert read_amount({"amount": {"currency": "NOK", "value": 1, "new": {}}, "more": 1}, "amount") == Amount(
        currency="NOK", value=1
    )


@pytest.mark.parametrize(
    "body",
    [b'{"value":1,"value":2}', b'{"a":{"value":1,"value":1}}', b"NaN", b"Infinity", b"{", b"\xff", b"", b"[" * 99_999],
)
def test_ambiguous_or_broken_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_json(body)


def test_an_aggregate_of_two_currencies_is_refused() -> None:
    sums = {
        name: {"currency": "NOK", "value": 1}
        for name in ("authorizedAmount", "cancelledAmount", "capturedAmount", "refundedAmount")
    }
    assert read_aggregate({"aggregate": sums}).currency == "NOK"
    sums["refundedAmount"] = {"currency": "DKK", "value": 1}
    with pytest.raises(Unreadable):
        read_aggregate({"aggregate": sums})


def test_an_aggregate_without_one_of_its_sums_is_refused() -> None:
    with pytest.raises(Unreadable):
        read_aggregate({"aggregate": {"authorizedAmount": {"currency": "NOK", "value": 1}}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-16T12:00:00Z", datetime(2026, 9, 16, 12, tzinfo=UTC)),
        ("2026-09-16T12:00:00.123Z", datetime(2026, 9, 16, 12, 0, 0, 123_000, tzinfo=UTC)),
        ("2026-09-16T12:00:00.1234567Z", datetime(2026, 9, 16, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-09-16T14:00:00+02:00", datetime(2026, 9, 16, 12, tzinfo=UTC)),
        ("2026-09-16T12:00:00", datetime(2026, 9, 16, 12, tzinfo=UTC)),
    ],
)
def test_moments_come_with_3_or_7_digits_and_end_up_in_utc(text: str, expected: datetime) -> None:
    assert read_moment(text) == expected
    assert read_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "today", "2026-13-01T00:00:00Z", "2026-09-16", "0001-01-01T00:00:00+14:00", "٢٠٢٦-09-16T12:00:00Z"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        read_moment(text)


def test_an_event_may_lack_its_key() -> None:
    assert read_event(EVENT).idempotency_key == "hub-1"
    assert read_event({**EVENT, "idempotencyKey": None}).idempotency_key is None
    assert read_event({name: value for name, value in EVENT.items() if name != "idempotencyKey"}).idempotency_key is None


@pytest.mark.parametrize(
    "change",
    [{"success": 1}, {"success": "true"}, {"success": None}, {"idempotencyKey": 5}, {"name": None}, {"amount": 5}],
    ids=json.dumps,
)
def test_an_event_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_event({**EVENT, **change})
