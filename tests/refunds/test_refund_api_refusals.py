"""What the door for refunds refuses: every wrong field by its name, and nothing moves."""

from typing import Any

import pytest

from stores.models import Order
from tests.conftest import Chain
from tests.refunds.asking_over_rest import ask, asking, nothing_moved
from tests.till import Till, problem


@pytest.fixture
def oslo(chain: Chain) -> Till:
    return Till(chain.systems["OSL"])


@pytest.fixture
def sold(chain: Chain) -> Order:
    """What Bergen sold: 1 000,00 kr."""
    return chain.sold(chain.bergen, "BER-2026-10042", 100_000)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"amount": {"amount_minor": 0, "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"amount_minor": -1, "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"amount_minor": 250.0, "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"amount_minor": "250", "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"amount_minor": True, "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"amount_minor": None, "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"amount_minor": 65_000_001, "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"amount_minor": 10**40, "currency": "NOK"}}, "amount.amount_minor", "invalid_amount"),
    ({"amount": {"currency": "NOK"}}, "amount.amount_minor", "required"),
    ({"amount": {"amount_minor": 1}}, "amount.currency", "required"),
    ({"amount": {"amount_minor": 1, "currency": "USD"}}, "amount.currency", "wrong_currency"),
    ({"amount": {"amount_minor": 1, "currency": ["NOK"]}}, "amount.currency", "wrong_currency"),
    ({"amount": {"amount_minor": 1, "currency": "NOK", "msn": "1"}}, "amount.msn", "unknown_field"),
    ({"amount": 250}, "amount", "invalid"),
    ({"msn": "100002"}, "msn", "unknown_field"),
    ({"sales_unit": "100002"}, "sales_unit", "unknown_field"),
    ({"refunding_store": "BGO"}, "refunding_store", "unknown_field"),
    ({"reason": "because"}, "reason", "reason_needed"),
    ({"reason": "Because!"}, "reason", "invalid_choice"),
    ({"reason": "other"}, "reason_text", "reason_needed"),
    ({"reason": "other", "reason_text": "  "}, "reason_text", "reason_needed"),
    ({"reason_text": "x" * 201}, "reason_text", "max_length"),
    ({"reason_text": 7}, "reason_text", "invalid"),
    ({"cashier": ""}, "cashier", "blank"),
    ({"cashier": "k" * 81}, "cashier", "max_length"),
    ({"cashier": 7}, "cashier", "invalid"),
    ({"confirms_duplicate": "yes"}, "confirms_duplicate", "invalid"),
    ({"confirms_duplicate": 1}, "confirms_duplicate", "invalid"),
    ({"store": "BGO", "reference": "BER-2026-10042"}, "order_id", "invalid"),
    ({"channel": "in_store"}, "order_id", "invalid"),
]


@pytest.mark.parametrize(("change", "field", "code"), WRONG)
def test_a_wrong_field_is_named_and_nothing_moves(
    oslo: Till, sold: Order, change: dict[str, Any], field: str, code: str
) -> None:
    found = problem(ask(oslo, asking(sold) | change), 400, code)
    assert [(error["field"], error["code"]) for error in found["errors"]] == [(field, code)]
    assert nothing_moved()


@pytest.mark.parametrize(
    ("gone", "field"), [("order_id", "order_id"), ("amount", "amount"), ("reason", "reason"), ("cashier", "cashier")]
)
def test_a_missing_field_is_named(oslo: Till, sold: Order, gone: str, field: str) -> None:
    body = {name: value for name, value in asking(sold).items() if name != gone}
    found = problem(ask(oslo, body), 400, "required")
    assert [error["field"] for error in found["errors"]] == [field]
    assert nothing_moved()


def test_all_wrong_fields_are_named_at_once(oslo: Till, sold: Order) -> None:
    found = problem(ask(oslo, asking(sold) | {"msn": "1", "reason": "Because!", "cashier": ""}), 400, "invalid")
    assert {error["field"] for error in found["errors"]} == {"msn", "reason", "cashier"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "invalid"),
        ("{", "malformed_json"),
        ('{"amount": NaN}', "malformed_json"),
        ("[" * 60_000, "too_deep"),
        ('{"a":' * 9 + "1" + "}" * 9, "too_deep"),
        ("[]", "invalid_body"),
        ("null", "invalid_body"),
        ('{"cashier": "a", "cashier": "b"}', "duplicate_name"),
        ('{"amount": {"amount_minor": 1, "amount_minor": 2, "currency": "NOK"}}', "duplicate_name"),
        ('{"cashier": "a\\u0000"}', "invalid_text"),
        ('{"cashier": "a\\ud800"}', "invalid_text"),
        ('{"a": ' + "9" * 5000 + "}", "malformed_json"),
    ],
)
def test_json_that_could_mean_two_things_is_refused_where_money_moves(oslo: Till, chain: Chain, body: str, code: str) -> None:
    problem(ask(oslo, body), 400, code)
    assert nothing_moved()


def test_a_body_over_64_kibibytes_is_not_read(oslo: Till, sold: Order) -> None:
    problem(ask(oslo, asking(sold, cashier="k" * 65_536)), 413, "too_large")
    problem(oslo.post("refunds", "<a/>", content_type="application/xml", Idempotency_Key="1"), 415, "unsupported_media_type")
